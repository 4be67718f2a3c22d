"""The two-layer network's notebook that students get runs as it says, with a solution and with the stub."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from helpers.data.pictures import CLASSES
from tests.support import notebooks
from tests.support.notebooks import SolvedNotebook
from tests.support.prose import Prose, number
from tests.support.published import Public

NAME = "two_layer_net"
ASKS = """
import json

first_layer = few.params["W1"].T.reshape(-1, 3, 32, 32)
squares = (first_layer**2).mean(dim=(1, 2, 3))
print(json.dumps({
    "spiral": {name: float((net.predict(points) == arm).float().mean()) for name, net in spiral_nets.items()},
    "rates": {name.split()[-1]: losses for name, losses in histories.items()},
    "gray": ((first_layer.mean(dim=1) ** 2).mean(dim=(1, 2)) / squares).tolist(),
    "middle": ((first_layer[:, :, 8:24, 8:24] ** 2).mean(dim=(1, 2, 3)) / squares).tolist(),
    "sizes": [sizes, training, validation],
    "amounts": [[known[-1], new[-1]] for known, new in by_amount.values()],
    "map": [[*setting, percent] for setting, percent in found.items()],
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


def percentage(text: str) -> float:
    """Return the number before the last percent sign."""
    return float(text.rpartition(" %")[0].split()[-1])


@pytest.mark.full
def test_it_runs_with_the_solution(solved: SolvedNotebook) -> None:
    solved.check_passed(9)
    assert solved.done.figures() == 12
    assert solved.seconds < 180


@pytest.mark.full
def test_what_it_builds_is_graded(solved: SolvedNotebook) -> None:
    assert solved.score() == 105


@pytest.mark.full
def test_what_it_says_about_the_examples_is_true(solved: SolvedNotebook) -> None:
    done = solved.done
    assert done.text(done.find("hand_scores, hand_hidden =")).splitlines() == [
        "hidden [[1.0, 2.0, 0.0, 3.0], [0.0, 0.0, 1.0, 1.0]]",
        "scores [[3.0, 3.0, 3.0, 3.0, 3.0], [1.0, 1.0, 1.0, 1.0, 1.0]]",
    ]
    assert "the loss is 1.6094\nreg = 0.1: the loss is 5.1094" in done.text(done.find("hand_loss, _ ="))
    assert "the loss is 2.302" in done.text(done.find("untrained ="))
    errors = [float(line.split()[-1]) for line in done.text(done.find("by_differences =")).splitlines()]
    assert len(errors) == 4
    assert max(errors) < 1e-6
    assert percentage(done.text(done.find("linear_labels ="))) < 70


@pytest.mark.full
def test_what_it_says_about_the_spiral_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    right = solved.answers()["spiral"]
    few, nearly, many = prose.find(
        "{} folds are too few for three arms, {} are nearly enough, and with {} the borders"
    )
    rights = [right[f"{number(size)} hidden units"] for size in (few, nearly, many)]
    assert rights[0] < 0.9 < 0.94 < rights[1] < rights[2] == 1


@pytest.mark.full
def test_what_it_says_about_the_learning_rates_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    losses = solved.answers()["rates"]
    (start,) = prose.find(r"All start at $\log 10 \approx {}$, as they should.")
    assert all(first == pytest.approx(float(start), abs=0.05) for first, *_ in losses.values())
    steps, slow, steady, leaping = prose.find(
        "The smallest rate gets nowhere in {} steps, and {} is slow. With {} the loss falls steadily. With {}"
        " it leaps up again and again, at times well above its start. It ends lowest nevertheless"
    )
    assert {len(of_rate) for of_rate in losses.values()} == {int(steps)}
    means = {rate: torch.tensor(of_rate).unfold(0, 20, 20).mean(dim=1) for rate, of_rate in losses.items()}
    smallest = min(losses, key=float)
    assert [smallest, slow, steady, leaping] == sorted(losses, key=float)
    assert means[smallest][-1] > means[smallest][0] - 0.02
    assert means[steady][-1] + 0.3 < means[slow][-1] < means[smallest][-1] - 0.1
    assert (means[steady].diff() < 0.05).all()
    assert max(losses[leaping]) > float(start) + 0.3
    assert (
        sum(one > before + 0.3 for before, one in zip(losses[leaping], losses[leaping][1:], strict=False)) > 5
    )
    assert min(means, key=lambda rate: float(means[rate][-1])) == leaping


@pytest.mark.full
def test_what_it_says_about_hidden_units_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    answers = solved.answers()
    assert prose.says("The strong weights lie in the middle")
    assert min(answers["middle"]) > 1.3  # times the mean square of all weights
    assert prose.says("There is little color in any of them")
    assert min(answers["gray"]) > 0.7  # of the squares; of noise a third


@pytest.mark.full
def test_what_it_says_about_sizes_and_amounts_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    answers = solved.answers()
    sizes, training, validation = answers["sizes"]
    assert prose.says("On the left both are low: underfitting. To the right the gap opens: overfitting.")
    assert max(training[0], validation[0]) < 0.25
    gaps = [known - new for known, new in zip(training, validation, strict=True)]
    assert gaps[0] < 0.1
    assert gaps[-1] > 0.5
    most, rights, of_all = prose.find(
        "With {} units the network knows its pictures by heart, and is right about {} in {} of the others."
    )
    assert int(most) == sizes[-1]
    assert training[-1] > 0.99
    assert validation[-1] == pytest.approx(number(rights) / number(of_all), abs=0.05)

    assert prose.says("The more pictures, the smaller the gap, and the better the network is at new ones.")
    amounts = answers["amounts"]
    gaps = [known - new for known, new in amounts]
    assert gaps == sorted(gaps, reverse=True)
    assert [new for _, new in amounts] == sorted(new for _, new in amounts)


@pytest.mark.full
def test_what_it_says_about_the_map_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    cells = {(rate, strength): percent for rate, strength, percent in solved.answers()["map"]}
    rates, strengths = (sorted(set(of_one)) for of_one in zip(*cells, strict=True))
    rate, _ = max(cells, key=lambda setting: cells[setting])
    assert prose.says("Along the learning rate it lies inside")
    assert rate in rates[1:-1]
    (guessing,) = prose.find("on the right the loss has exploded and {} percent are right, as by guessing.")
    assert float(guessing) == 100 / len(CLASSES)
    assert all(cells[rates[-1], one] == pytest.approx(float(guessing)) for one in strengths)
    best = max(cells.values())
    assert all(cells[rates[place], one] < best - 10 for place in (0, 1) for one in strengths)
    (lowest,) = prose.find(
        "Along the regularization it touches the border at {}: a little changes next to nothing here"
    )
    assert float(lowest) == strengths[0]
    assert max(cells[one, strengths[0]] for one in rates) > best - 3
    assert max(cells[one, strengths[1]] for one in rates) > best - 3
    assert prose.says("and the strongest does harm.")
    assert max(cells[one, strengths[-1]] for one in rates) < best - 8


@pytest.mark.full
def test_what_it_says_about_the_test_set_is_true(solved: SolvedNotebook, prose: Prose) -> None:
    part, of_all, guessed, of_classes = prose.find(
        "About {} in {} is a lot better than guessing, which gives {} in {}, but far from good."
    )
    percent = percentage(solved.done.text(solved.done.find("test_labels =")))
    assert percent == pytest.approx(100 * float(number(part) / number(of_all)), abs=5)
    assert number(guessed) / number(of_classes) * len(CLASSES) == 1


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "forward", "nn_forward_pass")
