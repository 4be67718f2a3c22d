"""Copies of a course under other secrets, to see what depends on the secret."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from autograder.course import COURSE_FILE, Course


@contextlib.contextmanager
def with_new_secret(course: Course) -> Iterator[Course]:
    """Yield a course that is the same but for its secret, for the length of a ``with`` block."""
    with TemporaryDirectory(prefix="coursegrad-") as place:
        root = Path(place)
        shutil.copy(course.root / COURSE_FILE, root)
        for name in ("solutions", course.suites):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(course.root / name)
        yield Course.load(root)
