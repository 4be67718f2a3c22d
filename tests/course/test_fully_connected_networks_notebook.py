"""The notebook on fully connected networks runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import notebooks
from tests.support.notebooks import Solved
from tests.support.published import Public

NAME = "fully_connected_networks"


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> Solved:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


@pytest.mark.full
def test_it_runs_with_the_solution(solved: Solved) -> None:
    solved.check_passed(17)
    assert solved.done.figures() == 10
    assert solved.seconds < 360


@pytest.mark.full
def test_what_it_builds_is_graded(solved: Solved) -> None:
    assert solved.score() == 100


@pytest.mark.full
def test_the_numbers_in_its_text_are_right(solved: Solved) -> None:
    done = solved.done
    assert done.text(done.find("hand_dx,")).strip() == "db[0] is 0, dw[0, 2] is 2, dx[0, 0] is 5"
    text = done.text(done.find("the gradient of b1"))
    assert text.strip() == "the loss is 0.31, and the gradient of b1 is -0.54, 0.00"
    assert done.text(done.find("with half")).strip() == "L2 7.0 with half 3.5"
    assert done.text(done.find('"max-norm"')).strip() == "L1 3.0 max-norm [0.5, -1.0, 0.0, 1.5]"
    printed = "\n".join(done.text(n) for n in range(len(done.cells)))
    errors = [float(number) for number in re.findall(r"relative error (?:of \w+: )?(\d\S+)", printed)]
    assert len(errors) > 20
    assert max(errors) < 1e-6


@pytest.mark.full
def test_training_goes_as_its_text_says(solved: Solved) -> None:
    done = solved.done
    trained = done.text(done.find("solver = fcn.create_solver_instance"))
    percent = re.findall(r"([\d.]+) % of the validation pictures", trained)
    assert float(percent[0]) > 34
    assert "your settings: 100%" in done.text(done.find("tiny weights: "))
    assert "five layers: 100%" in done.text(done.find("five layers: "))
    rows = [line.rsplit(maxsplit=4) for line in done.text(done.find("weights below 0.01")).splitlines()[1:]]
    table = {(name, strength): numbers for name, strength, *numbers in rows}
    assert table["weight decay", "0.01"] == table["L2 with 1/2", "0.01"]
    assert table["L1", "0.1"][2] == "100.0%"


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "linear_forward")
