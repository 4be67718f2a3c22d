"""One shape of a hand-in, and what it must get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.classes import CLASSES, ROOT

RIGHT = (CLASSES / "knn" / "ada-park" / "knn.py").read_bytes()
"""What gets 100 points."""
OTHER = (CLASSES / "knn" / "farah-haddad" / "knn.py").read_bytes()
"""What gets 90 points: an older version."""
STUB = (ROOT / "assignments" / "knn" / "knn.py").read_bytes()
"""What gets nothing, as it was received."""

Write = Callable[[Path, str], None]
"""Writes a hand-in into the folder of the class, for a student of that name."""


@dataclass(frozen=True)
class Shape:
    """How one student handed in the assignment.

    Attributes
    ----------
    student, person, number : str
        The student in the results, the name for people, and the platform's number.
    write : callable
        Writes it.
    score : float or None
        The points that it must get; None if somebody has to decide first.
    says : str
        A pattern that must be found in what the student's page says of it, whatever the case.
    """

    student: str
    person: str
    number: str
    write: Write
    score: float | None
    says: str


@dataclass
class Shapes:
    """The shapes of one module, numbered from `first`."""

    first: int
    found: list[Shape] = field(default_factory=list)

    def __call__(
        self, score: float | None = 100, says: str = "", *, student: str = "", person: str = ""
    ) -> Callable[[Write], Write]:
        """Return a decorator for the function that writes a shape; its name is that of the student."""

        def add(write: Write) -> Write:
            slug = student or write.__name__.replace("_", "-")
            called = person or slug.replace("-", " ").title()
            number = str(self.first + len(self.found))
            self.found.append(Shape(slug, called, number, write, score, says))
            return write

        return add


def put(path: Path, content: bytes = RIGHT) -> None:
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
