"""Brightspace, *Download*: ``53450-106236 - Ada Park - Nov 29, 2026 1030 AM/``, or a file of such a name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from autograder.platforms.interface import Download, Entry, Field, IsKnown, Platform, last_change

_NAME = re.compile(
    r"(?P<user>\d+)-\d+ - (?P<name>.+?) - (?P<time>\w{3,9}\.? \d{1,2}, \d{4} \d{3,4} [AP]M)"
    r"(?: - (?P<original>.+))?",
    re.DOTALL,
)


def _is_one(name: str, is_folder: bool) -> bool:
    """Tell whether Brightspace gave the name."""
    found = _NAME.fullmatch(name)
    return found is not None and (is_folder or bool(found["original"]))


def _entries(parts: Mapping[str, Path], is_known: IsKnown) -> Iterator[Entry]:
    """Yield every attempt of every student."""
    loose: dict[tuple[str, str, str], dict[str, Path]] = defaultdict(dict)
    for whole, path in parts.items():
        if found := _NAME.fullmatch(whole):
            user, name, time = found["user"], found["name"], found["time"]
            if found["original"]:
                loose[user, name, time][found["original"]] = path
            else:
                yield _entry(user, name, time, path, {})
    for (user, name, time), files in loose.items():
        yield _entry(user, name, time, None, files)


def _entry(user: str, name: str, time: str, folder: Path | None, files: dict[str, Path]) -> Entry:
    last = max(last_change(path) for path in ([folder] if folder else files.values()))
    order = (_moment(time), *last)
    return Entry((user, name), folder, files, called=f"{name}_{user}", name=name, order=order)


def _moment(time: str) -> str:
    """Return a time as text that sorts; nothing where its month is in another language."""
    date, _, clock = time.rpartition(", ")
    year, digits, half = clock.split()
    try:
        text = f"{date}, {year} {digits.zfill(4)} {half}"
        return datetime.strptime(text.replace(".", ""), "%b %d, %Y %I%M %p").isoformat()
    except ValueError:
        return ""


PLATFORM = Platform(
    "Brightspace",
    Download("a Brightspace download", _is_one, _entries),
    aliases={Field.number: ("OrgDefinedId",)},
)
