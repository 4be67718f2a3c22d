"""The commands of a server's guide, run in order, in a course that is called otherwise."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.command import adopting_program

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTING = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)
PROGRAMS = {
    "docker": f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m tests.support.servers.docker "$@"',
    "python3": f'exec "{sys.executable}" "$@"',
}
"""What stands for the programs that a guide calls, besides `autograder`."""


def read(name: str) -> str:
    """Return the guide of a server."""
    return (ROOT / "docs" / "servers" / f"{name}.md").read_text(encoding="utf-8")


def settings_of(guide: str) -> set[str]:
    """Return the keys in the table of settings."""
    table = guide.partition("\n## Settings\n")[2].partition("\n## ")[0]
    return {key for row in SETTING.findall(table) for key in re.findall(r"\w+", row)}


def run(guide: str, course: Path, others: Mapping[str, str]) -> dict[str, str]:
    """Run every command of a guide, in order, in the folder of a course.

    Parameters
    ----------
    others : mapping of str to str
        Word of the guide to what stands for it here: the name of the assignment.

    Returns
    -------
    dict of str to str
        Each command to what it printed.
    """
    programs = course / ".programs"
    programs.mkdir()
    kit, descriptors = adopting_program()
    for program, command in {"autograder": f'exec {shlex.join(kit)} "$@"', **PROGRAMS}.items():
        file = programs / program
        file.write_text(f"#!/bin/sh\n{command}\n")
        file.chmod(0o755)
    env = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(course)}
    printed = {}
    text = "".join(BLOCK.findall(guide))
    for word, other in others.items():
        text = re.sub(rf"\b{word}\b", other, text)
    for line in text.splitlines():
        assert line.startswith("$ "), f"{line} is no command"
        command = line.removeprefix("$ ")
        done = subprocess.run(
            command,
            shell=True,
            cwd=course,
            env=env,
            pass_fds=descriptors,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        printed[command] = done.stdout
    assert printed, "the guide has no commands"
    return printed
