"""Checks may do the same with student code here and at the other end of the wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.engine.pool import Pool
from helpers.statuses import Status
from tests.support import tiny

SUITE = '''import pytest
import torch

import tiny_module
from helpers.testing import CheckFailure, checks, substituted


@pytest.mark.task("double")
def test_what_was_replaced_comes_back():
    """Restores what a failed check left behind."""
    with pytest.raises(CheckFailure):
        with substituted(tiny_module, double=lambda x: 5):
            checks.holds(tiny_module.double(1) == 4, what="double(1)", problem="not 4")
    assert tiny_module.double(1) == 2


@pytest.mark.task("table")
def test_names_that_were_added_are_gone():
    """Removes what was not there before."""
    with substituted(tiny_module, triple=lambda x: 3 * x):
        assert tiny_module.triple(2) == 6
    with pytest.raises(Exception, match="triple"):
        tiny_module.triple(2)


@pytest.mark.task("table")
def test_functions_of_a_class_come_back():
    """Replaces functions of a class, static ones and others."""
    with substituted(tiny_module.Table, add=lambda name, value: 7, size=lambda rows: 8):
        table = tiny_module.Table()
        assert (table.add("a", 1), table.size([]), tiny_module.Table.size([])) == (7, 8, 8)
    table = tiny_module.Table()
    table.add("a", 1)
    assert (table.rows["a"], table.size([1, 2]), tiny_module.Table.size([1])) == (1, 2, 1)
'''
STATIC = """
    @staticmethod
    def size(rows):
        return len(rows)
"""


@pytest.mark.parametrize("sandbox", ["full", "none"])
def test_replacements_end_with_their_block_however_it_ends(tmp_path: Path, sandbox: str) -> None:
    course, assignment = tiny.write_course(tmp_path, public=SUITE)
    with Pool(assignment, course, jobs=1, sandbox=sandbox) as pool:  # type: ignore[arg-type]
        (graded,) = pool.grade([tiny.submission(tiny.REFERENCE + STATIC)])
    own = [one for one in graded.outcomes if one.id.startswith("test_public")]
    assert [(one.id, one.status) for one in own if one.status is not Status.passed] == []
    assert len(own) == 3
