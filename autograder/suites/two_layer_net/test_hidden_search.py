"""Hidden tests of the two-layer network: settings to try, and finding the best network.

Training and prediction are replaced by functions whose accuracies are known beforehand, so that mistakes in
them are not counted twice. The networks are objects of the class that students have.
"""

import itertools
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import two_layer_net
from torch import Tensor

from autograder.hidden import hidden_generator, hidden_labels, hidden_normal
from helpers.testing import CheckFailure, Hint, asking, checks, substituted

FEATURES, NUM_TRAIN, NUM_VAL = 3 * 32 * 32, 30, 20
RATES, SIZES, REGS, DECAYS = [0.5, 0.25], [5, 3], [0.0625, 0.125], [1.0, 0.75]
SETTINGS = list(itertools.product(RATES, SIZES, REGS, DECAYS))
BEST = 17
"""How many labels of the validation set the best network gets right."""
SPARE = 100
"""How many networks may be made: more than combinations, for who trains some again or takes others."""
TOO_MANY = "more networks than combinations: the settings come from get_param_set_fn"
FOUR = "four lists, in this order: learning rates, hidden sizes, regularization strengths, decays"
NOT_ASKED = "the settings come from get_param_set_fn, which was not called"
ON_TRAINING = "this is an accuracy on the training set; the validation set decides"
LAST = "the last network was chosen, not the best"
WORST = "the worst network was chosen, or the best on the training set"
PLAIN = (type(None), bool, int, float, str, tuple, list, dict, Tensor)
"""What a network is not; in the sandbox, the type of a network is the kit's."""

Combination = tuple[float, int, float, float]
Params = dict[str, Tensor]


SEARCH = {
    "X_train": hidden_normal("search", shape=(NUM_TRAIN, FEATURES), dtype=torch.float32),
    "y_train": torch.tensor([0, 1, 2, 4, 5, 6, 8, 9]).repeat(4)[:NUM_TRAIN],  # no 3 and no 7
    "X_val": hidden_normal("search/val", shape=(NUM_VAL, FEATURES), dtype=torch.float32),
    "y_val": hidden_labels("search/val/y", classes=10, count=NUM_VAL),
}


def list_settings(values: Any) -> list[object]:
    """Return the settings of one kind as a list; arrays and tensors will do."""
    values = values.tolist() if hasattr(values, "tolist") else values
    checks.holds(type(values) in (list, tuple), what="the settings", problem="one of them is not a list")
    says = "name at least one value in each list"
    checks.holds(
        len(values) > 0, what="the settings", problem="a list is empty", likely_cause=says, slip=True
    )
    return list(values)


def take_lists() -> list[list[object]]:
    """Return the student's lists of settings that are asked for.

    One that is missing, more than four, and names for them are a slip, if the others are right.
    """
    found: Any = two_layer_net.nn_get_search_params()
    named = type(found) is dict
    found = list(found.values()) if named else found
    count = max(3, len(found)) if isinstance(found, (tuple, list)) else 4
    found = checks.parts(found, count, what="the settings")
    if named or count != 4:
        asking.note(CheckFailure("the settings", "not four lists", likely_cause=FOUR, slip=True))
    return [list_settings(values) for values in found[:4]]


@asking.one_slip()
@pytest.mark.task("search_params", weight=3)
def test_number_of_settings() -> None:
    """Settings: at least 4 and at most 256 combinations, none of them twice."""
    lists = take_lists()
    for values in lists:
        distinct = {checks.number(value, at_least=0, what="a setting") for value in values}
        checks.holds(len(distinct) == len(values), what="the settings", problem="a value is in a list twice")
    number = math.prod(len(values) for values in lists)
    for fits, problem in ((number >= 4, "fewer than 4"), (number <= 256, "more than 256")):
        cause = "the lengths of the four lists are multiplied"
        checks.holds(fits, what="the number of combinations", problem=problem, likely_cause=cause, slip=True)


class Nets:
    """Networks whose accuracy on the validation set is known for all settings.

    The better a network is there, the worse it is on the training set, so that choosing by that shows. What
    is done with them in a wrong way is noted, so that students read it afterwards. Each network has a number,
    which is the first of its weights and goes along with every copy of them.
    """

    def __init__(self, best: int) -> None:
        wrong = NUM_VAL - BEST  # no network gets as many right as the best gets wrong
        numbers = torch.tensor([number for number in range(1, BEST) if number != wrong])
        right = numbers[torch.randperm(15, generator=hidden_generator(f"right {best}"))]
        others = [place for place in range(len(SETTINGS)) if place != best]
        least = int(right.argmin())
        others[least], others[7] = others[7], others[least]  # the worst comes neither first nor last
        self.right = {SETTINGS[place]: int(number) for place, number in zip(others, right, strict=True)}
        self.right[SETTINGS[best]] = BEST
        self.spare = [
            two_layer_net.TwoLayerNet(FEATURES, 1, 10, dtype=torch.float32, device="cpu")
            for _ in range(SPARE)
        ]
        self.trained: dict[int, Combination] = {}
        self.misuse: list[str] = []
        self.values, self.asked = 3, False
        self.given: Any = (RATES, SIZES, REGS, DECAYS)

    def stats(self, settings: Combination) -> dict[str, list[float]]:
        """Return what training with these settings gives; the best was never as good as some were once."""
        good = self.right[settings] / NUM_VAL
        once = good / 2 if self.right[settings] == BEST else 0.9 + good / 20
        return {
            "loss_history": [2.25, 1.0 + good, 1.0 + good],
            "train_acc_history": [0.0, 1 - good, 1 - good],
            "val_acc_history": [good / 2, once, good],
        }

    @property
    def best(self) -> float:
        """The best accuracy of all networks that were trained."""
        return max(self.right[settings] for settings in self.trained.values()) / NUM_VAL

    def labels(self, settings: Combination | None, x: Tensor) -> Tensor:
        """Return the labels that a network predicts."""
        truth = SEARCH["y_val"] if len(x) == NUM_VAL else SEARCH["y_train"]
        right = self.right[settings] if settings else 0
        right = right if len(x) == NUM_VAL else NUM_TRAIN - right
        return torch.where(torch.arange(len(truth)) < right, truth, (truth + 1) % 10)

    # What is put in the place of the student's functions, with the parameters of the stub

    def make(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: torch.dtype = torch.float32,
        device: object = "cpu",
        std: float = 1e-4,
    ) -> object:
        """Stand for the class TwoLayerNet."""
        if int(output_size) == len(SEARCH["y_train"].unique()):
            self.misuse.append("there are as many classes as the largest label says, not as many as occur")
        if (int(input_size), int(output_size)) != (FEATURES, 10):
            self.misuse.append("a network does not fit the data: features, hidden units and classes")
        if int(hidden_size) not in SIZES:
            self.misuse.append("the number of hidden units is not one of those to try")
        hidden_size, output_size = max(1, min(int(hidden_size), 50)), min(int(output_size), 50)
        weights = torch.zeros(FEATURES, hidden_size)
        weights[0, 0] = len(self.spare)
        if len(self.spare) == 1:
            self.misuse.append(TOO_MANY)
        net = self.spare[-1] if len(self.spare) == 1 else self.spare.pop()
        net.params = {
            "W1": weights,
            "b1": torch.zeros(hidden_size),
            "W2": torch.zeros(hidden_size, output_size),
            "b2": torch.zeros(output_size),
        }
        return net

    def train(
        self,
        params: Params,
        loss_func: object,
        pred_func: object,
        X: Tensor,
        y: Tensor,
        X_val: Tensor,
        y_val: Tensor,
        learning_rate: float = 1e-3,
        learning_rate_decay: float = 0.95,
        reg: float = 5e-6,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> object:
        """Stand for nn_train."""
        if [len(data) for data in (X, y, X_val, y_val)] != [NUM_TRAIN] * 2 + [NUM_VAL] * 2:
            self.misuse.append("training and validation data are not in their places")
        if any(type(number) is not int or number < 1 for number in (num_iters, batch_size)):
            self.misuse.append("num_iters and batch_size are whole numbers, 1 or more")
        settings = float(learning_rate), params["W1"].shape[1], float(reg), float(learning_rate_decay)
        # The order of unknown settings tells nothing about how good they are: neither end is the best.
        self.right.setdefault(settings, 1 + (7 * len(self.trained) + 5) % 15)
        self.trained[number_of(params)] = settings
        return self.stats(settings)

    def predict(self, params: Params, loss_func: object, X: Tensor) -> Tensor:
        """Stand for nn_predict."""
        return self.labels(self.trained.get(number_of(params)), X)

    def forward(self, params: Params, X: Tensor) -> tuple[Tensor, Tensor]:
        """Stand for nn_forward_pass."""
        scores = torch.nn.functional.one_hot(self.predict(params, None, X), 10).to(X.dtype)
        return scores, torch.zeros(len(X), params["W1"].shape[1], dtype=X.dtype)

    def forward_backward(
        self, params: Params, X: Tensor, y: Tensor | None = None, reg: float = 0.0
    ) -> object:
        """Stand for nn_forward_backward."""
        if y is None:
            return self.forward(params, X)[0]
        return torch.tensor(1.0), {name: torch.zeros_like(value) for name, value in params.items()}

    def settings(self) -> object:
        """Give what there is to try."""
        self.asked = True
        return self.given

    def begin_again(self, given: Any) -> None:
        """Forget what was trained, and give settings in another form."""
        self.trained, self.misuse, self.given = {}, [], given

    def part_of(self, combinations: Iterable[Combination]) -> set[tuple[float, ...]]:
        """Return what of combinations is given to the student's search, which may take fewer lists."""
        return {settings[: len(self.given)] for settings in combinations}

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put all of this in the place of what the student wrote."""
        with substituted(
            two_layer_net,
            TwoLayerNet=self.make,
            nn_train=self.train,
            nn_predict=self.predict,
            nn_forward_pass=self.forward,
            nn_forward_backward=self.forward_backward,
        ):
            yield


def number_of(params: Params) -> int:
    """Return the number of a network."""
    return int(params["W1"][0, 0])


def in_own_form() -> Any:
    """Return the settings to try in the form that the student's own settings have."""
    own: Any = two_layer_net.nn_get_search_params()
    names = list(own) if type(own) is dict else []
    own = [own[name] for name in names] if names else own
    lists = [RATES, SIZES, REGS, DECAYS, *(list_settings(values)[:1] for values in own[4:])][: len(own)]
    return dict(zip(names, lists, strict=True)) if names else tuple(lists)


def search(nets: Nets) -> tuple[object, ...]:
    """Return what the student's search gives: network, statistics and accuracy.

    One that takes settings in the form of the student's own, which is another one, is asked again with these.
    """

    def find() -> object:
        return two_layer_net.find_best_net({name: x.clone() for name, x in SEARCH.items()}, nets.settings)

    def find_in_own_form() -> object:
        nets.begin_again(in_own_form())
        return find()

    found: Any = asking.ask_again(
        find,
        find_in_own_form,
        what="find_best_net with four lists of settings",
        problem="an exception; with settings in the form of nn_get_search_params all of this is right",
        says=FOUR,
    )
    checks.holds(
        TOO_MANY not in nets.misuse, what="the networks", problem="too many", likely_cause=TOO_MANY, slip=True
    )
    if type(found) in (tuple, list) and len(found) > 3:
        nets.values, found = len(found), found[:3]
    return checks.parts(found, 3, what="the network, its statistics and its accuracy")


@asking.one_slip()
def check_search(best: int) -> None:
    """Check that the best of those networks is found that were trained, wherever it stands."""
    nets = Nets(best)
    with nets.in_place():
        net, stat, accuracy = search(nets)
        checks.holds(len(nets.trained) > 0, what="the networks", problem="none was trained")
        order = list(nets.trained.values())
        worst = min(order, key=lambda settings: nets.right[settings])
        right = max(order, key=lambda settings: nets.right[settings])
        once = max(max(nets.stats(settings)["val_acc_history"]) for settings in order)
        hints = [
            Hint(100 * nets.best, says="this is a percentage; an accuracy is a number from 0 to 1"),
            Hint(1 - nets.best, says="this is the part of wrong predictions"),
            Hint(1 - nets.right[worst] / NUM_TRAIN, says=ON_TRAINING),
            Hint(1 - nets.right[worst] / NUM_VAL, says=ON_TRAINING),
            Hint(nets.right[order[-1]] / NUM_VAL, says=LAST),
            Hint(nets.right[order[0]] / NUM_VAL, says="the first network was chosen, not the best"),
            Hint(nets.right[worst] / NUM_VAL, says=WORST),
            Hint(once, says="this is the best accuracy during a training; the one after it decides"),
        ]
        found = checks.scalar(accuracy, what="the best accuracy")
        checks.close(found, nets.best, what="the best accuracy", hints=hints)
        hints = [
            Hint(nets.stats(order[-1]), says=LAST),
            Hint(nets.stats(worst), says=WORST),
        ]
        checks.close(stat, nets.stats(right), what="the statistics of the best network", hints=hints)
        checks.holds(type(net) not in PLAIN, what="the best network", problem="not a TwoLayerNet")
        labels = net.predict(SEARCH["X_val"].clone())  # type: ignore[attr-defined]
    hints = [Hint(nets.labels(order[-1], SEARCH["X_val"]), says=LAST)]
    checks.equal(labels, nets.labels(right, SEARCH["X_val"]), what="the best network", hints=hints)


@asking.one_slip()
@pytest.mark.task("find_best_net", weight=1)
def test_all_combinations() -> None:
    """Search: a network is made and trained for every combination, and for no other."""
    nets = Nets(9)
    with nets.in_place():
        search(nets)
    checks.holds(
        nets.asked, what="the settings", problem="not those to try", likely_cause=NOT_ASKED, slip=True
    )
    checks.holds(
        nets.values == 3,
        what="the result of the search",
        problem=f"{nets.values} values, and 3 are asked for",
        likely_cause="only the network, its statistics and its accuracy are returned",
        slip=True,
    )
    cause = nets.misuse[0] if nets.misuse else None
    problem = "not used rightly"
    checks.holds(cause is None, what="the networks", problem=problem, likely_cause=cause, slip=True)
    trained, wanted = nets.part_of(nets.trained.values()), nets.part_of(SETTINGS)
    strange = len(trained - wanted)
    checks.holds(
        not strange,
        what="the networks",
        problem=f"{strange} trained with settings that were not asked for",
        likely_cause="the settings are mixed up, or not all of them are passed on to train",
        slip=True,
    )
    missing = len(wanted - trained)
    checks.holds(
        not missing,
        what="the networks",
        problem=f"{missing} of {len(wanted)} combinations were not tried",
        likely_cause="a network is not trained, or a loop ends early",
        slip=True,
    )


@pytest.mark.task("find_best_net", weight=4)
def test_best_net_in_the_middle() -> None:
    """Search: the network with the highest accuracy on the validation set is found among 16."""
    check_search(9)


@pytest.mark.task("find_best_net", weight=2)
def test_best_net_at_either_end() -> None:
    """Search: it is found as well where it comes first or last."""
    check_search(0)
    check_search(len(SETTINGS) - 1)
