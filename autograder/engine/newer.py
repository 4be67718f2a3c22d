"""Files for a newer Python: an installed newer Python compiles them without running them."""

from __future__ import annotations

import functools
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from helpers.source import decoding
from helpers.submission.problems import Problem

NEWER: Final = "newer"
_LATEST: Final = 20
"""The first minor version that is not looked for: there is a new one a year."""
_SECONDS: Final = 10
"""For Python to start and compile one file; a hostile file may take for ever."""
_MEMORY: Final = 1 << 30
"""Bytes of address space: enough to compile a file of any size that can be handed in."""
_LINE_LENGTH: Final = 500
"""Characters of a line to search: patterns take long on a long line, and nobody writes new syntax in one."""
_SYNTAX: Final = (
    r"^\s*type\s+\w+(\[.*\])?\s*=",
    r"^\s*(async\s+)?def\s+\w+\s*\[",
    r"^\s*class\s+\w+\s*\[",
    r"^\s*except\*?\s+\w+(\.\w+)*\s*,",
    r"\b[tT][rR]?['\"]",
    r"[fF][rR]?(['\"]).*\{.*(\1|\\).*\}",
)
"""Lines that Python 3.12, 3.13 and 3.14 learned to read, as far as a line tells."""
_READER: Final = decoding.__file__


def find_python(source: bytes, problem: Problem) -> str:
    """Return the newer Python that a file is written for: ``"3.13"``, ``"newer"``, or empty if none is.

    Parameters
    ----------
    source : bytes
        The file, hostile or not.
    problem : Problem
        Why this Python does not understand it.
    """
    for version, program in find_pythons().items():
        if _understands(program, source):
            return version
    looks_new = any(re.search(pattern, problem.code[:_LINE_LENGTH]) for pattern in _SYNTAX)
    return NEWER if looks_new and not find_pythons() else ""


def describe(version: str) -> str:
    """Say what a file is written for, and what graded it."""
    needed = f"Python {version}" if version != NEWER else "a newer Python, apparently"
    here = "{}.{}".format(*sys.version_info)
    return f"The file is written for {needed}, and Python {here} grades"


@functools.cache
def find_pythons() -> dict[str, str]:
    """Return the newer Pythons that are installed here: version to program, the oldest first."""
    found = {}
    for minor in range(sys.version_info.minor + 1, _LATEST):
        pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        places = sorted(map(str, pyenv.glob(f"3.{minor}.*/bin/python3.{minor}")))
        on_path = shutil.which(f"python3.{minor}")
        for program in (*reversed(places), *([on_path] if on_path else [])):
            if _is_python(program, minor):
                found[f"3.{minor}"] = program
                break
    return found


def _is_python(program: str, minor: int) -> bool:
    """Tell whether a program is that Python: shims of version managers may lead nowhere."""
    command = [program, "-I", "-S", "-c", "import sys; print(sys.version_info[1])"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False, env={}, cwd="/")
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.strip() == str(minor).encode()


def _understands(program: str, source: bytes) -> bool:
    """Have another Python compile a file, in a process that may do little; nothing of the file runs."""
    try:
        answer = subprocess.run(
            [program, "-I", "-S", "-B", _READER],
            input=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            timeout=_SECONDS,
            check=False,
            start_new_session=True,
            preexec_fn=_limit_process,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.returncode == 0


def _limit_process() -> None:
    """Limit time, memory and files of a process that reads a hostile text."""
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
