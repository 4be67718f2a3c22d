"""Candidates for a file that an assignment asks for: how good each is, and which one to grade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import PurePosixPath

from autograder.intake.files.members import shorten_path
from autograder.intake.search.file_names import Likeness


class Worth(IntEnum):
    """What is in a candidate; the best has the highest number."""

    hollow = 0
    """None of the functions that are asked for."""
    stub = 1
    """What students received."""
    work = 2


@dataclass(frozen=True)
class Candidate:
    """A file that may be the one that is asked for.

    Attributes
    ----------
    path : PurePosixPath
        Where it lies in the hand-in.
    content : bytes
        What would be graded.
    likeness : Likeness or None
        How near its name is; None if it is a candidate for what it holds.
    worth : Worth
        What is in it.
    key : object
        Equal for candidates that give the same.
    notes : tuple of str
        What the student should know if it is taken.
    from_notebook : bool
        Whether the content is put together from the cells of a notebook.
    is_whole : bool
        Whether it defines at least half of what is asked for.
    """

    path: PurePosixPath
    content: bytes
    likeness: Likeness | None
    worth: Worth = Worth.work
    key: object = None
    notes: tuple[str, ...] = ()
    from_notebook: bool = False
    is_whole: bool = True

    @property
    def shown(self) -> str:
        """What messages call it."""
        return shorten_path(str(self.path))


@dataclass(frozen=True)
class Choice:
    """Which candidate is meant.

    Attributes
    ----------
    taken : Candidate or None
        The one, if there is no doubt.
    open : tuple of Candidate
        Those that a person has to choose from.
    others : tuple of Candidate
        Those that were passed over.
    is_decided : bool
        Whether a person has chosen it.
    """

    taken: Candidate | None = None
    open: tuple[Candidate, ...] = ()
    others: tuple[Candidate, ...] = field(default=())
    is_decided: bool = False


def choose(candidates: Sequence[Candidate], assignment: str) -> Choice:
    """Choose among candidates where there is no doubt.

    What holds work is preferred to stubs, and these to files without any of the functions. Candidates that
    give the same count as one. A file of the exact name is preferred to others in folders below its own, and
    to what is called a copy beside it; so is the one in a folder that is called as the assignment is.
    """
    if not candidates:
        return Choice()
    best = max(one.worth for one in candidates)
    left = _distinct([one for one in candidates if one.worth == best])
    chosen = left if len(left) == 1 else [one for one in left if _prevails(one, left)]
    if not chosen:
        chosen = [
            one for one in left if one.likeness is Likeness.exact and one.path.parent.name == assignment
        ]
    if len(chosen) != 1:
        return Choice(open=tuple(left))
    return Choice(chosen[0], others=tuple(one for one in left if one is not chosen[0]))


def _distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return one of those that give the same: the best named, then the one nearest to the top."""
    found: dict[object, Candidate] = {}
    for one in sorted(candidates, key=_place):
        found.setdefault(one.content if one.key is None else one.key, one)
    return list(found.values())


def _place(one: Candidate) -> tuple[int, int, str]:
    return -(one.likeness or 0), len(one.path.parts), str(one.path)


def _prevails(one: Candidate, candidates: Sequence[Candidate]) -> bool:
    if one.likeness is not Likeness.exact:
        return False
    return all(_is_beyond_doubt(one, other) for other in candidates if other is not one)


def _is_beyond_doubt(one: Candidate, other: Candidate) -> bool:
    """Tell whether a file of the exact name is meant rather than another."""
    if one.path.parent == other.path.parent:
        return other.likeness is Likeness.older
    return one.path.parent in other.path.parents
