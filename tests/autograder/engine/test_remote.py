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


MIXING = '''import pytest
import torch

import tiny_module
from helpers.testing import checks, measure, asking

X = torch.arange(6.0).reshape(2, 3)


@pytest.mark.task("double")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@asking.one_slip()
def test_values(dtype):
    """Products, in this precision."""
    found = asking.ask(tiny_module.double, X.to(dtype, copy=True))
    checks.close(found, 2 * X.to(dtype), what="double(x)")


@pytest.mark.task("double")
@pytest.mark.constraint
def test_work():
    """Keeps its arguments, and is measured."""
    x = X.double()
    assert asking.ask(measure, tiny_module.double, x).operations < 20
    asking.ask(tiny_module.double, x)
    checks.unchanged(X.double(), x, what="x")


@pytest.mark.task("table")
def test_table():
    """Makes a table."""
    tiny_module.Table().add("a", 1)
'''
RIGHT = {"test_values[dtype0]": "passed", "test_values[dtype1]": "passed", "test_work": "passed"}


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        ("return x @ (2 * torch.eye(3, dtype=x.dtype))", {}),
        ("return x @ (2 * torch.eye(3))", {"test_values[dtype1]": "slip"}),
        ("return x @ (2 * torch.eye(3).double())", {"test_values[dtype0]": "slip"}),
        (
            "return 2 * x.square() @ torch.eye(3)[[2, 0, 1]]",
            {"test_values[dtype1]": "raised", "test_values[dtype0]": "failed"},
        ),
        ("return 0 * x @ torch.eye(3)", {"test_values[dtype1]": "raised", "test_values[dtype0]": "failed"}),
        (
            "y = x @ (2 * torch.eye(3))\n    x.zero_()\n    return y",
            {"test_values[dtype1]": "slip", "test_work": "failed"},
        ),
        (
            "raise RuntimeError('expected scalar type Float but found Double')",
            dict.fromkeys(RIGHT, "raised"),
        ),
    ],
)
def test_one_cast_is_one_slip_at_either_end(tmp_path: Path, body: str, ends: dict[str, str]) -> None:
    course, assignment = tiny.write_course(tmp_path, public=MIXING)
    source = "import torch\n" + tiny.REFERENCE.replace("return 2 * x", body)
    found = {}
    for sandbox in ("full", "none"):
        with Pool(assignment, course, jobs=1, sandbox=sandbox) as pool:  # type: ignore[arg-type]
            (graded,) = pool.grade([tiny.submission(source)])
        own = [one for one in graded.outcomes if one.id.startswith("test_public")]
        found[sandbox] = [(one.id, one.status, one.feedback) for one in own]
        for id, status, feedback in found[sandbox][:3]:
            slip = feedback is not None and feedback.slip
            wanted = (RIGHT | ends)[id.partition("::")[2]]
            assert (id, "slip" if slip else str(status)) == (id, wanted)
            if slip:
                assert feedback.location is not None
                assert feedback.location.function == "double"
                assert "are mixed" in (feedback.likely_cause or "")
    assert found["full"] == found["none"]
