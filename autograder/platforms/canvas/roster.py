"""Canvas' gradebook as a roster: its columns, and its rows that are nobody."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.platforms.interface import Field, RosterFormat, RowKind

_COLUMNS = {
    Field.name: ("Student",),
    Field.last: ("LastName",),
    Field.first: ("FirstName",),
    Field.id: ("ID",),
    Field.login: ("SIS Login ID",),
    Field.number: ("SIS User ID", "Integration ID"),
    Field.section: ("Section",),
}
ALIASES = {Field.id: ("Canvas ID", "Canvas user ID")}
"""How tables that people write call what Canvas knows somebody by."""
_POINTS_POSSIBLE = "points possible"
_POSTING = re.compile(r"\s*(muted|manual posting.*)\s*", re.IGNORECASE)
"""What Canvas writes under assignments whose grades are not posted, into a row that names nobody."""
_TEST_STUDENTS = frozenset({"student, test", "test student", "test, student"})


def is_own(header: Sequence[str]) -> bool:
    """Tell whether a header is that of Canvas' gradebook: to the letter, it is the same in all languages."""
    is_named = "Student" in header or {"LastName", "FirstName"} <= set(header)
    return is_named and "ID" in header and not {"Section", "SIS Login ID", "SIS User ID"}.isdisjoint(header)


def kind(name: str, cells: Sequence[str], is_labeled: bool) -> RowKind:
    """Say what a row stands for."""
    if name.startswith(_POINTS_POSSIBLE):
        return RowKind.points_possible
    if not is_labeled and any(map(_POSTING.fullmatch, cells)):
        return RowKind.remark
    return RowKind.test_student if name in _TEST_STUDENTS else RowKind.student


FORMAT = RosterFormat(
    _COLUMNS,
    is_own=is_own,
    roles=frozenset({"instructor", "ta", "teacher", "grader", "observer", "designer"}),
    kind=kind,
    is_last_name_first=True,
)
