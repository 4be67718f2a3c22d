"""The two-layer network's notebook that students get runs as it says, with a solution and with the stub."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import notebooks
from tests.support.notebooks import Solved
from tests.support.published import Public

NAME = "two_layer_net"


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> Solved:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


def percentage(text: str) -> float:
    """Return the number before the last percent sign."""
    return float(text.rpartition(" %")[0].split()[-1])


@pytest.mark.full
def test_it_runs_with_the_solution(solved: Solved) -> None:
    solved.check_passed(9)
    assert solved.done.figures() == 12
    assert solved.seconds < 180


@pytest.mark.full
def test_what_it_builds_is_graded(solved: Solved) -> None:
    assert solved.score() == 105


@pytest.mark.full
def test_what_it_says_about_the_examples_is_true(solved: Solved) -> None:
    done = solved.done
    assert done.text(done.find("hand_scores, hand_hidden =")).splitlines() == [
        "hidden [[1.0, 4.0, 0.0], [0.0, 1.0, 1.0]]",
        "scores [[4.0, 4.0, 4.0], [1.0, 1.0, 1.0]]",
    ]
    assert "the loss is 1.0986\nreg = 0.1: the loss is 5.5986" in done.text(done.find("hand_loss, _ ="))
    assert "the loss is 2.302" in done.text(done.find("untrained ="))
    errors = [float(line.split()[-1]) for line in done.text(done.find("by_differences =")).splitlines()]
    assert len(errors) == 4
    assert max(errors) < 1e-6
    assert percentage(done.text(done.find("linear_labels ="))) < 70
    assert 38 < percentage(done.text(done.find("test_labels ="))) < 60


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "forward", "nn_forward_pass")
