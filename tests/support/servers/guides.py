"""The guides to submission servers: their commands, run in order, and their settings."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support import tiny
from tests.support.command import adopting_program
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[3]
SETTING = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)
SHELL = {
    "docker": f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m tests.support.servers.docker "$@"',
    "python3": f'exec "{sys.executable}" "$@"',
}
"""What stands for programs that a guide calls, besides `autograder`."""


def read(name: str) -> str:
    """Return the guide of a server."""
    return (ROOT / "docs" / "servers" / f"{name}.md").read_text(encoding="utf-8")


def settings_of(guide: str) -> set[str]:
    """Return the keys in the table of settings."""
    table = guide.partition("\n## Settings\n")[2].partition("\n## ")[0]
    return {key for row in SETTING.findall(table) for key in re.findall(r"\w+", row)}


def require_messages(guide: str, heading: str, server: str) -> None:
    """Check that the kit says the messages in the table below a heading, where it talks to a server."""
    folder = ROOT / "autograder" / "exporters" / "servers"
    files = [*(folder / server).glob("*.py"), folder / "connection.py", folder / "identity.py"]
    sources = "".join(path.read_text(encoding="utf-8") for path in files)
    table = guide.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    messages = [one for cell in cells for one in re.findall("`(.*?)`", cell)]
    assert len(messages) > 5
    for message in messages:
        assert message in sources, message


def write_course(root: Path, guide: str) -> None:
    """Write the tiny course as one whose assignment is called knn, with the first settings of a guide."""
    tiny.write_course(root)
    for folder in ("solutions", "autograder/suites"):
        (root / folder / "tiny").rename(root / folder / "knn")
    file = root / "solutions" / "knn" / "assignment.toml"
    file.write_text(file.read_text().replace('name = "tiny"', 'name = "knn"'))
    with (root / "course.toml").open("a") as course:
        course.write("\n" + blocks(guide, "toml")[0])


def run(
    guide: str,
    course: Path,
    others: Mapping[str, str] | None = None,
    *,
    programs: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    typed: str = "",
) -> dict[str, str]:
    """Run every command of a guide, in order, in the folder of a course; each has to end well.

    Parameters
    ----------
    others : mapping of str to str, optional
        Word of the guide to what stands for it here, such as the name of the assignment.
    programs : mapping of str to str, optional
        Programs that need an account somewhere, and a script of Python that stands for each.
    variables : mapping of str to str, optional
        Of the environment.
    typed : str
        What a reader types when a command asks.

    Returns
    -------
    dict of str to str
        Each command to what it printed.
    """
    kit, descriptors = adopting_program()
    texts = {name: f"#!/bin/sh\n{line}\n" for name, line in SHELL.items()}
    texts |= {name: f"#!{sys.executable}\n{text}" for name, text in (programs or {}).items()}
    texts["autograder"] = f'#!/bin/sh\nexec {shlex.join(kit)} "$@"\n'
    folder = course.parent / "programs"
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(course.parent), **(variables or {})}
    printed = {}
    for command in commands(guide, others or {}):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=course,
            env=env,
            input=typed,
            pass_fds=descriptors,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        printed[command] = done.stdout
    return printed


def commands(guide: str, others: Mapping[str, str]) -> list[str]:
    """Return the commands of a guide, in the order in which a reader meets them.

    A line that is indented goes on with the command above it.
    """
    text = "".join(blocks(guide, "console"))
    for word, other in others.items():
        text = re.sub(rf"\b{word}\b", other, text)
    lines = text.splitlines()
    assert lines, "the guide has no commands"
    found: list[str] = []
    for line in lines:
        if line.startswith("$ "):
            found.append(line.removeprefix("$ "))
        else:
            assert found, "the guide begins in the middle of a command"
            assert line.startswith("    "), "a block of commands holds what is none"
            found[-1] += f"\n{line}"
    return found


def blocks(guide: str, language: str) -> list[str]:
    """Return the blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
