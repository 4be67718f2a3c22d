"""The k-nearest-neighbor notebook that students get runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import notebooks
from tests.support.notebooks import Solved
from tests.support.published import Public

NAME = "knn"


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> Solved:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


def test_it_runs_with_the_solution(solved: Solved) -> None:
    solved.check_passed(8)
    assert solved.done.figures() == 7
    assert solved.seconds < 60


def test_what_it_builds_is_graded(solved: Solved) -> None:
    assert solved.score() == 100


def test_the_hand_worked_example_is_right(solved: Solved) -> None:
    done = solved.done
    matrix = done.text(done.find("knn.compute_distances_two_loops(hand_train"))
    assert [float(number) for number in re.findall(r"\d+\.", matrix)] == [1, 10, 20, 9, 9, 2]
    text = (notebooks.ROOT / "solutions" / "knn" / "knn.md").read_text()
    assert "| **A** | 1 | 10 |\n| **B** | 20 | 9 |\n| **C** | 9 | 2 |" in text
    assert done.text(done.find("hand_dists =")).splitlines() == [
        "k = 1: P and Q are [0, 1]",
        "k = 2: P and Q are [0, 1]",
        "k = 3: P and Q are [1, 1]",
    ]


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "distances_two_loops", "distances_two_loops")
