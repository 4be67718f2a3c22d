"""A course whose tests cost next to nothing, so that what is measured is the kit."""

from __future__ import annotations

from pathlib import Path

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment

MODULE = "import torch\n\n\ndef f(x):\n    return x\n\n\ndef length(x):\n    return len(x)\n"
TEST = '''import pytest
import torch
import measured


@pytest.mark.parametrize("n", range({count}))
@pytest.mark.task("all")
def test_f(n):
    """Returns its argument."""
    assert measured.f(n) == n
'''
ASSIGNMENT = """name = "measured"
title = "Measured"
modules = ["measured"]
[tiers]
"test_public.py" = "public"
[[tasks]]
id = "all"
title = "All"
points = 1
"""


def small_course(root: Path, count: int) -> tuple[Course, Assignment]:
    """Write a course whose tests cost next to nothing, and load it."""
    for path, text in {
        "course.toml": 'name = "Bench"\ntimezone = "UTC"\n',
        "solutions/measured/assignment.toml": ASSIGNMENT,
        "solutions/measured/measured.py": MODULE,
        "autograder/suites/measured/test_public.py": TEST.format(count=count),
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    course = Course.load(root)
    return course, assignments.load(course, "measured")
