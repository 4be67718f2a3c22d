"""Code from the cells of a notebook runs in the module as it ran in the notebook, wherever it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from helpers.submission import cells, modules
from helpers.submission.cells import Cell
from helpers.submission.modules import Module

STUB = '''\
"""Shapes to measure."""

from __future__ import annotations

import math

UNIT = "cm"


class Shape:
    """What has an area."""


def area(radius):
    """Return the area of a circle."""
    raise NotImplementedError("shapes: area")


class Square(Shape):
    """A square."""

    def side(self):
        """Return its side."""
        raise NotImplementedError("shapes: Square.side")


def test_area(radius):
    """Tell whether an area is right."""
    raise NotImplementedError("shapes: test_area")


test_area.__test__ = False
AREAS = {"circle": area}
LARGEST = max(Square, Shape, key=lambda kind: kind.__name__)
'''
MODULE = Module.by("shapes.py", STUB)
AREA = "def area(radius):\n    return PI * square(radius)\n"
SQUARE = "class Square(Shape):\n    def side(self):\n        return 2\n"
TEST = "def test_area(radius):\n    return area(radius) > 0\n"
VALUES = "from math import pi as PI\ndef square(x):\n    return x * x\n"


def notebook(*sources: str) -> list[Cell]:
    found = cells.cells(json.dumps({"cells": [{"cell_type": "code", "source": s} for s in sources]}).encode())
    assert found is not None
    return found


def run(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "shapes"}
    exec(compile(text, "shapes.py", "exec"), names)
    return names


@pytest.mark.parametrize(
    "base", [STUB, "", STUB.replace(STUB[STUB.index("def area") : STUB.index("class Sq")], "")]
)
@pytest.mark.parametrize(
    "sources",
    [
        (VALUES, AREA, SQUARE, TEST),
        (TEST, SQUARE, AREA, VALUES),
        (VALUES + TEST + SQUARE + AREA,),
        (
            "from __future__ import annotations\n" + VALUES,
            AREA,
            SQUARE,
            TEST + "test_area.__test__ = False\n",
        ),
        (
            "from math import *\nPI = pi\n",
            VALUES.replace("from math import pi as PI\n", ""),
            AREA,
            SQUARE + TEST,
        ),
        # Values of cells that try the functions have the names that functions give their own.
        (
            VALUES + AREA + SQUARE + TEST,
            "radius, side = area(2), Square().side()\n",
            "x = test_area(radius)\n",
        ),
        # A value that calls what the notebook defines, as it did there.
        ("def square(x):\n    return x * x\n", SQUARE + TEST, "PI = math.pi\nimport math\n", AREA),
        (
            VALUES,
            AREA,
            "TABLE = [area(1), area(2)]\n",
            SQUARE,
            TEST.replace("area(radius) > 0", "TABLE[0] > 0"),
        ),
        # Values that a condition sets: the other branch may be the one that is taken where it is graded.
        (
            "try:\n    from math import pi as PI\nexcept ImportError:\n    PI = 3\nimport math\n"
            "def square(x):\n    return x * x\n",
            AREA,
            SQUARE,
            TEST.replace("> 0", "> LEAST"),
            "LEAST = 0\nif PI > 4: LEAST = 99\n",
        ),
        (VALUES, SQUARE, "def twice(f):\n    return f\n", "@twice\n" + AREA, TEST),
    ],
)
def test_definitions_take_the_place_of_those_that_they_replace(base: str, sources: tuple[str, ...]) -> None:
    text, given = modules.from_notebook(MODULE, base, notebook(*sources), frozenset())
    assert given == {"area", "Square", "test_area"}
    names = run(text)
    assert round(names["area"](2)) == 13
    assert names["Square"]().side() == 2
    assert names["test_area"](1)
    assert names["test_area"].__test__ is False
    assert names["AREAS"]["circle"] is names["area"]
    assert names["LARGEST"] is names["Square"]


def test_a_class_keeps_the_base_that_the_module_defines_before_it() -> None:
    text, _ = modules.from_notebook(MODULE, STUB, notebook(SQUARE), frozenset())
    names = run(text)
    assert issubclass(names["Square"], names["Shape"])


def test_what_a_module_lacks_is_added_where_its_lines_need_it() -> None:
    without = STUB[: STUB.index("def test_area")] + STUB[STUB.index("test_area.__test__") :]
    own = without.replace('raise NotImplementedError("shapes: area")', "return 3 * radius**2")
    text, given = modules.complete(MODULE, own, notebook(TEST, SQUARE), frozenset())
    assert given == {"test_area", "Square"}
    assert run(text)["area"](1) == 3


def test_names_in_formatted_strings_come_along() -> None:
    body = 'def unit():\n    return "cm"\n\n\ndef area(radius):\n    return f"{radius} {unit()}"\n'
    text, _ = modules.from_notebook(MODULE, STUB, notebook(body), frozenset())
    assert run(text)["area"](2) == "2 cm"


def test_cells_of_the_release_give_nothing() -> None:
    released = {cells.digest(one.source) for one in notebook(AREA)}
    assert modules.from_notebook(MODULE, STUB, notebook(AREA), released) == ("", frozenset())
