"""The relatives of convolution: taking one side for the other is one mistake, and costs no more than one.

It often ends in an exception, which shows nothing of what is right. So most checks are of square images.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from helpers.credit import MOST
from tests.support.in_process import ROOT, Grade, grade_all

pytestmark = pytest.mark.full
NAME = "more_convolutions"
LOOPS = (ROOT / "tests" / "course" / "fresh" / NAME / "right_naive_loops.py").read_text()
TASKS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())["tasks"]
POINTS = {task["id"]: task["points"] for task in TASKS}
TASK_OF = {"conv3d": "conv_1d_3d"}
FUNCTIONS = ("im2col", "average_pool", "dilated_conv", "grouped_conv", "transposed_conv", "conv3d")
MISTAKES = {
    "as wide as high": (r"for j in range\(cols\)", "for j in range(rows)"),
    "as wide as the image is high": (r"for j in range\(W\)", "for j in range(H)"),
    "the height of the image": (r"cols = \(W ", "cols = (H "),
    "the height of a window": (r"(cols = .*)(width|WW)\b", r"\1@"),
    "the height of the result": (r"rows, cols\)", "rows, rows)"),
    "a result on its side": (r"rows, cols\)", "cols, rows)"),
    "rows and columns swapped": (r"( +)(for n in|for f in)", r"\1rows, cols = cols, rows\n\1\2"),
    "a square in place of a window": (r"j \* stride \+ WW", "j * stride + HH"),
    "a square window": (r"for d in range\((width|WW)\)", "for d in range(@)"),
    "cut off as wide as high": ("pad:cols - pad", "pad:rows - pad"),
}
"""Patterns in right loops, and what comes in their place; @ stands for the other side of a window."""


def source_of(function: str) -> str:
    """Return the source of a function in right loops."""
    (found,) = re.findall(rf"^def {function}\(.*?(?=^def |\Z)", LOOPS, re.MULTILINE | re.DOTALL)
    return str(found)


def variant(function: str, mistake: str) -> str | None:
    """Return right loops with a mistake in a function; None where it cannot be made there."""
    old, new = MISTAKES[mistake]
    right = source_of(function)
    high = "height" if "height" in right else "HH"
    wrong = re.sub(old, new.replace("@", high), right, count=1)
    return None if wrong == right else LOOPS.replace(right, wrong)


VARIANTS = {
    (function, mistake): source
    for function in FUNCTIONS
    for mistake in MISTAKES
    if (source := variant(function, mistake)) is not None
}


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of all mistakes."""
    jobs = {" ".join(key): (source, "key") for key, source in VARIANTS.items()}
    folder: Path = tmp_path_factory.mktemp("sides")
    return grade_all(NAME, jobs, folder)


def test_mistakes_can_be_made_in_all_functions() -> None:
    assert len(VARIANTS) >= 30
    assert {function for function, _ in VARIANTS} == set(FUNCTIONS)
    assert {mistake for _, mistake in VARIANTS} == MISTAKES.keys()


@pytest.mark.parametrize("key", VARIANTS, ids=" ".join)
def test_a_mistake_about_sides_costs_at_most_a_quarter_of_its_task(
    grades: dict[str, Grade], key: tuple[str, str]
) -> None:
    points = grades[" ".join(key)].points
    task = TASK_OF.get(key[0], key[0])
    lost = {one: POINTS[one] - points[one] for one in POINTS if points[one] < POINTS[one]}
    assert lost.keys() == {task}
    assert lost[task] <= MOST * POINTS[task]


@pytest.mark.parametrize("key", VARIANTS, ids=" ".join)
def test_a_public_check_shows_a_mistake_about_sides(grades: dict[str, Grade], key: tuple[str, str]) -> None:
    tests = grades[" ".join(key)].tests
    assert any(not test.passed for name, test in tests.items() if name.startswith("test_public"))
