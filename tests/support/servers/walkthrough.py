"""The guides to submission servers, whose commands can be run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.engine.launcher import HOSTS, ZYGOTES
from tests.support import tiny
from tests.support.waiting import PATIENCE

FOLDER = Path(__file__).parents[3] / "docs" / "servers"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_AUTOGRADER = """\
#!{python} -P
import sys
from autograder.engine.launcher import HOSTS, ZYGOTES
for launcher, descriptor in zip((HOSTS, ZYGOTES), {descriptors}):
    launcher.adopt(descriptor)
from autograder.commands.main import main
main()
"""


def write_course(root: Path, guide: str) -> None:
    """Write the tiny course as one whose assignment is called knn, with the first settings of a guide."""
    tiny.write_course(root)
    for folder in ("solutions", "autograder/suites"):
        (root / folder / "tiny").rename(root / folder / "knn")
    file = root / "solutions" / "knn" / "assignment.toml"
    file.write_text(file.read_text().replace('name = "tiny"', 'name = "knn"'))
    with (root / "course.toml").open("a") as course:
        course.write("\n" + next(_blocks(guide, "toml")))


def run(guide: str, course: Path, programs: Mapping[str, str], **variables: str) -> Iterator[str]:
    """Run every command of a guide in the folder of a course; yield each once it has ended well.

    Parameters
    ----------
    guide : str
        The server's name.
    programs : mapping of str to str
        What stands for programs that need an account somewhere: a script of Python for each.
    **variables
        Of the environment.
    """
    descriptors = (HOSTS.control(), ZYGOTES.control())
    own = {"autograder": _AUTOGRADER.format(python=sys.executable, descriptors=descriptors)}
    own |= {name: f"#!{sys.executable}\n{text}" for name, text in programs.items()}
    folder = course.parent / "programs"
    folder.mkdir()
    for name, text in own.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    for command in commands(guide):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=course,
            env={"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(course.parent), **variables},
            pass_fds=descriptors,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        yield command


def commands(guide: str) -> list[str]:
    """Return the commands of a guide, in the order in which a reader meets them."""
    lines = [line for block in _blocks(guide, "console") for line in block.splitlines()]
    assert lines
    assert all(line.startswith("$ ") for line in lines), "a block of commands holds what is none"
    return [line.removeprefix("$ ") for line in lines]


def _blocks(guide: str, language: str) -> Iterator[str]:
    text = (FOLDER / f"{guide}.md").read_text(encoding="utf-8")
    yield from (found[2] for found in _BLOCK.finditer(text) if found[1] == language)
