"""A student's submission, and those of a class, in memory."""

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
        Path below the folder of the modules, such as ``"knn.py"``, to its content: modules, saved weights,
        and other Python files that lie beside the modules, which these may import.
    problem : str or None
        Why nothing of it can run: ``"knn.py is missing."``
    broken : Mapping of str to str
        File name of each module that is missing or cannot be read, to a sentence that says so. The others are
        graded, with the stub in the place of these.
    notebook : bytes or None
        The notebook that was handed in, for answers that people read.
    undecided : tuple of str
        What an instructor has to choose from before this submission can be graded; empty as a rule. Then
        `problem` says so.
    stale : tuple of str
        Files that an instructor has chosen, and that are not there.
    notes : tuple of str
        Plain sentences that do not stop it from running.
    absent : bool
        Whether nothing was handed in: the student is on the roster, and nowhere in the class folder.
    excused : bool
        Whether the student need not hand in, as the roster says, and did not.
    taken : Mapping of str to str
        File name of each module that was not where, or not called as, it should be, to where it was found.
    name : str
        Name for people to read, if the folder or the roster tells one.
    earlier : tuple of Submission
        What the same student handed in before, the oldest first.
    key : str
        Name of the entry of the class folder under which decisions about it are kept.
    entries : tuple of str
        Names of its entries in the class folder.
    names : frozenset of str
        Every name by which people may speak of it, besides `student`.
    alias : str
        What `student` is where there is no roster.
    listing : tuple of str
        Paths of the files in it.
    open : Mapping of str to tuple of str
        File that is asked for to the candidates, where somebody has to choose; `undecided` is all of them.
    """

    student: str
    path: Path
    files: Mapping[str, bytes] = field(default_factory=dict)
    problem: str | None = None
    broken: Mapping[str, str] = field(default_factory=dict)
    notebook: bytes | None = None
    undecided: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    absent: bool = False
    excused: bool = False
    taken: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    earlier: tuple[Submission, ...] = ()
    key: str = field(default="", compare=False)
    entries: tuple[str, ...] = field(default=(), compare=False)
    names: frozenset[str] = field(default=frozenset(), compare=False)
    alias: str = field(default="", compare=False)
    listing: tuple[str, ...] = field(default=(), compare=False)
    open: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
class ClassHandin:
    """A class.

    Attributes
    ----------
    submissions : tuple of Submission
        In order of students.
    notes : tuple of str
        Sentences about what was left out, or is not as the roster says.
    layout : str
        What the folder was taken for: ``"a Canvas download"``.
    stale : tuple of str
        Those of the notes that are about decisions which fit nothing.
    others : tuple of str
        Entries that belong to no student.
    """

    submissions: tuple[Submission, ...]
    notes: tuple[str, ...] = ()
    layout: str = ""
    stale: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
