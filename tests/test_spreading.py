"""Tests that run side by side are spread so that nobody waits for the longest, and fixtures are made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import spreading

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("tests/test_cli.py::test_version", "tests/test_cli.py"),
        ("tests/test_link.py::test_a[knn]", "tests/test_link.py"),
        ("tests/test_examples.py::test_scores[knn]", "tests/test_examples.py[knn"),
        ("tests/test_examples.py::test_scores[0-knn]", "tests/test_examples.py"),
        ("tests/test_attacks.py::test_score[old-container-01_x]", "tests/test_attacks.py[old-container"),
        ("tests/test_attacks.py::test_score[container-01_x]", "tests/test_attacks.py[container"),
        ("tests/test_attacks.py::test_score[01_x]", "tests/test_attacks.py"),
    ],
)
def test_what_shares_a_fixture_stays_together(nodeid: str, scope: str) -> None:
    assert spreading.scope_of(nodeid) == scope


def test_the_longest_begins_first() -> None:
    names = [f"tests/{path.name}::test_a" for path in HERE.glob("test_*.py")]
    ranked = sorted(names, key=spreading.rank)
    assert {spreading.rank(name) for name in names} > {spreading.LONGEST.index("tests/test_faults.py")}
    assert spreading.rank(ranked[0]) < spreading.rank("tests/test_cli.py::test_version")


def test_scopes_that_are_named_are_there() -> None:
    files = [*spreading.PARTS, *(start.partition("[")[0] for start in spreading.LONGEST)]
    assert [file for file in files if not (HERE.parent / file).is_file()] == []


def test_there_is_at_least_one_worker_and_no_more_than_cores() -> None:
    assert 1 <= spreading.workers() <= len(os.sched_getaffinity(0))
