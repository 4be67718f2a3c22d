"""Submissions: what students handed in, read safely into memory."""

from __future__ import annotations

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
    """

    student: str
    path: Path
    files: Mapping[str, bytes] = field(default_factory=dict)
    problem: str | None = None
    notes: tuple[str, ...] = ()
