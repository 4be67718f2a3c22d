"""Tests of the suite of the relatives of convolution: its reference, the stub, and functions left undone."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from helpers.testing import checks
from tests.support.in_process import ROOT, Grade, grade_all
from tests.support.prose import load_reference

NAME = "more_convolutions"
REFERENCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text()
STUB = (ROOT / "assignments" / NAME / f"{NAME}.py").read_text()
BUILT = (ROOT / "tests" / "course" / "fresh" / NAME / "right_beginner.py").read_text()
"""A right solution whose functions call one another."""
SETTINGS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())
POINTS = {task["id"]: task["points"] for task in SETTINGS["tasks"]}
KEYS = [f"secret {number}" for number in range(5)]
FUNCTIONS = {name: name for name in ("im2col", "average_pool", "dilated_conv", "grouped_conv")}
FUNCTIONS |= {"transposed_conv": "transposed_conv", "conv1d": "conv_1d_3d", "conv3d": "conv_1d_3d"}
"""Functions, and the tasks that they belong to."""


def without(name: str) -> str:
    """Return the solution whose functions call one another, with one of them left to do."""
    body = re.compile(rf"(^def {name}\(.*?:\n).*?(?=^def |^if |\Z)", re.MULTILINE | re.DOTALL)
    return body.sub(r"\1    raise NotImplementedError\n\n\n", BUILT)


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of the reference under several secrets, and of the stub."""
    jobs = {key: (REFERENCE, key) for key in KEYS} | {"stub": (STUB, "key")}
    return grade_all(NAME, jobs, tmp_path_factory.mktemp(NAME))


@pytest.fixture(scope="module")
def undone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of solutions with one function left to do."""
    jobs = {name: (without(name), "key") for name in FUNCTIONS}
    return grade_all(NAME, jobs, tmp_path_factory.mktemp("undone"))


@pytest.mark.full
@pytest.mark.parametrize("key", KEYS)
def test_the_reference_earns_everything_under_every_secret(grades: dict[str, Grade], key: str) -> None:
    assert [name for name, test in grades[key].tests.items() if not test.passed] == []
    assert grades[key].points == POINTS
    assert grades[key].warned == ()


@pytest.mark.full
def test_the_stub_passes_no_test_that_counts(grades: dict[str, Grade]) -> None:
    stub = grades["stub"]
    assert len(stub.tests) == len(grades[KEYS[0]].tests) > 60
    assert {test.id for test in stub.tests.values() if test.passed and test.kind == "value"} == set()
    assert sum(stub.points.values()) == 0


def test_the_points_are_those_of_a_hundred() -> None:
    assert sum(POINTS.values()) == 100


def test_the_stub_keeps_its_docstrings() -> None:
    functions = [node for node in ast.walk(ast.parse(STUB)) if isinstance(node, ast.FunctionDef)]
    assert [node.name for node in functions] == list(FUNCTIONS)
    assert all(ast.get_docstring(node) for node in functions)


@pytest.mark.full
def test_every_test_has_a_title_of_its_own_and_every_task_has_both_tiers(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests
    titles = [test.title for test in tests.values()]
    assert len(set(titles)) == len(titles)
    assert all(title.endswith(".") and len(title) < 110 for title in titles)
    for tier in ("public", "hidden"):
        files = {name for name, of_file in SETTINGS["tiers"].items() if of_file == tier}
        assert {test.task for name, test in tests.items() if name.partition("::")[0] in files} == set(POINTS)


@pytest.mark.full
def test_every_rule_is_checked_in_public(grades: dict[str, Grade]) -> None:
    rules = [test for test in grades[KEYS[0]].tests.values() if test.kind == "constraint"]
    assert {test.id.partition("::")[0] for test in rules} == {"test_public.py"}
    for task in POINTS:
        assert len([test for test in rules if test.task == task]) == 2


@pytest.mark.full
def test_points_are_whole(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests.values()
    for task, points in POINTS.items():
        assert sum(test.weight for test in tests if test.task == task) == points


@pytest.mark.full
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_task_needs_the_functions_of_another(undone: dict[str, Grade], name: str) -> None:
    points = undone[name].points
    assert {task for task in POINTS if points[task] < POINTS[task]} == {FUNCTIONS[name]}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Compute in one thread: so little work is slower with more."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def numbers(*shape: int) -> Tensor:
    """Return random numbers in float64."""
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(sum(shape)))


def agree(found: Tensor, right: Tensor, *settings: int) -> None:
    """Check that the reference gives what PyTorch gives."""
    checks.close(found, right, what=f"the result with {settings}")


def test_windows_are_those_of_pytorch() -> None:
    more, x = load_reference(NAME), numbers(2, 3, 8, 11)
    for height, width, stride, pad in product((1, 3), (2, 4), (1, 2, 5), (0, 2)):
        found = more.im2col(x, height, width, stride, pad)
        agree(found, F.unfold(x, (height, width), padding=pad, stride=stride), height, width, stride, pad)
        if pad == 0:
            means = more.average_pool(x, height, width, stride)
            agree(means, F.avg_pool2d(x, (height, width), stride=stride), height, width, stride)


def test_convolutions_of_images_are_those_of_pytorch() -> None:
    more, x, w, b = load_reference(NAME), numbers(2, 6, 9, 12), numbers(12, 6, 3, 2), numbers(12)
    for stride, pad in product((1, 2, 3, 5), (0, 1, 3)):
        for dilation in (1, 2, 4):
            right = F.conv2d(x, w, b, stride=stride, padding=pad, dilation=dilation)
            agree(more.dilated_conv(x, w, b, stride, pad, dilation), right, stride, pad, dilation)
        for groups in (1, 2, 3, 6):
            parts = w[:, : 6 // groups]
            right = F.conv2d(x, parts, b, stride=stride, padding=pad, groups=groups)
            agree(more.grouped_conv(x, parts, b, stride, pad, groups), right, stride, pad, groups)


def test_transposed_convolutions_are_those_of_pytorch() -> None:
    more, b = load_reference(NAME), numbers(5)
    for height, width, stride, pad in product((1, 3, 4), (2, 5), (1, 2, 3, 5), (0, 1)):
        x, w = numbers(2, 3, 4, 6), numbers(3, 5, height, width)
        right = F.conv_transpose2d(x, w, b, stride=stride, padding=pad)
        agree(more.transposed_conv(x, w, b, stride, pad), right, height, width, stride, pad)


@pytest.mark.parametrize(
    ("name", "right", "sizes", "sides"),
    [("conv1d", F.conv1d, (13,), (4,)), ("conv3d", F.conv3d, (5, 6, 7), (3, 1, 2))],
)
def test_other_dimensions_are_those_of_pytorch(
    name: str, right: Callable[..., Any], sizes: tuple[int, ...], sides: tuple[int, ...]
) -> None:
    found = getattr(load_reference(NAME), name)
    x, w, b = numbers(2, 3, *sizes), numbers(4, 3, *sides), numbers(4)
    for stride, pad in product((1, 2, 3, 5), (0, 1, 3)):
        agree(found(x, w, b, stride, pad), right(x, w, b, stride=stride, padding=pad), stride, pad)
