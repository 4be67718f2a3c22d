"""Hidden tests of the two-layer network: settings to try, and finding the best network.

The class of networks is replaced by one whose accuracies are known beforehand, so that mistakes in training
and prediction are not counted twice.
"""

import itertools
import math
from typing import Any

import pytest
import torch
import two_layer_net
from torch import Tensor

from autograder.hidden import hidden_generator, hidden_labels, hidden_normal
from helpers.testing import Hint, checks, substituted

FEATURES, NUM_TRAIN, NUM_VAL = 3 * 32 * 32, 30, 20
RATES, SIZES, REGS, DECAYS = [0.5, 0.25], [3, 5, 4], [0.0, 0.125], [1.0, 0.75]
SETTINGS = list(itertools.product(RATES, SIZES, REGS, DECAYS))
TRAINING_DATA = ("X", "y", "X_val", "y_val")
STEP_SETTINGS = ("learning_rate", "learning_rate_decay", "reg")
WHOLE_NUMBERS = ("num_iters", "batch_size")
TRAIN_PARAMETERS = (*TRAINING_DATA, *STEP_SETTINGS, *WHOLE_NUMBERS)
ON_TRAINING = "this is an accuracy on the training set; the validation set decides"
PLAIN = (type(None), bool, int, float, str, tuple, list, dict, Tensor)
"""What a network is not; in the sandbox, the type of a network is the kit's."""

Combination = tuple[float, int, float, float]


SEARCH = {
    "X_train": hidden_normal("search", shape=(NUM_TRAIN, FEATURES), dtype=torch.float32),
    "y_train": torch.arange(NUM_TRAIN) % 10,
    "X_val": hidden_normal("search/val", shape=(NUM_VAL, FEATURES), dtype=torch.float32),
    "y_val": hidden_labels("search/val/y", classes=10, count=NUM_VAL),
}


@pytest.mark.task("search_params", weight=3)
def test_number_of_settings() -> None:
    """Settings: at least 4 and at most 256 combinations, none of them twice."""
    lists = two_layer_net.nn_get_search_params()
    checks.parts(lists, 4, what="the settings")
    for values in lists:
        checks.holds(type(values) in (list, tuple), what="the settings", problem="one of them is not a list")
        distinct = {checks.number(value, at_least=0, what="a setting") for value in values}
        checks.holds(len(distinct) == len(values), what="the settings", problem="a value is in a list twice")
    number = math.prod(len(values) for values in lists)
    for fits, problem in ((number >= 4, "fewer than 4"), (number <= 256, "more than 256")):
        cause = "the lengths of the four lists are multiplied"
        checks.holds(fits, what="the number of combinations", problem=problem, likely_cause=cause)


class Nets:
    """Networks whose accuracy on the validation set is known for all settings.

    The better a network is there, the worse it is on the training set, so that choosing by that shows. What
    is done with them in a wrong way is noted, so that students read it afterwards.
    """

    def __init__(self, best: int) -> None:
        right = torch.randperm(15, generator=hidden_generator(f"right {best}")) + 1
        others = [place for place in range(len(SETTINGS)) if place != best]
        self.right = {SETTINGS[place]: int(right[n % 15]) for n, place in enumerate(others)}
        self.right[SETTINGS[best]] = 17
        sizes = [*SIZES * (len(SETTINGS) // len(SIZES)), SIZES[0]]  # one more, to train the best again
        self.spare = [
            two_layer_net.TwoLayerNet(FEATURES, size, 10, dtype=torch.float32, device="cpu") for size in sizes
        ]
        self.trained: set[Combination] = set()
        self.misuse: list[str] = []

    def stats(self, settings: Combination) -> dict[str, list[float]]:
        """Return what training with these settings gives."""
        good = self.right.get(settings, 0) / NUM_VAL
        return {
            "loss_history": [2.25, 1.0 + good],
            "train_acc_history": [0.0, 1 - good],
            "val_acc_history": [good / 2, good],
        }

    def labels(self, settings: Combination | None, x: Tensor) -> Tensor:
        """Return the labels that a network predicts."""
        truth = SEARCH["y_val"] if len(x) == NUM_VAL else SEARCH["y_train"]
        right = self.right.get(settings, 0) if settings else 0
        right = right if len(x) == NUM_VAL else NUM_TRAIN - right
        return torch.where(torch.arange(len(truth)) < right, truth, (truth + 1) % 10)

    def make(
        self, input_size: int, hidden_size: int, output_size: int, *rest: object, **more: object
    ) -> object:
        """Stand for the class TwoLayerNet, whose other parameters do not matter here."""
        if (int(input_size), int(output_size)) != (FEATURES, 10):
            self.misuse.append("a network does not fit the data: features, hidden units and classes")
        if int(hidden_size) not in SIZES:
            self.misuse.append("the number of hidden units is not one of those to try")
        net: Any = self.spare.pop()
        settings: list[Combination] = []

        def train(*args: Any, **kwargs: Any) -> object:
            given = dict(zip(TRAIN_PARAMETERS, args, strict=False)) | kwargs
            if [len(given[name]) for name in TRAINING_DATA] != [NUM_TRAIN] * 2 + [NUM_VAL] * 2:
                self.misuse.append("training and validation data are not in their places")
            whole = [given.get(name, 1) for name in WHOLE_NUMBERS]
            if any(type(number) is not int or number < 1 for number in whole):
                self.misuse.append("num_iters and batch_size are whole numbers, 1 or more")
            rate, decay, reg = (float(given.get(name, math.nan)) for name in STEP_SETTINGS)
            settings.append((rate, int(hidden_size), reg, decay))
            self.trained.add(settings[-1])
            return self.stats(settings[-1])

        net.train = train
        net.predict = lambda X: self.labels(settings[-1] if settings else None, X)
        return net

    def check_use(self) -> None:
        """Check that a network was made and trained for every combination, and for no other."""
        cause = self.misuse[0] if self.misuse else None
        checks.holds(cause is None, what="the networks", problem="not used rightly", likely_cause=cause)
        strange = len(self.trained - set(SETTINGS))
        checks.holds(
            not strange,
            what="the networks",
            problem=f"{strange} trained with settings that were not asked for",
            likely_cause="the settings are mixed up, or not all of them are passed on to train",
        )
        missing = len(set(SETTINGS) - self.trained)
        checks.holds(
            not missing,
            what="the networks",
            problem=f"{missing} of {len(SETTINGS)} combinations were not tried",
            likely_cause="a network is not trained, or a loop ends early",
        )


def check_search(best: int) -> None:
    """Check that the best of all settings is found, wherever it stands."""
    nets = Nets(best)
    with substituted(two_layer_net, TwoLayerNet=nets.make):
        found = two_layer_net.find_best_net(
            {name: value.clone() for name, value in SEARCH.items()}, lambda: (RATES, SIZES, REGS, DECAYS)
        )
    net, stat, accuracy = checks.parts(found, 3, what="the network, its statistics and its accuracy")
    nets.check_use()
    worst = min(nets.right.values())
    hints = [
        Hint(85.0, says="this is a percentage; an accuracy is a number from 0 to 1"),
        Hint(1 - worst / NUM_VAL, says=ON_TRAINING),
        Hint(1 - worst / NUM_TRAIN, says=ON_TRAINING),
        Hint(nets.right[SETTINGS[-1]] / NUM_VAL, says="the last network was chosen, not the best"),
        Hint(nets.right[SETTINGS[0]] / NUM_VAL, says="the first network was chosen, not the best"),
        Hint(worst / NUM_VAL, says="the worst network was chosen, or the best on the training set"),
    ]
    best_accuracy = checks.scalar(accuracy, what="the best accuracy")
    checks.close(best_accuracy, 0.85, what="the best accuracy", hints=hints)
    hints = [Hint(nets.stats(SETTINGS[-1]), says="these belong to the last network, not to the best")]
    checks.close(stat, nets.stats(SETTINGS[best]), what="the statistics of the best network", hints=hints)
    checks.holds(type(net) not in PLAIN, what="the best network", problem="not a TwoLayerNet")
    labels = net.predict(SEARCH["X_val"].clone())  # type: ignore[attr-defined]
    last = nets.labels(SETTINGS[-1], SEARCH["X_val"])
    hints = [Hint(last, says="the last network was returned, not the best")]
    checks.equal(labels, nets.labels(SETTINGS[best], SEARCH["X_val"]), what="the best network", hints=hints)


@pytest.mark.task("find_best_net", weight=4)
def test_best_net_in_the_middle() -> None:
    """Search: the network with the highest accuracy on the validation set is found among 24."""
    check_search(9)


@pytest.mark.task("find_best_net", weight=3)
def test_best_net_at_either_end() -> None:
    """Search: it is found as well where it comes first or last."""
    check_search(0)
    check_search(len(SETTINGS) - 1)
