"""A course with one assignment that can be released, and what must not leak from it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.release import tree
from autograder.release.tree import Tree
from autograder.scoring import PlannedTest

COURSE = '[release]\nrepository = "uni/course"\ntag = "v1"\n'

ASSIGNMENT = """\
name = "shapes"
title = "Shapes"
modules = ["shapes"]

[tiers]
"test_public.py" = "public"
"test_hidden.py" = "hidden"

[[tasks]]
id = "area"
title = "The area"
points = 10

[[tasks]]
id = "table"
title = "A table"
points = 2.5

[[questions]]
id = "why"
title = "Why the area"
points = 5
"""

MODULE = '''\
"""Shapes of all kinds."""


def area(width, height):
    """Return the area of a rectangle."""
    ### BEGIN SOLUTION
    product = width * height  # the sides are at right angles
    # rounding would lose what later steps need

    return abs(product)
    ### END SOLUTION


class Table:
    """A table of shapes."""

    def add(self, shape):
        """Keep a shape."""
        ### BEGIN SOLUTION
        self.rows_of_shapes.append(tuple(shape))
        ### END SOLUTION
'''

NOTEBOOK = """\
---
jupytext:
  text_representation:
    format_name: myst
---

# Shapes

[badge](https://colab.research.google.com/github/{{repository}}/blob/{{tag}}/assignments/shapes/shapes.ipynb)

```{code-cell} ipython3
import shapes
```

```{code-cell} ipython3
shapes.Table
```

+++ {"nbgrader": {"grade": true, "solution": true, "grade_id": "why", "points": 5}}

**Why?**

<!-- BEGIN SOLUTION -->
The area grows with both of its sides,
so that doubling them makes it four times as large.
<!-- END SOLUTION -->
"""

PUBLIC = '''\
"""Public checks."""

import pytest
import shapes


@pytest.mark.task("area")
def test_area():
    """Two by three."""
    assert shapes.area(2, 3) == 6


@pytest.mark.task("table")
def test_table():
    """A table keeps shapes."""
    assert shapes.Table()
'''

HIDDEN = '''\
"""Hidden tests."""

import pytest
import shapes

LABELS = [3, 1, 4, 1, 5, 9, 2, 6]


@pytest.mark.task("area", weight=2)
def test_area_of_large_sides():
    """Large sides."""
    width, height = 123457, 10
    assert shapes.area(width, height) == 1234570
    for label in LABELS:
        assert shapes.area(label, 1) == label
'''


def write_course(root: Path) -> Course:
    """Write the course into a folder, with a secret, and load it."""
    for path, text in {
        "course.toml": f'name = "Geometry"\ntimezone = "UTC"\n{COURSE}',
        "LICENSE": "Free.\n",
        "solutions/shapes/assignment.toml": ASSIGNMENT,
        "solutions/shapes/shapes.py": MODULE,
        "solutions/shapes/shapes.md": NOTEBOOK,
        "autograder/suites/shapes/test_public.py": PUBLIC,
        "autograder/suites/shapes/test_hidden.py": HIDDEN,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    course = Course.load(root)
    course.secret()
    return course


def plan(assignment: Assignment) -> Sequence[PlannedTest]:
    """Return what the grader would collect."""
    ids = (
        ("test_public.py::test_area", "Two by three.", "area", "public", 1),
        ("test_public.py::test_table", "A table keeps shapes.", "table", "public", 1),
        ("test_hidden.py::test_area_of_large_sides", "Large sides.", "area", "hidden", 2),
    )
    return [
        PlannedTest(id, title, task, tier, "value", Fraction(weight), 10, 512)  # type: ignore[arg-type]
        for id, title, task, tier, weight in ids
    ]


def build(course: Course) -> Tree:
    """Build the release of the course without starting a grader."""
    return tree.build(course, plan)


def copy_assignment(root: Path, name: str) -> None:
    """Copy the course's assignment to one of another name, if there is none."""
    if (root / "solutions" / name).exists():
        return
    for kind in ("solutions", "autograder/suites"):
        for path in (root / kind / "shapes").iterdir():
            copy = root / kind / name / path.name.replace("shapes", name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text().replace("shapes", name))
