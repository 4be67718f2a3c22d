"""Hidden tests of batches, gradient descent, predictions and the search for settings.

What a function builds on is replaced, so that a mistake in one task loses points in that task only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import linear_classifier
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from autograder.hidden import Thresholds, altered, hidden_generator, hidden_labels, hidden_normal
from helpers import data
from helpers.testing import Hint, asking, checks, constructor, convention, public_generator, substituted

THRESHOLDS = Thresholds("linear_classifier")
FACTOR = float(convention("regularization"))

normal = partial(hidden_normal, dtype=torch.float32)
MAX_NUMBERS = 1_000_000
"""More numbers than any test hands over: student code that asks a replacement for more gets nothing."""


def labels_below(classes: int, name: str, count: int) -> Tensor:
    """Return hidden labels, the largest among them."""
    labels = hidden_labels(name, classes=classes, count=count)
    labels[count // 2] = classes - 1
    return labels


# Batches

ALIKE = "the generator is seeded in every call, or the batch is cut from the beginning"

X_NUMBERED = torch.arange(50.0)[:, None] * torch.tensor([1.0, -2.0, 0.5])
Y_NUMBERED = torch.randperm(50, generator=hidden_generator("numbered"))


def batch(size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw a batch of the numbered examples, check it, and return the numbers of its examples."""
    found = linear_classifier.sample_batch(X_NUMBERED.to(dtype).clone(), Y_NUMBERED.clone(), 50, size)
    x, y = checks.parts(found, 2, what="the batch")
    rows = checks.tensor(x, shape=(size, 3), dtype=dtype, what="the examples")
    labels = checks.tensor(y, shape=(size,), dtype=torch.int64, what="the labels")
    numbers = rows[:, 0].round().long()
    known = bool(((numbers >= 0) & (numbers < 50)).all())
    known = known and bool((X_NUMBERED[numbers] == rows).all())
    checks.holds(known, what="the examples", problem="not rows of X")
    checks.holds(
        bool((Y_NUMBERED[numbers] == labels).all()),
        what="the labels that were drawn",
        problem="do not belong to the examples",
        likely_cause="X and y must be indexed by the same random numbers",
    )
    return numbers


@asking.one_slip()
@pytest.mark.task("sample_batch", weight=2)
def test_batch_pairs() -> None:
    """Examples keep their own labels, whatever the size of the batch and the dtype."""
    for size, dtype in ((1, torch.float32), (7, torch.float64), (50, torch.float32)):
        batch(size, dtype)


@pytest.mark.task("sample_batch", weight=1)
def test_batches_are_random() -> None:
    """Every batch is different."""
    drawn = torch.stack([batch(25) for _ in range(50)])
    checks.holds(
        len(torch.unique(drawn, dim=0)) > 40,
        what="the batches",
        problem="the same again and again",
        likely_cause=ALIKE,
    )


@pytest.mark.task("sample_batch", weight=1)
def test_every_example_is_drawn() -> None:
    """Every example gets its turn."""
    drawn = torch.stack([batch(25) for _ in range(50)])
    checks.holds(
        len(torch.unique(drawn, dim=0)) > 1,
        what="the batches",
        problem="all the same",
        likely_cause=ALIKE,
    )
    checks.holds(  # with replacement, one example of 50 is missing with a probability of 5e-10
        len(torch.unique(drawn)) == 50,
        what="the examples",
        problem="some are never drawn",
        likely_cause="the random numbers stop short of the last example, or start after the first",
        slip=len(torch.unique(drawn)) == 49,
    )


# Gradient descent


@dataclass
class Given:
    """A loss and a source of batches that are right, and what they were asked.

    The loss is half the squared distance of W to a target that depends on the batch.
    """

    size: int = 4
    drawn: list[tuple[int, int]] = field(default_factory=list)
    weights: list[Tensor] = field(default_factory=list)
    batches: list[tuple[Tensor, Tensor, float]] = field(default_factory=list)

    def sample_batch(self, X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
        """Return the next batch, in a fixed order."""
        self.drawn.append((num_train, batch_size))
        return next_batch(len(self.drawn) - 1, self.size)

    def loss_func(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor, Tensor]:
        """Return loss and gradient."""
        self.weights.append(W.detach().clone())
        self.batches.append((X_batch.clone(), y_batch.clone(), reg))
        step = len(self.weights) - 1
        gradient = W - target(step, self.size, W.dtype)
        return gradient.square().sum() / 2, gradient


X_TRAIN, Y_TRAIN = hidden_normal("train", shape=(24, 5)), labels_below(3, "train/y", 24)
W_START = hidden_normal("start", shape=(5, 3))


def next_batch(step: int, size: int) -> tuple[Tensor, Tensor]:
    """Return the examples and labels of one step."""
    chosen = (torch.arange(size) + step * size) % len(X_TRAIN)
    return X_TRAIN[chosen], Y_TRAIN[chosen]


def target(step: int, size: int, dtype: torch.dtype) -> Tensor:
    """Return where the loss of one step is 0."""
    x, y = next_batch(step, size)
    return (x.T @ functional.one_hot(y, 3).to(x.dtype)).to(dtype) / size


def descent(steps: int, rate: float, *, size: int = 4, sign: float = 1.0) -> tuple[Tensor, list[float]]:
    """Return the weights and losses of gradient descent on the given loss."""
    W, losses = W_START.clone(), []
    for step in range(steps):
        away = W - target(step, size, W.dtype)
        losses.append(float((away**2).sum()) / 2)
        W = torch.lerp(W, W - sign * away, rate)
    return W, losses


def train(given: Given, W: Tensor | None, **kwargs: object) -> tuple[object, object]:
    """Call the student's function with a loss and batches that are right."""
    with substituted(linear_classifier, sample_batch=given.sample_batch):
        found = linear_classifier.train_linear_classifier(
            given.loss_func, W, X_TRAIN.clone(), Y_TRAIN.clone(), batch_size=given.size, **kwargs
        )
    weights, history = checks.parts(found, 2, what="weights and losses")
    return weights, history


UPHILL = "the step goes uphill; subtract the gradient"
TOO_FEW = "the last step is missing"


@pytest.mark.task("train", weight=4)
def test_training_steps() -> None:
    """Eleven steps downhill, each from where the last one ended."""
    given = Given()
    weights, _ = train(given, W_START.clone(), learning_rate=0.3, reg=0.1, num_iters=11)
    hints = [
        Hint(descent(11, 0.3, sign=-1.0)[0], says=UPHILL),
        Hint(descent(10, 0.3)[0], says=TOO_FEW),
        Hint(descent(12, 0.3)[0], says="there is a step too many"),
        Hint(descent(1, 0.3)[0], says="only one step was taken"),
        Hint(W_START, says="the weights never change"),
        Hint(descent(11, 0.3 / 4)[0], says="the gradient was divided by the batch size; the loss did that"),
        Hint(descent(11, 1.0)[0], says="learning_rate is not used"),
        Hint(descent(11, 1e-3)[0], says="learning_rate is not used"),
    ]
    checks.close(
        weights,
        descent(11, 0.3)[0],
        what="the weights after 11 steps",
        operation="float64",
        hints=hints,
        origin=W_START,
    )


@pytest.mark.task("train", weight=4)
def test_training_losses() -> None:
    """One loss per step, a plain number, from before the step."""
    given = Given()
    _, losses = train(given, W_START.clone(), learning_rate=0.3, reg=0.1, num_iters=11)
    right = descent(12, 0.3)[1]
    hints = [
        Hint(right[1:], says="the loss was noted after the step, not before it"),
        Hint(right[10::-1], says="the losses are in the reverse order"),
        Hint(right[:10], says=TOO_FEW),
        Hint(right[:12], says="there is a step too many"),
        Hint(right[:1], says="only one step was taken"),
        Hint(right[10:11], says="only the last loss was noted"),
        Hint(descent(11, 0.3, sign=-1.0)[1], says=UPHILL),
        Hint(descent(11, 1.0)[1], says="learning_rate is not used"),
        Hint(descent(11, 1e-3)[1], says="learning_rate is not used"),
        Hint([right[0]] * 11, says="the weights never change", slip=False),
    ]
    checks.close(losses, right[:11], what="the losses", hints=hints)


@pytest.mark.task("train", weight=1)
def test_training_batches() -> None:
    """Each step draws one batch with sample_batch."""
    given = Given(size=6)
    train(given, W_START.clone(), learning_rate=0.1, reg=0.35, num_iters=5)
    hints = [
        Hint(0, says="sample_batch is not used"),
        Hint(1, says="one batch was drawn for all steps; each step needs a new one"),
        Hint(4, says=TOO_FEW),
        Hint(6, says="there is a step too many"),
        Hint(10, says="two batches were drawn in each step"),
    ]
    checks.equal(len(given.drawn), 5, what="how often sample_batch was called", hints=hints)
    hints = [
        Hint([(24, 200)] * 5, says="batch_size is not passed on"),
        Hint([(6, 24)] * 5, says="num_train and batch_size are swapped"),
    ]
    checks.equal(given.drawn, [(24, 6)] * 5, what="num_train and batch_size for sample_batch", hints=hints)


@pytest.mark.task("train", weight=1)
def test_training_calls() -> None:
    """Each step passes the batch on to loss_func, with reg."""
    given = Given(size=6)
    train(given, W_START.clone(), learning_rate=0.1, reg=0.35, num_iters=5)
    hints = [
        Hint(4, says=TOO_FEW),
        Hint(6, says="there is a step too many"),
        Hint(10, says="loss_func is called twice in each step; it returns loss and gradient at once"),
    ]
    checks.equal(len(given.weights), 5, what="how often loss_func was called", hints=hints)
    everything = "loss_func got all examples, not the batch" if given.drawn else "sample_batch is not used"
    for step, (x, y, reg) in enumerate(given.batches):
        right = next_batch(step, 6)
        hints = [Hint(X_TRAIN, says=everything)]
        checks.equal(x, right[0], what="the examples that loss_func was called with", hints=hints)
        checks.equal(y, right[1], what="the labels that loss_func was called with")
        hints = [Hint(value, says="reg is not passed on") for value in (0.0, 1e-5)]
        checks.equal(reg, 0.35, what="the reg that loss_func was called with", hints=hints)


@asking.one_slip()
@pytest.mark.task("train", weight=1)
def test_training_from_small_weights() -> None:
    """Without weights to start from, small random ones with a column per class are used."""
    given = Given()
    weights, _ = train(given, None, learning_rate=0.25, num_iters=2, verbose=True)
    checks.tensor(weights, shape=(5, 3), dtype=torch.float64, what="the weights")
    small = len(given.weights) > 0 and bool((given.weights[0].abs() < 0.1).all())
    checks.holds(small, what="the first weights that loss_func was called with", problem="not small numbers")
    first = given.weights[0]
    checks.tensor(first, shape=(5, 3), dtype=torch.float64, what="the first weights")
    checks.holds(bool((first != first[0, 0]).any()), what="the first weights", problem="all the same")


NUM_DIGITS = 1000
DIGITS = data.digits(num_train=600, num_val=0, num_test=NUM_DIGITS)


def with_one(images: Tensor) -> Tensor:
    """Return images around 0 as rows, with a feature that is always 1."""
    return torch.cat([images.flatten(1) - 0.3, torch.ones(len(images), 1)], dim=1)


X_DIGITS, Y_DIGITS = with_one(DIGITS.x_train), DIGITS.y_train
CHANGED, Y_CHANGED = altered(DIGITS.x_test, DIGITS.y_test, "digits", shift=0.3, contrast=0.2)
X_CHANGED = with_one(CHANGED)


def softmax_loss(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor, Tensor]:
    """Return a loss that is right, and its gradient."""
    if X.numel() + W.numel() > MAX_NUMBERS:
        raise ValueError("too many numbers")
    logs = (X @ W).log_softmax(dim=1)
    slope = X.T @ (logs.exp() - functional.one_hot(y, W.shape[1])) / len(X)
    return functional.nll_loss(logs, y) + FACTOR * reg * W.square().sum(), slope + 2 * FACTOR * reg * W


def svm_loss(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor, Tensor]:
    """Return a loss that is right, and its gradient."""
    lead = X @ W - (X @ W).gather(1, y[:, None]) + 1
    over = (lead > 0).to(X.dtype)
    slope = X.T @ (over - functional.one_hot(y, W.shape[1]) * over.sum(dim=1, keepdim=True)) / len(X)
    return lead.clamp(min=0).sum() / len(
        X
    ) - 1 + FACTOR * reg * W.square().sum(), slope + 2 * FACTOR * reg * W


def accuracy_on_changed_digits(W: Tensor) -> float:
    """Return how many percent of the changed digits are recognized."""
    return float(((X_CHANGED @ W).argmax(dim=1) == Y_CHANGED).double().mean()) * 100


W_NOISE = 0.7 * torch.randn(65, 10, generator=public_generator("linear_classifier", "noise"))
"""Where training begins. From zeros one short step would read most digits; this has to be unlearned."""


def uphill_weights() -> Tensor:
    """Return where steps in the wrong direction lead, with the batches of the test below."""
    generator, W = hidden_generator("batches"), W_NOISE
    for _ in range(150):
        chosen = torch.randint(600, (60,), generator=generator)
        W = W + 0.3 * softmax_loss(W, X_DIGITS[chosen], Y_DIGITS[chosen], 1e-3)[1]
    return W


@asking.one_slip()
@pytest.mark.task("train", weight=3)
def test_training_recognizes_digits() -> None:
    """Handwritten digits that nobody has seen are recognized after training."""
    generator = hidden_generator("batches")

    def sixty(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(600, (60,), generator=generator)
        return X_DIGITS[chosen], Y_DIGITS[chosen]

    with substituted(linear_classifier, sample_batch=sixty):
        found = linear_classifier.train_linear_classifier(
            softmax_loss,
            W_NOISE.clone(),
            X_DIGITS.clone(),
            Y_DIGITS.clone(),
            learning_rate=0.3,
            reg=1e-3,
            num_iters=150,
            batch_size=60,
        )
    trained, _ = checks.parts(found, 2, what="weights and losses")
    weights = checks.tensor(trained, shape=(65, 10), dtype=torch.float32, what="the weights")
    way, uphill = (weights - W_NOISE).flatten(), (uphill_weights() - W_NOISE).flatten()
    along = functional.cosine_similarity(way, uphill, dim=0)
    checks.holds(
        not float(along) > 0.8,  # of numbers drawn at random it is 0 up to 0.04
        what="the weights",
        problem="the loss has grown",
        likely_cause=UPHILL,
        slip=True,
    )
    accuracy = accuracy_on_changed_digits(weights)
    THRESHOLDS.require("accuracy", accuracy, what="the percentage of digits recognized")


# Predictions

W_SCORES, X_SCORES = hidden_normal("scores/w", shape=(7, 6)), hidden_normal("scores/x", shape=(40, 7))
PREDICTED = torch.stack([torch.mv(W_SCORES.T, x).argmax() for x in X_SCORES])
AXIS = "this is the best example of each class, not the reverse"
PREDICT_HINTS = [
    Hint(torch.stack([torch.mv(W_SCORES.T, x).argmin() for x in X_SCORES]), says="the smallest score won"),
    Hint((X_SCORES @ W_SCORES).argmax(dim=0), says=AXIS),
    Hint((X_SCORES @ W_SCORES).abs().argmax(dim=1), says="the sign of the scores was lost"),
]


@asking.one_slip()
@pytest.mark.task("predict", weight=4)
def test_predictions_in_both_precisions() -> None:
    """Forty examples and six classes, in float64 and in float32."""
    clear = (X_SCORES @ W_SCORES).topk(2, dim=1).values.diff(dim=1).abs().flatten() > 1e-3
    for dtype in (torch.float64, torch.float32):
        x, W = X_SCORES[clear].to(dtype).clone(), W_SCORES.to(dtype).clone()
        found = linear_classifier.predict_linear_classifier(W, x)
        by_class = Hint((X_SCORES[clear] @ W_SCORES).argmax(dim=0), says=AXIS)
        smallest = Hint((X_SCORES[clear] @ W_SCORES).argmin(dim=1), says="the smallest score won")
        checks.equal(found, PREDICTED[clear], what="the labels", hints=[smallest, by_class, *PREDICT_HINTS])


@asking.one_slip()
@pytest.mark.task("predict", weight=2)
def test_prediction_of_one_example() -> None:
    """A single example gets a tensor with one label, and inputs may have any memory layout."""
    W = W_SCORES.T.contiguous().T
    for place in range(3):
        x = torch.stack([X_SCORES[place], X_SCORES[place + 1]], dim=1).T[:1]
        found = linear_classifier.predict_linear_classifier(W, x)
        by_class = checks.agrees(found, torch.zeros(6, dtype=torch.int64))
        checks.holds(not by_class, what="the label", problem="six labels", likely_cause=AXIS, slip=True)
        found = checks.tensor(found, shape=(1,), dtype=torch.int64, what="the label")
        smallest = bool(found[0] == torch.mv(W_SCORES.T, x[0]).argmin())
        says = "the smallest score won"
        checks.holds(not smallest, what="the label", problem="wrong value", likely_cause=says, slip=True)
        checks.equal(found, PREDICTED[place : place + 1].clone(), what="the label")


@pytest.mark.task("predict", weight=2)
def test_classifier_predicts() -> None:
    """The classifier predicts with its own weights, which are not modified."""
    classifier = linear_classifier.LinearSVM()
    classifier.W = W_SCORES.clone()
    x = X_SCORES.clone()
    checks.equal(classifier.predict(x), PREDICTED, what="the labels", hints=PREDICT_HINTS)
    checks.unchanged(X_SCORES, x, what="X")
    checks.unchanged(W_SCORES, classifier.W, what="W")


# The search


STEPS = 600


def combinations(found: object) -> list[tuple[float, float]]:
    """Check the settings that are to be tried, and return all pairs."""
    lists = checks.parts(found, 2, what="rates and strengths")
    rates, strengths = (part.tolist() if hasattr(part, "tolist") else part for part in lists)
    for values, what in ((rates, "the learning rates"), (strengths, "the regularization strengths")):
        good = type(values) in (list, tuple) and 0 < len(values) <= 25
        checks.holds(good, what=what, problem="not a list of 1 to 25 numbers")
        for value in values:
            checks.number(value, at_least=0, what=f"each of {what}")
    checks.holds(min(rates) > 0, what="the learning rates", problem="a rate of 0 learns nothing")
    checks.holds(
        len(rates) * len(strengths) <= 25,
        what="the number of combinations",
        problem="more than 25",
        likely_cause="each learning rate goes with each strength, so the lengths of the lists multiply",
    )
    return [(float(rate), float(strength)) for rate in rates for strength in strengths]


def check_plausible(
    found: object, loss: Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor, Tensor]]
) -> None:
    """Check that one of the combinations learns digits, from weights that are noise.

    The best combinations of the reference reach 88 percent or more under 20 secrets. The bound is far lower,
    since settings that suit other pictures than digits are fine.
    """
    noise = 1e-4 * normal("noise", shape=(65, 10))
    for rate, strength in combinations(found):
        W = noise
        for step in range(STEPS):
            chosen = torch.arange(step * 60, step * 60 + 60) % 600
            W = W - rate * loss(W, X_DIGITS[chosen], Y_DIGITS[chosen], strength)[1]
            if step % 50 == 49 and not bool(W.isfinite().all()):
                break
        if accuracy_on_changed_digits(W) >= 50:
            return
    checks.holds(
        False,
        what="the combinations",
        problem=f"with none of them a linear classifier learns to read digits in {STEPS} steps",
        likely_cause="some are so large that the weights explode, or so small that they hardly move",
    )


@pytest.mark.task("search", weight=2)
def test_svm_search_params_learn() -> None:
    """SVM: with one of the combinations it learns to read digits."""
    check_plausible(linear_classifier.svm_get_search_params(), svm_loss)


@pytest.mark.task("search", weight=2)
def test_softmax_search_params_learn() -> None:
    """Softmax: with one of the combinations it learns to read digits."""
    check_plausible(linear_classifier.softmax_get_search_params(), softmax_loss)


W_ONE = hidden_normal("one/w", shape=(3, 4), dtype=torch.float32)
TRAIN_RIGHT, VAL_RIGHT = 11, 3


def one_part(name: str, count: int, right: int) -> tuple[Tensor, Tensor]:
    """Return examples, and labels of which the weights above get a known number right."""
    x = normal("one", name, shape=(count, 3))
    labels = (x @ W_ONE).argmax(dim=1)
    return x, torch.where(torch.arange(count) < right, labels, (labels + 1) % 4)


DATA = dict(
    zip(
        ("X_train", "y_train", "X_val", "y_val"),
        (*one_part("train", 16, TRAIN_RIGHT), *one_part("val", 8, VAL_RIGHT)),
        strict=True,
    )
)


def true_labels(W: Tensor, X: Tensor) -> Tensor:
    """Return the labels with the largest scores."""
    if X.numel() + W.numel() > MAX_NUMBERS:
        raise ValueError("too many numbers")
    return (X @ W).argmax(dim=1)


@dataclass
class Recorder:
    """A classifier whose training finds known weights at once."""

    classifier: Any = None
    trained: bool = False
    settings: list[list[object]] = field(default_factory=list)

    def train(
        self,
        X_train: Tensor,
        y_train: Tensor,
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> list[float]:
        """Note the settings."""
        self.trained = True
        self.settings.append([learning_rate, reg, num_iters, X_train.clone(), y_train.clone()])
        self.classifier.W = W_ONE.clone()
        return [1.0, 0.5]

    def predict(self, X: Tensor) -> Tensor:
        """Return labels, as long as the classifier was trained."""
        return true_labels(W_ONE, X) if self.trained else torch.full((len(X),), -1)


def one_param_set(**kwargs: object) -> tuple[Recorder, tuple[object, ...]]:
    """Call the student's function with a classifier that records."""
    recorder = Recorder()
    methods = {"train": recorder.train, "predict": recorder.predict, "mark": lambda: 42}
    recorder.classifier = constructor(linear_classifier.Softmax, (), lambda: methods, count=1)()
    given = {name: part.clone() for name, part in DATA.items()}
    with substituted(linear_classifier, predict_linear_classifier=true_labels):
        found = linear_classifier.test_one_param_set(recorder.classifier, given, 0.02, 0.003, **kwargs)
    return recorder, checks.parts(found, 3, what="classifier and accuracies")


@pytest.mark.task("search", weight=4)
def test_one_choice_trains() -> None:
    """One choice: the classifier that was given is trained once, with these settings, and returned."""
    for kwargs, steps in (({"num_iters": 30}, 30), ({}, 2000)):
        recorder, found = one_param_set(**kwargs)
        checks.equal(len(recorder.settings), 1, what="how often the classifier was trained")
        rate, reg, num_iters, x, y = recorder.settings[0]
        hints = [
            Hint([0.003, 0.02, steps], says="learning rate and regularization are swapped"),
            Hint([0.02, 0.003, 100], says="num_iters is not passed on"),
            Hint([0.02, 0.003, 2000], says="num_iters is not passed on"),
            Hint([0.001, 0.003, steps], says="the learning rate is not passed on"),
            Hint([0.02, 1e-5, steps], says="the regularization strength is not passed on"),
        ]
        checks.equal([rate, reg, num_iters], [0.02, 0.003, steps], what="the settings", hints=hints)
        hints = [Hint(DATA[name], says="trained on the validation data") for name in ("X_val", "y_val")]
        checks.equal(x, DATA["X_train"], what="the examples to train on", hints=hints)
        checks.equal(y, DATA["y_train"], what="the labels to train on", hints=hints)
        mark = getattr(found[0], "mark", None)
        checks.holds(callable(mark), what="the first value returned", problem="not the classifier")
        checks.equal(mark(), 42, what="the mark of the classifier returned")


@pytest.mark.task("search", weight=4)
def test_one_choice_accuracies() -> None:
    """One choice: both accuracies are measured after training, on their own data."""
    _, found = one_param_set(num_iters=5)
    rights = (TRAIN_RIGHT / 16, VAL_RIGHT / 8)
    for accuracy, right, part in zip(found[1:], rights, ("training", "validation"), strict=True):
        number = checks.scalar(accuracy, at_least=0, at_most=100, what=f"the {part} accuracy")
        hints = [
            Hint(sum(rights) - right, says="measured on the other part of the data"),
            Hint(1 - right, says="this is the fraction of wrong labels"),
            Hint(0.0, says="measured before training, or as a whole number"),
        ]
        fraction = number / 100 if number > 1 else number
        checks.close(fraction, right, what=f"the {part} accuracy", hints=hints)
