"""Siblings: other Python files beside the modules of a hand-in, which the modules may import."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath
from typing import NamedTuple

from autograder.intake.files.members import Member
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search import encodings, file_names
from autograder.intake.search.wanted import Wanted

MAX_FILES, MAX_BYTES, MAX_DEPTH = 50, 1_000_000, 3
_KIT = frozenset({"submission/handout.py", "notebook/runner.py", "testing/checks.py"})
_EARLIER = frozenset({"handout.py", "runner.py", "checks.py"})
"""What the package `helpers` of a release holds, and held before it had rooms."""


class Siblings(NamedTuple):
    """What was read: files by path from the folder, where they lie, and sentences about them."""

    files: dict[str, bytes]
    places: list[PurePosixPath]
    notes: list[str]


def read(
    members: Collection[Member], folder: PurePosixPath, taken: Collection[PurePosixPath], wanted: Wanted
) -> Siblings:
    """Read the Python files in a folder and in packages below it.

    Tests, settings, files that are candidates for the modules themselves, a copy of the kit's own `helpers`,
    and what cannot be read are left out. There is a limit of number and size.
    """
    kit = {
        folder
        for one in members
        for folder in one.path.parents
        if folder.name == "helpers" and one.path.relative_to(folder).as_posix() in _KIT | _EARLIER
    }
    found = Siblings({}, [], [])
    left = MAX_BYTES
    for member in members:
        if len(found.files) >= MAX_FILES:
            break
        if (
            member.path in taken
            or not _is_one(member, folder, wanted)
            or not kit.isdisjoint(member.path.parents)
        ):
            continue
        try:
            content, said = encodings.as_utf8(member.shown, member.read())
        except Unreadable as error:
            found.notes.append(f"{error} It was left out.")
            continue
        if len(content) <= left:
            left -= len(content)
            found.files[str(member.path.relative_to(folder))] = content
            found.places.append(member.path)
            found.notes.extend([said] if said else [])
    return found


def _is_one(member: Member, folder: PurePosixPath, wanted: Wanted) -> bool:
    if not member.path.is_relative_to(folder) or not member.name.endswith(".py"):
        return False
    inner = member.path.relative_to(folder)
    can_be_imported = all(part.isidentifier() for part in (*inner.parts[:-1], inner.stem))
    return (
        can_be_imported
        and len(inner.parts) <= MAX_DEPTH
        and not file_names.is_test(member.name)
        and not any(file_names.measure_likeness(member.name, file) for file in wanted.files)
    )
