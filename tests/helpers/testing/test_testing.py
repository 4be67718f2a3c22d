"""Tests of helpers.testing: what it hands out, and that nothing is imported for it before it is used."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import torch

import helpers.testing
from helpers.testing import constraints, scattered


def test_every_name_is_what_its_module_defines() -> None:
    assert sorted(helpers.testing.HOMES) == sorted(helpers.testing.__all__)
    for name, home in helpers.testing.HOMES.items():
        assert getattr(helpers.testing, name) is getattr(importlib.import_module(home), name)


def test_other_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = helpers.testing.nothing


def test_a_module_of_the_package_does_not_import_the_rest() -> None:
    code = "import sys, helpers.testing.causes; print('torch' in sys.modules, 'helpers.seeds' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["False", "False"]


def test_what_no_solution_may_touch_is_known_by_its_short_name_as_well() -> None:
    for name, home in helpers.testing.HOMES.items():
        assert (home in constraints.GRADING) == (f"helpers.testing.{name}" in constraints.GRADING), name


def test_scattered_values_are_the_same_elsewhere() -> None:
    for x in (torch.arange(6.0).reshape(2, 3), torch.ones(4, dtype=torch.float64)):
        found = scattered(x)
        assert torch.equal(found, x)
        assert found.dtype == x.dtype
        assert not found.is_contiguous()
