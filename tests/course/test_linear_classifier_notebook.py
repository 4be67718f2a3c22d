"""The notebook of the linear classifiers runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import notebooks
from tests.support.notebooks import Solved
from tests.support.published import Public

NAME = "linear_classifier"


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> Solved:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


def test_it_runs_with_the_solution(solved: Solved) -> None:
    solved.check_passed(9)
    assert solved.done.figures() == 11
    assert solved.seconds < 90


def test_what_it_builds_is_graded(solved: Solved) -> None:
    assert solved.score() == 100


def test_the_numbers_in_its_text_are_right(solved: Solved) -> None:
    done = solved.done
    assert "SVM loss 5.2667, by hand 5.2667" in done.text(done.find("by hand 5.2667"))
    softmax = done.text(done.find("by hand 2.7587"))
    assert "softmax loss 2.7587, by hand 2.7587" in softmax
    tiny = float(softmax.partition("with tiny weights ")[2].split(",")[0])
    assert tiny == pytest.approx(2.303, abs=0.01)
    assert float(done.text(done.find("about 9")).split()[1].rstrip(",")) == pytest.approx(9, abs=0.01)
    gradients = "".join(done.text(n) for n in range(len(done.cells)))
    assert gradients.count("(good)") == 6
    assert "(WRONG)" not in gradients
    large = done.text(done.find("10_000.0, 9_999.0, 9_998.0"))
    assert "inf" in large
    assert "nan" in large


def test_training_goes_as_its_text_says(solved: Solved) -> None:
    done = solved.done
    on_digits = done.text(done.find("of the validation images are right"))
    assert all(float(percent) > 90 for percent in re.findall(r"([\d.]+) %", on_digits))
    once = done.text(done.find("of the test images are right"))
    assert all(float(percent) > 90 for percent in re.findall(r"([\d.]+) %", once))
    things = done.text(done.find("guessing gives 10 %"))
    assert 15 < float(re.findall(r"validation ([\d.]+) %", things)[0]) < 40


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "svm_naive", "svm_loss_naive")
