"""Blackboard, *Assignment File Download*: ``kNN_apark_attempt_2026-11-29-10-30-00_knn.py`` for each file.

Each attempt has a receipt without a file's name, ``…-10-30-00.txt``, which also holds what was typed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.intake.entries import Entry

TITLE = "a Blackboard download"
_FILE = re.compile(
    r"(?P<title>.+)_(?P<user>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<original>.+)|\.txt)", re.DOTALL
)


def is_one(name: str, is_folder: bool) -> bool:
    """Tell whether Blackboard gave the name."""
    return not is_folder and _FILE.fullmatch(name) is not None


def entries(parts: Mapping[str, Path]) -> Iterator[Entry]:
    """Yield every attempt of every student.

    Parameters
    ----------
    parts : mapping of str to Path
        The names that Blackboard gave, to files.
    """
    attempts: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for name, path in parts.items():
        if found := _FILE.fullmatch(name):
            attempts[found["user"], found["time"]][found["original"] or "receipt.txt"] = path
    for (user, time), files in attempts.items():
        yield Entry((user,), files=files, order=(time,))
