"""The notebook of the linear classifiers runs as it says, with a solution and with the stub."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from tests.support import notebooks
from tests.support.notebooks import SolvedNotebook
from tests.support.published import Public

NAME = "linear_classifier"


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> SolvedNotebook:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


def test_it_runs_with_the_solution(solved: SolvedNotebook) -> None:
    solved.check_passed(9)
    assert solved.done.figures() == 11
    assert solved.seconds < 90


def test_what_it_builds_is_graded(solved: SolvedNotebook) -> None:
    assert solved.score() == 100


def test_the_numbers_in_its_text_are_right(solved: SolvedNotebook) -> None:
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


def test_training_goes_as_its_text_says(solved: SolvedNotebook) -> None:
    done = solved.done
    on_digits = done.text(done.find("of the validation images are right"))
    assert all(float(percent) > 90 for percent in re.findall(r"([\d.]+) %", on_digits))
    once = done.text(done.find("of the test images are right"))
    assert all(float(percent) > 90 for percent in re.findall(r"([\d.]+) %", once))
    things = done.text(done.find("guessing gives 10 %"))
    assert 15 < float(re.findall(r"validation ([\d.]+) %", things)[0]) < 40


def test_what_is_learned_by_heart_is_as_its_text_says(solved: SolvedNotebook) -> None:
    done = solved.done
    lines = done.text(done.find("of them are right")).splitlines()
    rows = [[float(number) for number in re.findall(r"([\d.]+) %", line)] for line in lines if "%" in line]
    assert len(rows) == 4
    assert rows[0][0] == 100
    assert rows[0][1] == pytest.approx(200 / 3, abs=8)  # "about a third are misclassified"
    gaps = [known - new for known, new in rows]
    assert gaps[0] > gaps[-1]


def test_the_tables_of_losses_are_right() -> None:
    text = (notebooks.ROOT / "solutions" / NAME / f"{NAME}.md").read_text(encoding="utf-8")
    scores = [[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]
    hinge = [
        sum(max(0.0, one - row[true] + 1) for place, one in enumerate(row) if place != true)
        for true, row in enumerate(scores)
    ]
    powers = [[math.exp(one) for one in row] for row in scores]
    shares = [[one / sum(row) for one in row] for row in powers]
    losses = [-math.log(row[true]) for true, row in enumerate(shares)]
    for name, known, row, loss in zip(("cat", "car", "frog"), hinge, shares, losses, strict=True):
        assert re.search(rf"^\| {name} \| \$.*\| {known:.3g} \|$", text, re.MULTILINE)
        cells = r" \| ".join(rf"\*{{0,2}}{one:.3f}\*{{0,2}}" for one in row)
        assert re.search(rf"^\| {name} \| {cells} \| {loss:.4f} \|$", text, re.MULTILINE)
    assert f"= {sum(hinge) / 3:.4f}$" in text
    assert f"The mean is {sum(losses) / 3:.4f}." in text


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "svm_naive", "svm_loss_naive")
