"""What a student handed in, and a class of it, in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Submission:
    """What one student handed in, as bytes; nothing of it is read from disk again.

    Attributes
    ----------
    student : str
        Safe as a file name, unique within the class.
    path : Path
        The folder or file it came from, for messages.
    files : Mapping of str to bytes
        File name, such as ``"knn.py"``, to its content.
    problem : str or None
        Why it cannot run: ``"knn.py is missing."``
    notes : tuple of str
        Plain sentences that do not stop it from running.
    name : str
        Name for people to read, if the folder or the roster tells one.
    earlier : tuple of Submission
        What the same student handed in before, the oldest first.
    """

    student: str
    path: Path
    files: Mapping[str, bytes] = field(default_factory=dict)
    problem: str | None = None
    notes: tuple[str, ...] = ()
    name: str = ""
    earlier: tuple[Submission, ...] = ()

    @property
    def hashes(self) -> dict[str, str]:
        """Name of each file to the SHA-256 of its bytes, in hexadecimal."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in self.files.items()}

    @property
    def attempts(self) -> list[str]:
        """A SHA-256 for everything that the student handed in, the oldest first; empty if it was one."""
        if not self.earlier:
            return []
        return [
            hashlib.sha256(repr((sorted(one.hashes.items()), one.problem)).encode()).hexdigest()
            for one in (*self.earlier, self)
        ]


@dataclass(frozen=True)
class Handin:
    """A class.

    Attributes
    ----------
    submissions : tuple of Submission
        In order of students.
    notes : tuple of str
        Sentences about what was left out, or is not as the roster says.
    layout : str
        What the folder was taken for: ``"a Canvas download"``.
    """

    submissions: tuple[Submission, ...]
    notes: tuple[str, ...] = ()
    layout: str = ""
