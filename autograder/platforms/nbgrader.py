"""nbgrader: its course folder, with ``submitted/STUDENT/``, and what `nbgrader db student import` reads."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.platforms.interface import Export, Field, Platform, RosterFormat

_FOLDER = "submitted"
_BESIDE = frozenset({"source", "release", "gradebook.db", "nbgrader_config.py", "autograded"})
_COLUMNS = {
    Field.login: ("id",),
    Field.first: ("first_name",),
    Field.last: ("last_name",),
    Field.email: ("email",),
    Field.id: ("lms_user_id",),
}


def _is_course(names: Sequence[str]) -> bool:
    """Tell whether a folder that holds these is nbgrader's, or leads to what was collected with it."""
    return _FOLDER in names and (len(names) == 1 or not _BESIDE.isdisjoint(names))


def _is_own(header: Sequence[str]) -> bool:
    return {"id", "first_name", "last_name"} <= set(header)


PLATFORM = Platform(
    "nbgrader",
    export=Export("an nbgrader course folder", _is_course, folder=_FOLDER),
    roster=RosterFormat(_COLUMNS, is_own=_is_own),
)
