"""Bundles of the tiny course, made by the command as an instructor makes them, and what is in them."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from typer.testing import CliRunner, Result

from autograder.commands.main import app
from tests.support import tiny

ROOT = Path(__file__).parents[3]
BROKEN = "def double(x:\n"
"""A module that is no Python."""
WRONG = tiny.REFERENCE.replace("return 2 * x", "return 3 * x")
"""4 of 10 points."""


def write_course(root: Path, server: str, settings: str = "", assignment: str = "", **parts: str) -> Path:
    """Write the tiny course, with what it says about a server; return its folder.

    Parameters
    ----------
    settings : str
        Lines of ``[servers.SERVER]`` in ``course.toml``.
    assignment : str
        ``assignment.toml``, if it is not that of the tiny course.
    **parts
        As `tests.support.tiny.write_course` takes them.
    """
    tiny.write_course(root, **parts)
    with (root / "course.toml").open("a") as file:
        file.write(f"\n[servers.{server}]\n{settings}\n")
    if assignment:
        (root / "solutions" / "tiny" / "assignment.toml").write_text(assignment)
    return root


def run(*words: object) -> Result:
    """Run a command of the kit in this process; errors are part of the output."""
    return CliRunner().invoke(app, [str(word) for word in words])


def make(root: Path, server: str, settings: str = "", **parts: str) -> Path:
    """Write the course below a folder and make a bundle of it; return where the bundle is."""
    course = write_course(root / "course", server, settings, **parts)
    done = run("bundle", "tiny", server, "--course", course)
    assert done.exit_code == 0, done.output
    return Path(done.stdout.strip())


def make_real(root: Path, name: str, server: str, settings: str = "") -> Path:
    """Make a bundle of an assignment of the kit's own, in a course below a folder with its own secret."""
    course = root / "course"
    for part in (f"solutions/{name}", f"autograder/suites/{name}"):
        shutil.copytree(ROOT / part, course / part, ignore=shutil.ignore_patterns("__pycache__"))
    (course / "course.toml").write_text(f"{tiny.COURSE}\n[servers.{server}]\n{settings}\n")
    done = run("bundle", name, server, "--course", course)
    assert done.exit_code == 0, done.output
    return Path(done.stdout.strip())


def unpack_all(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield files with their bytes, and those in the archives among them too."""
    for name, content in files.items():
        yield name, content
        inner: dict[str, bytes] = {}
        if name.endswith(".tar"):
            with tarfile.open(fileobj=io.BytesIO(content)) as tar:
                for member in tar:
                    file = tar.extractfile(member)
                    if file is not None:
                        inner[f"{name}/{member.name}"] = file.read()
        elif name.endswith((".whl", ".zip")):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                inner = {f"{name}/{one}": archive.read(one) for one in archive.namelist()}
        yield from unpack_all(inner)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder by their paths in it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
