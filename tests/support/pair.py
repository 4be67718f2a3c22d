"""A course of one assignment with two modules, one of which imports the other."""

from __future__ import annotations

from pathlib import Path

from autograder.course import Course
from tests.support import tiny

ASSIGNMENT = """
name = "pair"
title = "A pair"
modules = ["layers", "network"]

[limits]
cpu_seconds = 1
wall_seconds = 20
memory_mb = 256

[tiers]
"test_public.py" = "public"

[[tasks]]
id = "layer"
title = "A layer"
points = 6

[[tasks]]
id = "net"
title = "A network"
points = 4
"""
LAYERS = '''"""Layers."""


class Layer:
    def forward(self, x):
        """Return twice x."""
        ### BEGIN SOLUTION
        return [2 * one for one in x]
        ### END SOLUTION
'''
NETWORK = '''"""A network of layers."""

from layers import Layer


class Net(Layer):
    def size(self):
        """Return the number of layers."""
        ### BEGIN SOLUTION
        return 1
        ### END SOLUTION

    def run(self, x):
        """Apply the layer."""
        ### BEGIN SOLUTION
        return Layer().forward(x)
        ### END SOLUTION
'''
TESTS = '''import layers
import network
import pytest

from helpers.testing import checks, constraints


@pytest.mark.task("layer")
def test_forward():
    """Doubles numbers."""
    assert layers.Layer().forward([1, 2]) == [2, 4]


@pytest.mark.task("net")
def test_size():
    """Has a size."""
    assert network.Net().size() == 1


@pytest.mark.task("net")
def test_run():
    """Applies its layer."""
    assert network.Net().run([1]) == [2]


@pytest.mark.task("net")
@pytest.mark.constraint
def test_rules():
    """Uses no loop of its own."""
    constraints.require(network.Net.run, loops=0)
'''


def write(root: Path, packages: str = "") -> Course:
    """Write the course; `packages` is a line of ``course.toml``."""
    for path, text in {
        "course.toml": tiny.COURSE + packages,
        "solutions/pair/assignment.toml": ASSIGNMENT,
        "solutions/pair/layers.py": LAYERS,
        "solutions/pair/network.py": NETWORK,
        "autograder/suites/pair/test_public.py": TESTS,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Course.load(root)
