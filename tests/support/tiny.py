"""A course of one small assignment, so that tests of the engine need no real suite."""

from __future__ import annotations

from pathlib import Path

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.intake import Submission

COURSE = 'name = "Tiny"\ntimezone = "UTC"\n'

ASSIGNMENT = """
name = "tiny"
title = "Tiny"
modules = ["tiny_module"]

[limits]
cpu_seconds = 1
wall_seconds = 10
memory_mb = 256

[tiers]
"test_public.py" = "public"
"test_hidden.py" = "hidden"

[[tasks]]
id = "double"
title = "Double a tensor"
points = 6

[[tasks]]
id = "table"
title = "Keep a table"
points = 4
"""

REFERENCE = '''"""The reference of the tiny assignment."""


def double(x):
    """Return twice x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


class Table:
    """A table."""

    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        """Keep a value."""
        ### BEGIN SOLUTION
        self.rows[name] = value
        ### END SOLUTION
'''

PUBLIC = '''import pytest
import torch

import tiny_module
from tiny_module import double
from helpers.testing import checks


@pytest.mark.task("double", weight=2)
def test_double():
    """Doubles a small tensor."""
    checks.close(double(torch.ones(3)), 2 * torch.ones(3), what="double(x)")


@pytest.mark.task("table")
def test_table():
    """Keeps what was added."""
    table = tiny_module.Table()
    table.add("a", 1)
    assert table.rows["a"] == 1
'''

HIDDEN = '''import pytest
import torch

import tiny_module
from helpers.testing import checks, constraints, evidence

SECRET = torch.tensor([31337.0, 4242.0])


@pytest.mark.task("double", weight=2)
def test_double_hidden():
    """Doubles another tensor."""
    checks.close(tiny_module.double(SECRET), 2 * SECRET, what="double(x)")


@pytest.mark.task("double")
@pytest.mark.constraint
def test_no_loop():
    """Uses no loop."""
    tiny_module.double(SECRET)
    constraints.require(tiny_module.double, loops=0)
    few = evidence.measure(tiny_module.double, torch.ones(2, 2))
    many = evidence.measure(tiny_module.double, torch.ones(50, 2))
    checks.holds(many.operations == few.operations, what="double(x)", problem="does more work for more rows")


@pytest.mark.task("table")
def test_table_hidden():
    """Keeps two things."""
    table = tiny_module.Table()
    table.add("a", SECRET)
    table.add("b", 2)
    checks.equal(len(table.rows), 2, what="the table's length")
'''

STUB = REFERENCE.replace("    return 2 * x\n", '    raise NotImplementedError("double")\n').replace(
    "        self.rows[name] = value\n", '        raise NotImplementedError("table")\n'
)


def write_course(root: Path, *, public: str = PUBLIC, hidden: str = HIDDEN) -> tuple[Course, Assignment]:
    """Write the course into a folder and load it."""
    for path, text in {
        "course.toml": COURSE,
        "solutions/tiny/assignment.toml": ASSIGNMENT,
        "solutions/tiny/tiny_module.py": REFERENCE,
        "autograder/suites/tiny/test_public.py": public,
        "autograder/suites/tiny/test_hidden.py": hidden,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    course = Course.load(root)
    return course, assignments.load(course, "tiny")


def submission(source: str, student: str = "ada") -> Submission:
    """Return a submission of one module."""
    return Submission(student, Path(student), {"tiny_module.py": source.encode()})
