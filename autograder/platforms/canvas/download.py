"""Canvas, *Download Submissions*: ``parkada_LATE_4711_90001_knn.py``, all files in one folder.

The name is the student's or the group's, in small letters, and may hold underscores and digits; then come the
ids of user and file. In anonymous grading it is ``anon``, and the id of the user may hold letters.
A text that was typed into the browser arrives as ``parkada_4711_text.html``.
"""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.platforms.interface import Download, Entry, IsKnown

_IDS = re.compile(r"(?=_(?:(?P<late>LATE)_)?(?P<user>\d+)_(?P<file>\d+)_(?P<original>.+))", re.DOTALL)
_ANONYMOUS = re.compile(
    r"(?:(?P<early>LATE)_)?anon_(?:(?P<late>LATE)_)?(?P<user>[A-Za-z0-9]{1,20})_(?P<file>\d+)_(?P<original>.+)",
    re.DOTALL,
)
_TYPED = re.compile(
    r"(?P<name>.+?)_(?:(?P<late>LATE)_)?(?P<user>[A-Za-z0-9]+)_(?P<original>(?:text|link)\.html)"
)
_AGAIN = re.compile(r"(?P<stem>.+)-(?P<number>\d+)(?P<suffix>(?:\.\w+)+)")
_ANON = "anon"
_SHORT = 4
"""Digits from which on two numbers side by side are likely ids."""


@dataclass(frozen=True)
class Attachment:
    """What the name of a file says.

    Attributes
    ----------
    name : str
        The student's or group's; empty if it is anonymous.
    user, file : str
        Ids; a text that was typed has none of a file.
    original : str
        The name that the student gave.
    is_late : bool
        Whether Canvas says so.
    """

    name: str
    user: str
    file: str
    original: str
    is_late: bool


def readings(name: str) -> list[Attachment]:
    """Return what the name of a file may mean, the shortest name of a student first.

    Examples
    --------
    >>> [one.name for one in readings("team_7_4711_90001_knn.py")]
    ['team', 'team_7']
    """
    if found := _ANONYMOUS.fullmatch(name):
        is_late = bool(found["early"] or found["late"])
        return [Attachment("", found["user"], found["file"], found["original"], is_late)]
    listed = [
        Attachment(name[: ids.start()], ids["user"], ids["file"], ids["original"], bool(ids["late"]))
        for ids in _IDS.finditer(name)
        if ids.start()
    ]
    if not listed and (typed := _TYPED.fullmatch(name)):
        anonymous = re.fullmatch(r"(?:LATE_)?anon", typed["name"])
        if anonymous or typed["user"].isdigit():
            who = "" if anonymous else typed["name"]
            is_late = bool(typed["late"]) or typed["name"].startswith("LATE_")
            listed = [Attachment(who, typed["user"], "", typed["original"], is_late)]
    return listed


def parse(names: Iterable[str], is_known: IsKnown) -> dict[str, Attachment]:
    """Return what the names of a download mean; names that are none of Canvas' are left out.

    Where a name can be read in several ways, the one counts whose user is on the roster, else the one whose
    file id is as long as in names that can be read in one way only, else the first with two long numbers.

    Parameters
    ----------
    is_known : callable
        Tells whether somebody on the roster has an id.
    """
    possible = {name: found for name in names if (found := readings(name))}
    lengths = [len(found[0].file) for found in possible.values() if len(found) == 1 and found[0].file]
    usual = statistics.median(lengths) if lengths else None
    return {name: _likely(found, usual, is_known) for name, found in possible.items()}


def _likely(found: Sequence[Attachment], usual: float | None, is_known: IsKnown) -> Attachment:
    def doubt(one: Attachment) -> tuple[bool, float, int]:
        unusual = abs(len(one.file) - usual) if usual is not None else 0.0
        return not is_known(one.user), unusual, -min(len(one.user), len(one.file), _SHORT)

    return min(found, key=doubt)


def _is_one(name: str, is_folder: bool) -> bool:
    """Tell whether Canvas gave the name; it makes no folders."""
    return not is_folder and bool(readings(name))


def _entries(parts: Mapping[str, Path], is_known: IsKnown) -> Iterator[Entry]:
    """Yield the attempts of all students: a file that was handed in again carries a number, ``knn-1.py``."""
    by_user: dict[str, dict[Attachment, Path]] = defaultdict(dict)
    for name, one in parse(parts, is_known).items():
        by_user[one.user][one] = parts[name]
    for user, files in by_user.items():
        yield from _attempts(user, files)


def _attempts(user: str, attached: Mapping[Attachment, Path]) -> Iterator[Entry]:
    numbered: dict[int, dict[str, Path]] = defaultdict(dict)
    for one, path in attached.items():
        again = _AGAIN.fullmatch(one.original)
        number = int(again["number"][:9]) if again else 0
        numbered[number][f"{again['stem']}{again['suffix']}" if again else one.original] = path
    name = next((one.name for one in attached), "")
    notes = ("Canvas marks it as late.",) if any(one.is_late for one in attached) else ()
    files: dict[str, Path] = {}
    for number in sorted(numbered):
        files = files | numbered[number]
        yield Entry(
            (user, name) if name else (user,),
            files=files,
            called=f"{name or _ANON}_{user}",
            name=name,
            order=(number,),
            notes=notes,
        )


DOWNLOAD = Download("a Canvas download", _is_one, _entries, anonymous=f"{_ANON}_")
