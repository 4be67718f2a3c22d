"""Blackboard, *Assignment File Download*: ``kNN_apark_attempt_2026-11-29-10-30-00_knn.py`` for each file.

Each attempt has a receipt without a file's name, ``…-10-30-00.txt``, which also holds what was typed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.platforms.interface import Download, Entry, IsKnown, Platform

_FILE = re.compile(
    r"(?P<title>.+)_(?P<user>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<original>.+)|\.txt)", re.DOTALL
)


def _is_one(name: str, is_folder: bool) -> bool:
    """Tell whether Blackboard gave the name."""
    return not is_folder and _FILE.fullmatch(name) is not None


def _entries(parts: Mapping[str, Path], is_known: IsKnown) -> Iterator[Entry]:
    """Yield every attempt of every student."""
    attempts: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for name, path in parts.items():
        if found := _FILE.fullmatch(name):
            attempts[found["user"], found["time"]][found["original"] or "receipt.txt"] = path
    for (user, time), files in attempts.items():
        yield Entry((user,), files=files, order=(time,))


PLATFORM = Platform("Blackboard", Download("a Blackboard download", _is_one, _entries))
