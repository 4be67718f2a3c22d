"""The notebook of convolutional networks runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import notebooks
from tests.support.notebooks import Solved
from tests.support.published import Public

NAME = "convolutional_networks"


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> Solved:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


@pytest.mark.full
def test_it_runs_with_the_solution(solved: Solved) -> None:
    solved.check_passed(14)
    assert solved.done.figures() == 11
    assert solved.seconds < 360


@pytest.mark.full
def test_the_deep_network_is_good(solved: Solved) -> None:
    done = solved.done
    validation = done.text(done.find("solver = cn.create_convolutional_solver_instance"))
    assert float(re.search(r"s; validation (\d+\.\d)%", validation)[1]) > 85  # type: ignore[index]
    test = done.text(done.find("y_test)"))
    assert float(re.search(r"test (\d+\.\d)%", test)[1]) > 83  # type: ignore[index]


@pytest.mark.full
def test_the_hand_worked_example_is_right(solved: Solved) -> None:
    done = solved.done
    lines = done.text(done.find("patch = image")).splitlines()
    assert [float(line.rpartition("= ")[2]) for line in lines] == [10, 11, 15, 14, 10, 15]
    matrix = done.text(done.find("image[None, None]"))
    assert [float(number) for number in re.findall(r"\d+\.", matrix)] == [10, 11, 15, 14, 10, 15]
    errors = done.text(done.find("relative error"))
    assert all(float(line.rpartition(" ")[2]) < 1e-7 for line in errors.splitlines())


@pytest.mark.full
def test_what_it_builds_is_graded(solved: Solved) -> None:
    assert solved.score() == 100


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "conv_forward")


def test_the_numbers_of_lenet_are_right() -> None:
    text = (notebooks.ROOT / "solutions" / NAME / f"{NAME}.md").read_text()
    layers = [20 * (25 + 1), 50 * (20 * 25 + 1), 2450 * 500 + 500, 500 * 10 + 10]
    assert sum(layers) == 1_256_080
    assert f"{sum(layers):_}" in text
    assert f"{layers[2]:,}" in text
