"""The notebook of convolutional networks runs as it says, with a solution and with the stub."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from tests.support import notebooks
from tests.support.notebooks import SolvedNotebook
from tests.support.prose import Prose
from tests.support.published import Public

NAME = "convolutional_networks"
ASKS = """
import json

filters = net.params["W1"] - net.params["W1"].mean(dim=(2, 3), keepdim=True)
beside = (filters[..., 1:] * filters[..., :-1]).mean(dim=(1, 2, 3))
below = (filters[:, :, 1:] * filters[:, :, :-1]).mean(dim=(1, 2, 3))
print(json.dumps({
    "smoothness": ((beside + below) / 2 / (filters**2).mean(dim=(1, 2, 3))).tolist(),
    "by scale": {name.split()[-1]: losses for name, losses in by_scale.items()},
    "signals": sizes,
    "by rate": by_rate,
}))
"""


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> SolvedNotebook:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public, ASKS)


@pytest.fixture(scope="module")
def prose() -> Prose:
    """Return what the notebook says."""
    return Prose(NAME)


@pytest.mark.full
def test_it_runs_with_the_solution(solved: SolvedNotebook) -> None:
    solved.check_passed(14)
    assert solved.done.figures() == 11
    assert solved.seconds < 360


@pytest.mark.full
def test_the_deep_network_is_good(solved: SolvedNotebook, prose: Prose) -> None:
    done = solved.done
    validation = done.text(done.find("solver = cn.create_convolutional_solver_instance"))
    (most,) = prose.find("More than {} percent of the validation pictures should be right.")
    assert float(re.search(r"s; validation (\d+\.\d)%", validation)[1]) > float(most)  # type: ignore[index]
    test = done.text(done.find("y_test)"))
    assert float(re.search(r"test (\d+\.\d)%", test)[1]) > 83  # type: ignore[index]


@pytest.mark.full
def test_the_hand_worked_example_is_right(solved: SolvedNotebook) -> None:
    done = solved.done
    lines = done.text(done.find("patch = image")).splitlines()
    assert [float(line.rpartition("= ")[2]) for line in lines] == [10, 11, 15, 14, 10, 15]
    matrix = done.text(done.find("image[None, None]"))
    assert [float(number) for number in re.findall(r"\d+\.", matrix)] == [10, 11, 15, 14, 10, 15]
    errors = done.text(done.find("relative error"))
    assert all(0 < float(line.rpartition(" ")[2]) < 1e-7 for line in errors.splitlines())


@pytest.mark.full
def test_what_it_says_about_three_layers_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    done = solved.done
    losses = done.text(done.find("ThreeLayerConvNet(reg=reg)"))
    plain, regularized = (float(line.split()[-1]) for line in losses.splitlines())
    (log,) = prose.find(r"the loss is $\log 10 \approx {}$; regularization adds to it.")
    assert plain == pytest.approx(float(log), abs=0.01)
    assert regularized > plain + 0.1
    assert prose.says("It knows the pictures it has seen by heart, and is right about few others.")
    known, new = map(int, re.findall(r"(\d+)%", done.text(done.find("{solver.train_acc_history[-1]:.0%}"))))
    assert known == 100
    assert new < 30
    assert prose.says("With 4,000 pictures it learns something useful.")
    assert int(done.text(done.find("feature_maps.color_filters")).split("%")[0].split()[-1]) > new + 10
    assert prose.says("Some of its filters become smooth")
    assert prose.says("the rest still look like the noise they started with:")
    smoothness = solved.answers()["smoothness"]
    assert 2 <= sum(one > 0.5 for one in smoothness) <= len(smoothness) - 2


@pytest.mark.full
def test_what_it_says_about_initial_weights_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    answers = solved.answers()
    assert prose.says(r"until nothing arrives, and the loss stays at about $\log 10$.")
    losses = {scale: torch.tensor(of_scale) for scale, of_scale in answers["by scale"].items()}
    *small, large = sorted(losses, key=float)
    assert all(float(losses[scale][-20:].mean()) == pytest.approx(2.303, abs=0.2) for scale in small)
    assert losses[large][-5:].mean() < 1

    signals = answers["signals"]
    assert prose.says("Only a gain of 2 keeps it.")
    assert all(0.5 < size < 2 for size in signals["gain 2"])
    (part,) = prose.find("= 1/{}$ of what it was.")
    assert signals["gain 1"][-1] == pytest.approx(1 / int(part), rel=0.5)
    low, high = prose.find("lies between {} and {}.")
    assert signals[low][-1] < 1e-9  # "less than a billionth"
    assert signals[high][-1] > 1e3  # "thousands of times"


@pytest.mark.full
def test_what_it_says_about_batch_normalization_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    (nothing,) = prose.find("no network without batch normalization gets far below {};")
    assert prose.says("with it, the loss falls at every rate.")
    for name, of_one in solved.answers()["by rate"].items():
        losses = torch.tensor(of_one)
        if name.startswith("without"):
            assert losses.unfold(0, 10, 1).mean(dim=1).min() > float(nothing) - 0.35
        else:
            assert losses[-10:].mean() < float(nothing) - 0.35


@pytest.mark.full
def test_what_it_builds_is_graded(solved: SolvedNotebook) -> None:
    assert solved.score() == 100


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "conv_forward")
