"""What is passed on by code that does not run is not there to be called."""

from __future__ import annotations

import pytest

from helpers.source.facts import FunctionFacts
from helpers.submission import python_files

GIVEN = {"net": frozenset({"Layer", "Net", "train"})}
LAYERS = """
class Layer:
    def forward(x, tape):
        back, keep = tape
        return back(x)
    def other(x):
        {other}

class Net:
    steps = looped, 1

    def loss(x):
        return run(looped)

def run(steps):
    return steps
def train():
    register(looped)
def register(step):
    return looped, step
def looped(x):
    return [a for a in x]
{top}
"""


def loops(other: str = "return x", top: str = "") -> tuple[object, ...]:
    text = LAYERS.format(other=other, top=top)
    read = python_files.read({"net.py": text.encode()}, ["net"], ())
    found: FunctionFacts = read.facts("net", GIVEN).function("Layer.forward")
    return tuple(loop.what for loop in found.loops)


def test_values_of_other_tasks_are_not_called() -> None:
    assert loops() == ()


@pytest.mark.parametrize(
    ("other", "top"),
    [
        ("return run(looped)", ""),
        ("return Net", ""),
        ("return Net.steps", ""),
        ("return register", ""),
        ("return x", "register(0)"),
        ("return x", "table = [looped]"),
        ("return x", "train()"),
        ("return x", "class Own:\n    steps = looped, 1"),
        ("return x", "def own():\n    return run(looped)"),
    ],
)
def test_values_of_what_may_run_are(other: str, top: str) -> None:
    assert "comprehension" in loops(other, top)
