"""The index of a release tells later what became of functions, cells and questions."""

from __future__ import annotations

from fractions import Fraction

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.graded.answers import ANSWER
from autograder.release import index
from autograder.scoring import PlannedTest

STUB = '''"""Layers."""


def helper(x):
    return x


class Layer:
    def __init__(self, size):
        raise NotImplementedError("layers: Layer.__init__")

    def forward(self, x):
        raise NotImplementedError("layers: Layer.forward")

    def backward(self, dout):
        raise NotImplementedError("layers: Layer.backward")


def loss(x):
    if x is None:
        raise NotImplementedError("layers: loss")
    raise NotImplementedError("layers: loss")


def unused():
    raise NotImplementedError("layers: unused")
'''
TESTS = """
import layers as own
import pytest
import torch

from helpers.testing import checks


def made():
    return own.Layer(3)


def passed_on():
    return made()


class Case:
    def run(self):
        return own.Layer.forward


def test_forward():
    assert passed_on().forward(1) == 1
    Case().run()


@pytest.mark.parametrize("x", [1, 2])
def test_loss(x):
    checks.equal(own.loss(x), torch.nn.functional.relu(x), what="the loss")


def test_loss_again():
    own.loss(1)
"""


def planned(function: str, task: str, tier: str = "public") -> PlannedTest:
    file = f"test_{tier}.py"
    found = PlannedTest(f"{file}::{function}", "A test", task, "public", "value", Fraction(1), 10, 512)
    return (
        found if tier == "public" else PlannedTest(found.id, "", task, "hidden", "value", Fraction(1), 1, 1)
    )


def listed(*plan: PlannedTest, tests: str = TESTS) -> dict[str | None, str | None]:
    found = index.functions({"layers.py": STUB.encode(), "given.py": b"def f(): pass\n"}, tests, plan)
    assert {one["file"] for one in found} == {"layers.py"}
    return {one["name"]: one["task"] for one in found}


def test_each_function_has_the_task_whose_public_tests_use_it() -> None:
    plan = (
        planned("test_forward", "layer"),
        planned("test_loss[1]", "loss"),
        planned("test_loss[2]", "loss"),
    )
    assert listed(*plan) == {
        "Layer.__init__": "layer",  # by way of two functions of the test file, under another name
        "Layer.forward": "layer",
        "Layer.backward": "layer",  # no test names it, but some name its class
        "loss": "loss",
        "unused": None,
    }


def test_the_first_task_that_uses_a_function_has_it() -> None:
    loss, again = planned("test_loss[1]", "first"), planned("test_loss_again", "second")
    assert listed(loss, again)["loss"] == "first"
    assert listed(again, loss)["loss"] == "second"


def test_hidden_tests_and_tests_that_are_not_there_tell_nothing() -> None:
    plan = (planned("test_loss[1]", "loss", "hidden"), planned("test_gone", "loss"))
    assert set(listed(*plan).values()) == {None}


def test_functions_that_call_each_other_end() -> None:
    tests = (
        "import layers\ndef a():\n    b()\ndef b():\n    a()\n    layers.loss(1)\ndef test_it():\n    a()\n"
    )
    assert listed(planned("test_it", "loss"), tests=tests)["loss"] == "loss"


def question(id: str, source: str) -> NotebookNode:
    cell: NotebookNode = nbformat.v4.new_markdown_cell(source, id=f"cell-{id}")
    meta = {"schema_version": 3, "solution": True, "grade": True, "locked": False, "task": False}
    cell.metadata["nbgrader"] = {**meta, "grade_id": id, "points": 4, "cell_type": "markdown"}
    return cell


def test_cells_and_questions() -> None:
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# A course\n\n## Think  \n\nFirst.", id="text"),
            nbformat.v4.new_code_cell("# not a heading\nx = 1", id="code"),
            question("why", f"**Why?**\n\n{ANSWER}"),
        ]
    )
    text, code, asked = index.cells(book)
    assert (text["id"], code["id"], asked["id"]) == ("text", "code", "cell-why")
    assert "question" not in text
    assert "question" not in code
    assert code["digest"] == index.digest("# not a heading\nx = 1")
    assert asked["question"] == {
        "id": "why",
        "title": "Think",
        "points": 4,
        "digest": index.digest("**Why?**"),
    }
    assert asked["digest"] != asked["question"]["digest"]


@pytest.mark.parametrize("same", ["a  b\n\n c", " a b c ", "a\tb\r\nc"])
def test_a_digest_is_that_of_the_words(same: str) -> None:
    assert index.digest(same) == index.digest("a b c")
    assert index.digest("a bc") != index.digest("a b c")
