"""Tests that run side by side are spread so that nobody waits for the longest, and fixtures are made once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import spreading

ROOT = Path(__file__).parents[2]
ATTACKS = "tests/course/test_attacks.py"


@pytest.mark.parametrize(
    ("nodeid", "scope"),
    [
        ("tests/autograder/commands/test_main.py::test_version", "tests/autograder/commands/test_main.py"),
        ("tests/autograder/engine/test_link.py::test_a[knn]", "tests/autograder/engine/test_link.py"),
        ("tests/course/test_examples.py::test_scores[knn]", "tests/course/test_examples.py[knn"),
        ("tests/course/test_examples.py::test_scores[0-knn]", "tests/course/test_examples.py"),
        (
            "tests/course/test_attacks.py::test_score[old-container-01_x]",
            "tests/course/test_attacks.py[old-container",
        ),
        (
            "tests/course/test_attacks.py::test_score[container-01_x]",
            "tests/course/test_attacks.py[container",
        ),
        ("tests/course/test_attacks.py::test_score[01_x]", "tests/course/test_attacks.py"),
    ],
)
def test_what_shares_a_fixture_stays_together(nodeid: str, scope: str) -> None:
    assert spreading.scope_of(nodeid) == scope


def test_the_longest_begins_first() -> None:
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]
    names = [f"{file}::test_a" for file in files]
    ranked = sorted(names, key=spreading.rank)
    assert {spreading.rank(name) for name in names} > {spreading.LONGEST.index("tests/course/test_faults.py")}
    assert spreading.rank(ranked[0]) < spreading.rank("tests/autograder/commands/test_main.py::test_version")


def test_scopes_that_are_named_are_there() -> None:
    files = [*spreading.PARTS, *(start.partition("[")[0] for start in spreading.LONGEST)]
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_there_is_at_least_one_worker_and_no_more_than_cores() -> None:
    assert 1 <= spreading.workers() <= len(os.sched_getaffinity(0)) + 1
