"""The command line as a process that need not import PyTorch: it asks the fork servers of the tests.

A command starts fork servers of its own, which takes some seconds of processor time. Whoever tests what a
command does, and not how it starts, can spare them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.engine.launcher import HOSTS, ZYGOTES
from tests.support.waiting import PATIENCE

_PROGRAM = """
import sys
from autograder.engine.launcher import HOSTS, ZYGOTES
for launcher in (HOSTS, ZYGOTES):
    launcher.adopt(int(sys.argv.pop(1)))
from autograder.commands.main import main
main()
"""


def adopting_program() -> tuple[list[str], list[int]]:
    """Return the words that begin such a command, and the descriptors that it has to inherit."""
    descriptors = [HOSTS.control(), ZYGOTES.control()]
    return [sys.executable, "-P", "-c", _PROGRAM, *map(str, descriptors)], descriptors


def run_command(
    words: Iterable[object], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``autograder`` with these words, and return how it ended and what it said."""
    program, descriptors = adopting_program()
    return subprocess.run(
        [*program, *map(str, words)],
        pass_fds=descriptors,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        env=env,
        cwd=cwd,
    )
