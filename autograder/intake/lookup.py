"""Find the hand-in that a person means, by any name that they may know it by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder import platforms
from autograder.errors import ConfigError
from autograder.intake.owners import compose
from autograder.intake.roster import Roster
from autograder.intake.submission import ClassHandin, Submission
from autograder.untrusted import line

_ANONYMOUS = tuple(one.anonymous for one in platforms.downloads() if one.anonymous)
"""How the names of hand-ins begin that are graded anonymously."""
_SHOWN = 3


def find(handin: ClassHandin, text: str, roster: Roster | None = None) -> list[Submission]:
    """Return the attempts of the student who is meant, the oldest first; nothing if nobody is.

    The name of an entry of the class folder goes first, and means that attempt only. Then comes what results
    are called in this run, what they are called without a roster, and whom the roster knows by the name.

    Raises
    ------
    ConfigError
        Several students could be meant.
    """
    wanted = line(compose(text))
    attempts = [one for whole in handin.submissions for one in (*whole.earlier, whole) if not one.absent]
    person = roster.find(compose(text)) if roster is not None else None
    for found in (
        [one for one in attempts if wanted in map(compose, one.entries)],
        [one for one in attempts if compose(one.student) == wanted],
        [one for one in attempts if compose(one.alias) == wanted],
        [one for one in attempts if wanted in map(compose, one.names)],
        [one for one in attempts if person is not None and one.student == person.student],
    ):
        if len({one.student for one in found}) > 1:
            remedy = f"choose one of: {'; '.join(one.key for one in found)}"
            raise ConfigError("map", f"{wanted} is the name of several hand-ins", remedy)
        if found:
            return found
    return []


def require_match(handin: ClassHandin, folder: Path, roster: Roster | None) -> None:
    """Refuse a roster that knows nobody of a class: it is another one's. Anonymous hand-ins do not count.

    Raises
    ------
    ConfigError
        There are two hand-ins or more, and none is of a student on the roster.
    """
    named = [
        one.student for one in handin.submissions if not one.absent and not one.alias.startswith(_ANONYMOUS)
    ]
    known = [one.student for one in roster.people] if roster is not None else named
    if len(named) < 2 or roster is None or not set(named).isdisjoint(known):
        return
    found = f"none of the {len(named)} hand-ins in {folder} is of a student on it ({_some(named)})"
    remedy = f"expected some of: {_some(known)}; name the roster of this class with --roster"
    raise ConfigError(str(roster.path), found, f"{remedy}, or say whose they are: autograder map --help")


def _some(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "; ".join([*names[:_SHOWN], *more])


def on_roster(roster: Roster, text: str, theirs: Sequence[Submission] = ()) -> str:
    """Return what the results of a student are called whom a person named.

    Parameters
    ----------
    theirs : sequence of Submission
        Hand-ins that are called by that name.

    Raises
    ------
    ConfigError
        The student is not on the roster.
    """
    person = roster.find(compose(text), *(one.student for one in theirs))
    if person is None:
        known = [one.student for one in roster.people]
        more = f" or {len(known) - 10} more" if len(known) > 10 else ""
        remedy = f"choose one of: {'; '.join(known[:10])}{more}"
        raise ConfigError(str(roster.path), f"no student on it is called {line(text)}", remedy)
    return person.student
