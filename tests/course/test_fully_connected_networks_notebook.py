"""The notebook on fully connected networks runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers import data
from helpers.training.solver import Solver
from tests.support import notebooks
from tests.support.notebooks import SolvedNotebook
from tests.support.prose import Prose, load_reference
from tests.support.published import Public

NAME = "fully_connected_networks"
PROSE = Prose(NAME)


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> SolvedNotebook:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


@pytest.mark.full
def test_it_runs_with_the_solution(solved: SolvedNotebook) -> None:
    solved.check_passed(17)
    assert solved.done.figures() == 10
    assert solved.seconds < 360


@pytest.mark.full
def test_what_it_builds_is_graded(solved: SolvedNotebook) -> None:
    assert solved.score() == 100


@pytest.mark.full
def test_the_examples_by_hand_come_out(solved: SolvedNotebook) -> None:
    done = solved.done
    assert done.text(done.find("hand_dx,")).strip() == "db[0] is 3, dw[1, 3] is 7, dx[0, 0] is 5"
    text = done.text(done.find("the gradient of b1"))
    assert text.strip() == "the loss is 0.31, and the gradient of b1 is [-0.54, 0.0, 0.27]"
    assert done.text(done.find("with half")).strip() == "L2 7.0 with half 3.5"
    assert done.text(done.find('"max-norm"')).strip() == "L1 3.0 max-norm [0.5, -1.0, 0.0, 1.5]"
    printed = "\n".join(done.text(n) for n in range(len(done.cells)))
    errors = [float(number) for number in re.findall(r"relative error (?:of \w+: )?(\d\S+)", printed)]
    assert len(errors) > 20
    assert max(errors) < 1e-6


@pytest.mark.full
def test_training_goes_as_its_text_says(solved: SolvedNotebook) -> None:
    done = solved.done
    trained = done.text(done.find("solver = fcn.create_solver_instance"))
    percent = re.findall(r"([\d.]+) % of the validation pictures", trained)
    asked = re.search(r"has to get (\d+) % of new ones right", PROSE.text)
    assert asked is not None
    assert float(percent[0]) > float(asked[1]) + 2
    assert "your settings: 100%" in done.text(done.find("tiny weights: "))
    assert "five layers: 100%" in done.text(done.find("five layers: "))


@pytest.mark.full
def test_regularizers_compare_as_its_text_says(solved: SolvedNotebook) -> None:
    done = solved.done
    rows = [line.rsplit(maxsplit=4) for line in done.text(done.find("weights below 0.01")).splitlines()[1:]]
    table = {
        (name, strength): [float(one.rstrip("%")) for one in numbers] for name, strength, *numbers in rows
    }
    train, val, near_zero = table.pop(("none", "0.0"))
    assert "L2 with the factor ½ equals weight decay, except for rounding" in PROSE.text
    for strength in ("0.001", "0.01", "0.1"):
        assert table["weight decay", strength] == pytest.approx(table["L2 with 1/2", strength], abs=1)
    assert (
        "With λ = 0.001, L1 does something that L2 does not: it pulls many weights to *zero*." in PROSE.text
    )
    assert table["L2", "0.001"][2] < near_zero + 2
    assert table["L1", "0.001"][2] > near_zero + 20
    assert "too large for one regularizer, such as 0.01 for L1, is harmless for another" in PROSE.text
    assert table["L1", "0.01"][0] < 20
    assert table["L2", "0.01"][0] > 90
    assert "on the validation set it improves by one percentage point at most" in PROSE.text
    assert all(numbers[0] < train for numbers in table.values())
    assert all(numbers[1] <= val + 1 for numbers in table.values())


@pytest.mark.full
def test_dropout_goes_as_its_text_says(solved: SolvedNotebook) -> None:
    done = solved.done
    shown = done.text(done.find("x = 10 + torch.randn"))
    lines = re.findall(r"p = ([\d.]+): ([\d.]+)% dropped, mean ([\d.]+), without dropout ([\d.]+)", shown)
    assert len(lines) == 3
    for p, share, mean, without in (map(float, line) for line in lines):
        assert share == pytest.approx(100 * p, abs=1)
        assert mean == pytest.approx(without, abs=0.2)
    assert "The more units are dropped, the slower the pictures are learned by heart." in PROSE.text
    pictures = data.tabletop(num_train=4000, num_val=1000, num_test=1000)
    given = {"fcn": load_reference(NAME), "Solver": Solver, "pictures": pictures, "device": "cpu"}
    names = PROSE.run("mean_picture =", "some = {", until="accuracies.", **given)
    known = [max(history[0]) for history in names["dropouts"].values()]
    assert known == sorted(known, reverse=True)
    assert len(set(known)) == 3
    assert "with so few pictures there is little to gain" in PROSE.text
    new = [max(history[1]) for history in names["dropouts"].values()]
    assert max(new) - new[0] < 0.03


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "linear_forward")
