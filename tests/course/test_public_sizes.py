"""Examples of public checks have pairwise different sizes, so that no mistake of axes fits by chance.

Public checks run on the reference, and each call of one of its functions is looked at. Docstrings say which
axes are of one size, such as D in ``x : Tensor of shape (N, D)`` and ``w : Tensor of shape (D, M)``.
"""

from __future__ import annotations

import inspect
import itertools
import math
import re
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import pytest
import torch

from autograder import course
from tests.support.imported_suites import ROOT, importing

COURSE = course.Course.load(ROOT)
NAMES = COURSE.assignments()
PASS_ON = {"train_linear_classifier", "TwoLayerNet.predict"}
"""What passes tensors on to functions that the checks put in their place: no axis can be mistaken there."""
STATED = re.compile(r"^ *([\w, ]+) : Tensor of shape \(([^()]*)\)", re.MULTILINE)
REST = ("...", "d_1", "d_k")
"""What stands for any number of axes, whose sizes are multiplied: those of an example."""
Sizes = dict[str, int]


def stated_axes(function: FunctionType) -> dict[str, list[str]]:
    """Return what the docstring of a function calls the axes of its arguments."""
    found: dict[str, list[str]] = {}
    for names, axes in STATED.findall(inspect.getdoc(function) or ""):
        listed = [axis.strip() for axis in axes.split(",") if axis.strip()]
        plain = ["D" if axis in REST else axis for axis in listed]
        merged = [axis for axis, _ in itertools.groupby(plain)] if set(listed) & set(REST) else plain
        found |= {name.strip(): merged for name in names.split(",")}
    return {name: axes for name, axes in found.items() if name in inspect.signature(function).parameters}


def sizes_of(axes: list[str], tensor: torch.Tensor, merged: bool) -> Sizes:
    """Return the size of each axis of a tensor."""
    shape = list(tensor.shape)
    if merged:
        shape = [*shape[: len(axes) - 1], math.prod(shape[len(axes) - 1 :])]
    return dict(zip(axes, shape, strict=True)) if len(shape) == len(axes) else {}


def of_parameters(owner: object) -> Sizes:
    """Return the sizes of a network: how much goes in, and what comes out of each layer."""
    params = getattr(owner, "params", None)
    if not isinstance(params, dict):
        return {}
    found: Sizes = {}
    for name, value in params.items():
        if name.startswith("W") and isinstance(value, torch.Tensor) and value.dim() in (2, 4):
            found.setdefault("in", value.shape[0 if value.dim() == 2 else 1])
            found[f"out {name}"] = value.shape[1 if value.dim() == 2 else 0]
    return found


def of_call(function: FunctionType, given: Mapping[str, Any]) -> Sizes:
    """Return the sizes of the arguments of a call, by the names of their axes."""
    axes, found = stated_axes(function), {}
    text = inspect.getdoc(function) or ""
    for name, listed in axes.items():
        if isinstance(given[name], torch.Tensor):
            merged = bool(re.search(rf"\b{name}\b[\w, ]* : Tensor of shape \([^()]*(\.\.\.|d_1)", text))
            found |= sizes_of(listed, given[name], merged)
    if not axes:  # nothing is stated: all have the same shape
        tensors = [value for value in given.values() if isinstance(value, torch.Tensor)]
        shape = next((tuple(one.shape) for one in tensors if one.dim() > 1), ())
        found |= {f"axis {number}": size for number, size in enumerate(shape)}
    network = of_parameters(given.get("self"))
    if network:  # what goes in is known by the first weights
        found = {axis: size for axis, size in found.items() if axis in ("N", "H", "W", "axis 0")}
    return found | network


def are_different(sizes: Sizes) -> bool:
    """Tell whether no two sizes are the same, and there is more than one example."""
    return len(set(sizes.values())) == len(sizes) and 1 not in (sizes.get("N"), sizes.get("axis 0"))


def functions_of(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions and methods that a module defines."""
    for value in vars(module).values():
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:
            yield value
        if isinstance(value, type) and value.__module__ == module.__name__:
            members = (getattr(one, "__func__", one) for one in vars(value).values())
            yield from (one for one in members if isinstance(one, FunctionType))


def watch(
    known: Mapping[CodeType, FunctionType],
    seen: dict[str, list[Sizes]],
    frame: FrameType,
    event: str,
    _: object,
) -> None:
    """Note the sizes of a call that a test makes."""
    function = known.get(frame.f_code)
    caller = frame.f_back
    if event != "call" or function is None or caller is None or caller.f_code in known:
        return
    seen.setdefault(function.__qualname__, []).append(of_call(function, frame.f_locals))


def calls_of_public_checks(name: str, config: pytest.Config) -> dict[str, list[Sizes]]:
    """Return the sizes of all calls that the public checks of an assignment make, by function."""
    seen: dict[str, list[Sizes]] = {}
    with importing(name, config) as load:
        public = load("test_public")
        modules = {path.stem for path in (ROOT / "solutions" / name).glob("*.py")}
        functions = [one for module in modules for one in functions_of(sys.modules[module])]
        known = {function.__code__: function for function in functions}
        for label, test in list(vars(public).items()):
            if label.startswith("test_") and isinstance(test, FunctionType):
                sys.setprofile(partial(watch, known, seen))
                try:
                    test()
                finally:
                    sys.setprofile(None)
    return seen


@pytest.mark.parametrize("name", NAMES)
def test_each_function_is_called_with_sizes_that_differ(name: str, pytestconfig: pytest.Config) -> None:
    calls = calls_of_public_checks(name, pytestconfig)
    several = {
        function: found
        for function, found in calls.items()
        if max(map(len, found)) > 1 and function not in PASS_ON
    }
    assert len(several) >= 3
    alike = {function: found for function, found in several.items() if not any(map(are_different, found))}
    assert alike == {}
