"""Members: the files of a hand-in, wherever they lie, listed once and read when somebody asks for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from autograder.intake.files import snapshot
from autograder.intake.files.snapshot import Unreadable
from autograder.untrusted import line
from helpers.submission.sizes import size_limit

MAX_SHOWN = 80
"""Characters of a file's name or path that messages show at most."""

Fetch = Callable[[str, int], bytes]
"""Takes what messages call a file, and how many bytes it may have; returns them or raises Unreadable."""

_DRIVE = re.compile(r"[A-Za-z]:")
_VENV = "pyvenv.cfg"


@dataclass(frozen=True)
class Member:
    """One file of a hand-in.

    Attributes
    ----------
    path : PurePosixPath
        Where it lies below the top of the hand-in; an archive in it counts as a folder.
    fetch : Fetch
        Reads it.
    modified : float
        When it was changed, in seconds since 1970; 0 where nobody knows.
    """

    path: PurePosixPath
    fetch: Fetch
    modified: float = 0.0

    @property
    def name(self) -> str:
        """Its name, without folders."""
        return self.path.name

    @property
    def shown(self) -> str:
        """What messages call it."""
        return shorten_path(str(self.path))

    def read(self, limit: int | None = None) -> bytes:
        """Return its bytes.

        Raises
        ------
        Unreadable
            It is not a regular file, too large, damaged, or packed in a way that is refused.
        """
        return self.fetch(self.shown, size_limit(self.name) if limit is None else limit)

    def below(self, folder: PurePosixPath) -> Member:
        """Return it as it is called from above `folder`."""
        return replace(self, path=folder / self.path)


def shorten_path(text: str) -> str:
    """Return a name or path for messages: on one line, without hidden characters, not longer than a line."""
    plain = line(text)
    return plain if len(plain) <= MAX_SHOWN else f"{plain[: MAX_SHOWN - 21]}…{plain[-20:]}"


def enumerate_names(names: Iterable[str], at_most: int = 5) -> str:
    """Return names as a list in a sentence, the first few of them."""
    listed = list(names)
    if len(listed) > at_most:
        return f"{', '.join(listed[:at_most])} and {len(listed) - at_most} more"
    return " and ".join(filter(None, [", ".join(listed[:-1]), *listed[-1:]]))


def list_names(names: Iterable[str], at_most: int = 5) -> str:
    """Return names with commas between them, the first few of them."""
    them = list(names)
    more = f" and {len(them) - at_most} more" if len(them) > at_most else ""
    return ", ".join(them[:at_most]) + more


def limit_names(sentences: Iterable[str], at_most: int = 3) -> list[str]:
    """Return the first of some sentences, and how many more there are."""
    them = list(sentences)
    more = [f"The same is true of {len(them) - at_most} more files."] if len(them) > at_most else []
    return [*them[:at_most], *more]


def normalize_path(text: str, what: str) -> PurePosixPath:
    """Return the path of a member of an archive.

    Raises
    ------
    Unreadable
        It leads out of the archive.
    """
    # Some programs of Windows separate folders by backslashes.
    plain = text.replace("\\", "/")
    path = PurePosixPath(plain)
    if path.is_absolute() or ".." in path.parts or _DRIVE.match(plain) or not path.parts:
        raise Unreadable(f"The {what} holds a path that leads out of it; pack the files again.")
    return path


def without_clutter(members: Sequence[Member]) -> list[Member]:
    """Return the members that a student may have written, the ones at the top first.

    What operating systems and editors leave behind is left out, and virtual environments are.
    """
    venvs = {member.path.parent for member in members if member.name == _VENV} - {PurePosixPath(".")}
    kept = [
        member
        for member in members
        if not any(map(snapshot.is_clutter, member.path.parts)) and venvs.isdisjoint(member.path.parents)
    ]
    return sorted(kept, key=lambda member: (len(member.path.parts), member.path.parts))
