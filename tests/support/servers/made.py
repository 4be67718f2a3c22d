"""Bundles as `autograder bundle` writes them, without what it grades and measures first; what is in them."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from autograder.commands.main import app
from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.pool import Pool
from autograder.exporters.servers import bundles, contents, find_server, on_server
from autograder.exporters.servers.interface import Contents, Files
from autograder.scoring import PlannedTest
from tests.support import tiny

ROOT = Path(__file__).parents[3]
BROKEN = "def double(x:\n"
"""A module that is no Python."""
WRONG = tiny.REFERENCE.replace("return 2 * x", "return 3 * x")
"""4 of 10 points."""


def run(*words: object) -> Result:
    """Run a command; errors are part of the output."""
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(result: Result, *said: str, without: str = "") -> str:
    """Return the only line of a command that ended with status 2.

    Parameters
    ----------
    *said : str
        What the line has to say.
    without : str
        What may be nowhere, such as a token.
    """
    assert result.exit_code == 2, (result.output, result.exception)
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: "), line
    for words in said:
        assert words in line
    assert not without or without not in result.output
    return line


def write_course(root: Path, server: str, settings: str = "", assignment: str = "", **parts: str) -> Course:
    """Write the tiny course, with what it says about a server.

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
    return Course.load(root)


def copy_course(root: Path, name: str, server: str, settings: str = "") -> Course:
    """Write a course that has an assignment of the kit's own, and a secret of its own."""
    for part in (f"solutions/{name}", f"autograder/suites/{name}"):
        shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "course.toml").write_text(f"{tiny.COURSE}\n[servers.{server}]\n{settings}\n")
    return Course.load(root)


def gather(course: Course, server: str, name: str = "tiny", *, planned: bool = False) -> Contents:
    """Return what a bundle holds; with `planned`, for a server that asks what tests are worth."""
    target = find_server(server)
    one = assignments.load(course, name)
    plan: tuple[PlannedTest, ...] = ()
    if planned:
        with Pool(one, course, jobs=1, sandbox="none") as pool:
            plan = pool.plan
    return contents.collect(course, one, target, bundles.settings_of(course, target), plan)


def pack(course: Course, server: str, name: str = "tiny", *, planned: bool = False) -> Files:
    """Return the files of a bundle; parameters are those of `gather`."""
    return find_server(server).pack(gather(course, server, name, planned=planned))


def make(course: Course, server: str, name: str = "tiny", *, planned: bool = False) -> Path:
    """Write a bundle to where the command writes it; parameters are those of `gather`."""
    target = find_server(server)
    place = course.root / "dist" / f"{name}-{target.name}{target.archive}"
    bundles.write(pack(course, server, name, planned=planned), target, place)
    return place


def keep_fork_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have `on_server.grade` leave the fork servers of this process to the tests that follow."""

    def open_pool(*given: Any, is_only: bool, **named: Any) -> Pool:
        return Pool(*given, **named)

    monkeypatch.setattr(on_server, "Pool", open_pool)


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
