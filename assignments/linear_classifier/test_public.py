"""Public checks of the linear classifiers: three images, four classes, scores as in the notebook."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import linear_classifier
import pytest
import torch
from torch import Tensor

from helpers.testing import (
    Hint,
    asking,
    checks,
    constructor,
    convention,
    regularization_causes,
    require,
    require_any_device,
    substituted,
)

# Images of a cat, a car and a frog: a feature for each of them, a fourth that is 2 for the frog, and a 1.
double = partial(torch.tensor, dtype=torch.float64)
X = double([[1.0, 0.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 2.0, 1.0]])
W = double(
    [
        [2.7, 5.6, -1.7, 1.0],
        [0.8, 5.4, 2.0, 0.0],
        [0.7, 1.0, -0.1, 0.0],
        [0.5, 1.0, -1.5, -1.0],
        [0.5, -0.5, 0.0, 1.0],
    ]
)
Y = torch.tensor([0, 1, 2])
# The scores, a row per image, a column per class (cat, car, frog, ship):
#   3.2  5.1 -1.7  2.0
#   1.3  4.9  2.0  1.0
#   2.2  2.5 -3.1 -1.0
SQUARES = 83.84
"""The sum of the squares of all weights."""
FACTOR = float(convention("regularization"))


def of_scores(cat: Sequence[float], car: Sequence[float], frog: Sequence[float]) -> Tensor:
    """Return the gradient of the mean loss, where these are the gradients of each loss by its scores."""
    cat_car, frogs = double([cat, car]), double([frog])
    return torch.cat([cat_car, frogs, 2 * frogs, cat_car.sum(dim=0, keepdim=True) + frogs]) / 3


SVM_GRADIENT = of_scores([-1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, -3.0, 1.0])
SOFTMAX_GRADIENT = of_scores(
    [-0.874914554715, 0.836308083441, 0.000931459159, 0.037675012114],
    [0.024781424508, -0.093043616015, 0.049903660698, 0.018358530810],
    [0.417429762108, 0.563471240925, -0.997916360143, 0.017015357110],
)
NO_MARGINS = of_scores([0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 1.0])
COUNTED = "the true class was counted too; its own margin is always 1"
NOT_SUBTRACTED = "nothing is subtracted at the true class"
NOT_AVERAGED = "the losses were added, not averaged over the examples"
WRONG_AXIS = "normalized over the examples, not the classes"
SVM_MISTAKES = [
    (18.9, NOT_AVERAGED),
    (7.3, COUNTED),
    (4.966667, "the margin of 1 is missing"),
    (1.575, "the losses were also divided by the number of classes"),
    (3.166667, "only the largest margin of each example was counted"),
    (-6.3, "the sign is wrong"),
]
SOFTMAX_MISTAKES = [
    (8.3502, NOT_AVERAGED),
    (-2.7834, "the sign is wrong"),
    (2.1285, WRONG_AXIS),
    (1.8989, WRONG_AXIS),  # after each example's scores were shifted
    (2.9167, "the logarithm was taken of all probabilities, not of the true class's"),
]
SVM_SLIPS = [
    (NO_MARGINS, NOT_SUBTRACTED),
    (
        of_scores([-1.0, 1.0, 0.0, 0.0], [0.0, -1.0, 0.0, 0.0], [1.0, 1.0, -1.0, 1.0]),
        "at the true class, subtract x once for every margin above 0",
    ),
    (of_scores([-2.0, 1.0, 0.0, 0.0], [0.0, -1.0, 0.0, 0.0], [1.0, 1.0, -4.0, 1.0]), COUNTED),
]
SOFTMAX_SLIPS = [
    (
        of_scores(
            [0.125085, 0.836308, 0.000931, 0.037675],
            [0.024781, 0.906956, 0.049904, 0.018359],
            [0.417430, 0.563471, 0.002084, 0.017015],
        ),
        NOT_SUBTRACTED,
    ),
    (
        of_scores(
            [-0.340999, 0.528261, 0.023984, 0.705385],
            [0.098566, -0.567497, 0.970101, 0.259496],
            [0.242433, 0.039236, -0.994086, 0.035119],
        ),
        WRONG_AXIS,
    ),
    (
        of_scores(
            [-0.837020, 0.333333, 0.018614, 0.471776],
            [0.029774, -0.666667, 0.919585, 0.211983],
            [0.807246, 0.333333, -0.938199, 0.316241],
        ),
        WRONG_AXIS,
    ),
]
HALF, TWICE = regularization_causes()

GRADIENTS = ("torch.autograd", "torch.func", "torch.enable_grad", ".backward", ".requires_grad_")
READY_MADE = ("torch.softmax", "torch.log_softmax", "torch.special", "scipy", "sklearn", "helpers")
BANNED = ("torch.nn", *GRADIENTS, *READY_MADE)
"""The first that is found is named, with what to do instead."""

Loss = Callable[..., object]


def loss_and_gradient(
    function: Loss, reg: float = 0.0, dtype: torch.dtype = torch.float32
) -> tuple[object, object]:
    """Call a loss function on the three images, whatever the two values are that it returns."""
    found = asking.ask(function, W.to(dtype).clone(), X.to(dtype).clone(), Y.clone(), reg)
    loss, gradient = checks.parts(found, 2, what="loss and gradient")
    return loss, gradient


@asking.one_slip()
def check_loss(function: Loss, right: float, mistakes: Sequence[tuple[float, str]]) -> None:
    """Check the loss, without regularization."""
    hints = [Hint(value, says=says) for value, says in mistakes]
    hints.append(Hint(1.5 * right, says="divided by N - 1, not by N"))
    loss = checks.scalar(loss_and_gradient(function)[0], what="the loss")
    checks.close(loss, right, what="the loss", operation="rounded", hints=hints)


@asking.one_slip()
def check_gradient(function: Loss, right: Tensor, slips: Sequence[tuple[Tensor, str]]) -> None:
    """Check the gradient, without regularization, in float32 and then in float64."""
    mistakes = [
        (3 * right, "the gradient is not divided by the number of examples"),
        (1.5 * right, "divided by N - 1, not by N"),
        (right / 3, "the gradient is divided by the number of examples twice"),
        (right.T.reshape(5, 4), "the gradient is transposed"),
        (-right, "the sign is wrong"),
        (0 * right, "the gradient was never filled in"),
        *slips,
    ]
    for dtype in (torch.float32, torch.float64):
        _, gradient = loss_and_gradient(function, dtype=dtype)
        hints = [Hint(value.to(dtype), says=says) for value, says in mistakes]
        checks.close(gradient, right.to(dtype), what="the gradient", operation="gradient", hints=hints)


def find_penalty(function: Loss) -> float:
    """Return what the regularizer adds to the loss, in float64, be it right or not."""
    with_it, without = (
        checks.scalar(loss_and_gradient(function, reg, torch.float64)[0], what="the loss")
        for reg in (0.5, 0.0)
    )
    return with_it - without


@asking.one_slip()
def check_regularizer(function: Loss) -> None:
    """Check what the regularizer adds to the loss."""
    found = find_penalty(function)
    right = 0.5 * FACTOR * SQUARES
    hints = [
        Hint(0.0, says="the regularizer is missing"),
        Hint(right / 2, says=HALF),
        Hint(right * 2, says=TWICE),
        Hint(right / 3, says="the regularizer was averaged over the examples, too"),
        Hint(right * 3, says="the regularizer was added once per example"),
    ]
    what = "what the regularizer adds to the loss"
    checks.close(found, right, what=what, operation="rounded", hints=hints)


@asking.one_slip()
def check_slope_of_regularizer(function: Loss) -> None:
    """Check what the regularizer adds to the gradient."""
    loss, _ = loss_and_gradient(function)
    times = find_penalty(function) / (0.5 * FACTOR * SQUARES) if isinstance(loss, (float, Tensor)) else 1.0
    with_it, without = (
        checks.tensor(loss_and_gradient(function, reg, torch.float64)[1], shape=(5, 4), what="the gradient")
        for reg in (0.5, 0.0)
    )
    found, right = with_it - without, FACTOR * W  # the derivative of 0.5 * FACTOR * w²
    half = HALF if abs(times - 0.5) < 1e-3 else "a factor 2 is missing: the derivative of w² is 2w"
    twice = TWICE if abs(times - 2) < 1e-3 else "the gradient of the regularizer is twice too large"
    hints = [
        Hint(0 * right, says="the regularizer has a gradient, too"),
        Hint(right / 2, says=half),
        Hint(right * 2, says=twice),
        Hint(right / 3, says="the regularizer's gradient was averaged, too"),
        Hint(right * 3, says="the regularizer's gradient was added once per example"),
        Hint(torch.full_like(right, 0.5), says="reg was added; it is a factor of the weights"),
    ]
    what = "the part of the gradient that comes from the regularizer"
    checks.close(found, right, what=what, operation="rounded", hints=hints)


@asking.one_slip()
def check_large_scores(function: Loss) -> None:
    """Check a loss of examples with scores around 10,000, around -10,000, and with a tie."""
    weights = torch.tensor([[3.0, 1.0, 0.0, 2.0], [0.0, 2.0, 1.0, 0.0], [10_000.0] * 4])
    images = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, -1.0], [1.0, 1.0, 0.0]])
    found = asking.ask(function, weights, images, torch.tensor([1, 3, 0]), 0.0)
    loss, gradient = checks.parts(found, 2, what="loss and gradient")
    checked = checks.tensor(gradient, shape=(3, 4), dtype=torch.float32, what="the gradient")
    number = float(loss) if isinstance(loss, (float, Tensor)) else 0.0
    checks.holds(
        abs(number) < 1e9 and bool(checked.isfinite().all()),
        what="what comes out for scores around 10,000",
        problem="not finite",
        likely_cause="exp(10,000) is infinite, exp(-10,000) is 0: shift each example's scores "
        "so that the largest is 0",
    )
    # With scores 3, 1, 0, 2 and 0, 2, 1, 0 in place of the large ones the loss would be the same.
    hints = [
        Hint(5.851577, says=NOT_AVERAGED),
        Hint(2.925789, says="divided by N - 1, not by N"),
        Hint(-1.950526, says="the sign is wrong"),
        Hint(1.793081, says=WRONG_AXIS),
    ]
    checks.close(
        checks.scalar(loss, what="the loss"),
        1.950526,
        what="the loss of large scores",
        operation="rounded",
        hints=hints,
    )


def check_inputs_unchanged(function: Loss) -> None:
    """Check that W, X and y are as before."""
    before = (W, X, Y)
    after = tuple(value.clone() for value in before)
    checks.parts(asking.ask(function, *after, 0.5), 2, what="loss and gradient")
    for old, new, what in zip(before, after, ("W", "X", "y"), strict=True):
        checks.unchanged(old, new, what=what)
    require_any_device(function)


def check_own_work(function: Loss) -> None:
    """Check that the function runs, then that its source uses nothing ready-made."""
    loss_and_gradient(function, dtype=torch.float64)
    require(function, banned=BANNED)


def check_no_loop(function: Loss) -> None:
    """Check that the function runs, then that its source has no loop."""
    loss_and_gradient(function, dtype=torch.float64)
    require(function, loops=0)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_loss() -> None:
    """SVM with loops: the loss of three images."""
    check_loss(linear_classifier.svm_loss_naive, 6.3, SVM_MISTAKES)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_gradient() -> None:
    """SVM with loops: the gradient of three images, in float32 and in float64."""
    check_gradient(linear_classifier.svm_loss_naive, SVM_GRADIENT, SVM_SLIPS)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_regularizer() -> None:
    """SVM with loops: the regularizer, in float64."""
    check_regularizer(linear_classifier.svm_loss_naive)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_slope_of_regularizer() -> None:
    """SVM with loops: the regularizer's gradient, in float64."""
    check_slope_of_regularizer(linear_classifier.svm_loss_naive)


@pytest.mark.task("svm_naive", weight=2)
@pytest.mark.constraint
def test_svm_naive_inputs_unchanged() -> None:
    """SVM with loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.svm_loss_naive)


@pytest.mark.task("svm_naive", weight=4)
@pytest.mark.constraint
def test_svm_naive_own_work() -> None:
    """SVM with loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.svm_loss_naive)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_loss() -> None:
    """SVM without loops: the loss of three images."""
    check_loss(linear_classifier.svm_loss_vectorized, 6.3, SVM_MISTAKES)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_gradient() -> None:
    """SVM without loops: the gradient of three images, in float32 and in float64."""
    check_gradient(linear_classifier.svm_loss_vectorized, SVM_GRADIENT, SVM_SLIPS)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_regularizer() -> None:
    """SVM without loops: the regularizer, in float64."""
    check_regularizer(linear_classifier.svm_loss_vectorized)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_slope_of_regularizer() -> None:
    """SVM without loops: the regularizer's gradient, in float64."""
    check_slope_of_regularizer(linear_classifier.svm_loss_vectorized)


@pytest.mark.task("svm_vectorized", weight=2)
@pytest.mark.constraint
def test_svm_vectorized_inputs_unchanged() -> None:
    """SVM without loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.svm_loss_vectorized)


@pytest.mark.task("svm_vectorized", weight=4)
@pytest.mark.constraint
def test_svm_vectorized_own_work() -> None:
    """SVM without loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.svm_loss_vectorized)


@pytest.mark.task("svm_vectorized", weight=4)
@pytest.mark.constraint
def test_svm_vectorized_source() -> None:
    """SVM without loops: the source holds no explicit loop."""
    check_no_loop(linear_classifier.svm_loss_vectorized)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_loss() -> None:
    """Softmax with loops: the loss of three images."""
    check_loss(linear_classifier.softmax_loss_naive, 2.783353, SOFTMAX_MISTAKES)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_gradient() -> None:
    """Softmax with loops: the gradient of three images, in float32 and in float64."""
    check_gradient(linear_classifier.softmax_loss_naive, SOFTMAX_GRADIENT, SOFTMAX_SLIPS)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_regularizer() -> None:
    """Softmax with loops: the regularizer, in float64."""
    check_regularizer(linear_classifier.softmax_loss_naive)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_slope_of_regularizer() -> None:
    """Softmax with loops: the regularizer's gradient, in float64."""
    check_slope_of_regularizer(linear_classifier.softmax_loss_naive)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_large_scores() -> None:
    """Softmax with loops: scores around 10,000 and -10,000."""
    check_large_scores(linear_classifier.softmax_loss_naive)


@pytest.mark.task("softmax_naive", weight=2)
@pytest.mark.constraint
def test_softmax_naive_inputs_unchanged() -> None:
    """Softmax with loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.softmax_loss_naive)


@pytest.mark.task("softmax_naive", weight=4)
@pytest.mark.constraint
def test_softmax_naive_own_work() -> None:
    """Softmax with loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.softmax_loss_naive)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_loss() -> None:
    """Softmax without loops: the loss of three images."""
    check_loss(linear_classifier.softmax_loss_vectorized, 2.783353, SOFTMAX_MISTAKES)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_gradient() -> None:
    """Softmax without loops: the gradient of three images, in float32 and in float64."""
    check_gradient(linear_classifier.softmax_loss_vectorized, SOFTMAX_GRADIENT, SOFTMAX_SLIPS)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_regularizer() -> None:
    """Softmax without loops: the regularizer, in float64."""
    check_regularizer(linear_classifier.softmax_loss_vectorized)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_slope_of_regularizer() -> None:
    """Softmax without loops: the regularizer's gradient, in float64."""
    check_slope_of_regularizer(linear_classifier.softmax_loss_vectorized)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_large_scores() -> None:
    """Softmax without loops: scores around 10,000 and -10,000."""
    check_large_scores(linear_classifier.softmax_loss_vectorized)


@pytest.mark.task("softmax_vectorized", weight=2)
@pytest.mark.constraint
def test_softmax_vectorized_inputs_unchanged() -> None:
    """Softmax without loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.softmax_loss_vectorized)


@pytest.mark.task("softmax_vectorized", weight=4)
@pytest.mark.constraint
def test_softmax_vectorized_own_work() -> None:
    """Softmax without loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.softmax_loss_vectorized)


@pytest.mark.task("softmax_vectorized", weight=4)
@pytest.mark.constraint
def test_softmax_vectorized_source() -> None:
    """Softmax without loops: the source holds no explicit loop."""
    check_no_loop(linear_classifier.softmax_loss_vectorized)


SIX = torch.tensor([[0.0, 9.0], [1.0, 8.0], [2.0, 7.0], [3.0, 6.0], [4.0, 5.0], [5.0, 4.0]])


def draw_four() -> list[float]:
    """Draw four of six examples, check them, and return their first features."""
    found = linear_classifier.sample_batch(SIX.clone(), torch.tensor([0, 10, 20, 30, 40, 50]), 6, 4)
    some_x, some_y = checks.parts(found, 2, what="examples and labels")
    rows = checks.tensor(some_x, shape=(4, 2), dtype=torch.float32, what="the examples")
    labels = checks.tensor(some_y, shape=(4,), dtype=torch.int64, what="the labels")
    checks.holds(
        bool(torch.isin(rows[:, 0], SIX[:, 0]).all() and (rows.sum(dim=1) == 9).all()),
        what="the examples",
        problem="not rows of X",
    )
    checks.holds(
        rows[:, 0].tolist() == (labels / 10).tolist(),
        what="the labels",
        problem="not those of the examples",
        likely_cause="X and y must be indexed by the same random numbers",
    )
    return [float(value) for value in rows[:, 0]]


@pytest.mark.task("sample_batch", weight=2)
@asking.one_slip()
def test_batch_by_hand() -> None:
    """Four of six examples come with their own labels."""
    draw_four()


@pytest.mark.task("sample_batch", weight=2)
def test_everyone_is_drawn() -> None:
    """In forty batches each of six examples is drawn at least once."""
    drawn = {value for _ in range(40) for value in draw_four()}
    checks.holds(
        len(drawn) > 4,
        what="the examples of forty batches",
        problem="nearly always alike",
        likely_cause="the generator is seeded in every call, or the batch is cut from the beginning",
    )
    checks.holds(  # one of six is missing by chance once in 10^12 times
        len(drawn) == 6,
        what="the examples of forty batches",
        problem="not all six are among them",
        likely_cause="the random numbers stop short of the last example, or start after the first",
        slip=True,
    )


@pytest.mark.task("sample_batch", weight=1)
def test_batch_inputs_unchanged() -> None:
    """Neither the examples nor their labels are modified or put into another order."""
    x, y = SIX.clone(), torch.tensor([3, 1, 4, 1, 5, 9])
    checks.parts(linear_classifier.sample_batch(x, y, 6, 4), 2, what="examples and labels")
    checks.unchanged(SIX, x, what="X")
    checks.unchanged(torch.tensor([3, 1, 4, 1, 5, 9]), y, what="y")


@pytest.mark.task("sample_batch", weight=1)
@pytest.mark.constraint
def test_batch_own_work() -> None:
    """The batch is not taken from the kit's helpers."""
    draw_four()
    require(linear_classifier.sample_batch, banned=("helpers",))


Calls = list[tuple[list[list[float]], list[int], float]]


def three_steps() -> tuple[object, object, Calls]:
    """Take three steps of length 1/2 from 8 down the parabola w²/2; return the results and all calls."""
    seen: Calls = []

    def loss_func(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor, Tensor]:
        seen.append((X.tolist(), y.tolist(), reg))
        return W.square().sum() / 2, W.clone()

    def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
        return X[:batch_size], y[:batch_size]

    x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([0, 0, 0])
    with substituted(linear_classifier, sample_batch=sample_batch):
        found = linear_classifier.train_linear_classifier(
            loss_func, torch.tensor([[8.0]]), x, y, learning_rate=0.5, reg=0.25, num_iters=3, batch_size=2
        )
    weights, losses = checks.parts(found, 2, what="weights and losses")
    return weights, losses, seen


UPHILL = "the step goes uphill; subtract the gradient"
TOO_FEW = "the last step is missing"


@pytest.mark.task("train", weight=2)
@asking.one_slip()
def test_three_steps_by_hand() -> None:
    """Three steps of length 1/2 down the parabola w²/2 lead from 8 to 1."""
    weights, _, _ = three_steps()
    hints = [
        Hint(torch.tensor([[27.0]]), says=UPHILL),
        Hint(torch.tensor([[8.0]]), says="the weights never change", slip=False),
        Hint(torch.tensor([[0.0]]), says="learning_rate is not used", slip=False),
        Hint(torch.tensor([[4.0]]), says="only one step was taken"),
        Hint(torch.tensor([[2.0]]), says=TOO_FEW),
        Hint(torch.tensor([[0.5]]), says="there is a step too many"),
    ]
    checks.close(weights, torch.tensor([[1.0]]), what="the weights", hints=hints)


@pytest.mark.task("train", weight=2)
def test_losses_of_three_steps() -> None:
    """The losses of these steps are 32, 8 and 2, each from before its step."""
    _, losses, _ = three_steps()
    hints = [
        Hint([8.0, 2.0, 0.5], says="the loss was noted after the step, not before it"),
        Hint([32.0, 72.0, 162.0], says=UPHILL),
        Hint([32.0, 0.0, 0.0], says="learning_rate is not used"),
        Hint([32.0], says="only one step was taken"),
        Hint([32.0, 8.0], says=TOO_FEW),
        Hint([32.0, 8.0, 2.0, 0.5], says="there is a step too many"),
        Hint([32.0, 32.0, 32.0], says="the weights never change", slip=False),
    ]
    checks.close(losses, [32.0, 8.0, 2.0], what="the losses", hints=hints)


@pytest.mark.task("train", weight=2)
def test_calls_of_three_steps() -> None:
    """In each step the loss is asked once, for the batch that sample_batch drew, and with reg."""
    _, _, seen = three_steps()
    hints = [
        Hint(1, says="only one step was taken"),
        Hint(2, says=TOO_FEW),
        Hint(4, says="there is a step too many"),
        Hint(6, says="loss_func is called twice in each step; it returns loss and gradient at once"),
    ]
    checks.equal(len(seen), 3, what="how often loss_func was called", hints=hints)
    for images, labels, reg in seen:
        batches = (images, labels)
        hints = [Hint(([[1.0], [2.0], [3.0]], [0, 0, 0]), says="sample_batch is not used")]
        what = "the batch that loss_func was called with"
        checks.equal(batches, ([[1.0], [2.0]], [0, 0]), what=what, hints=hints)
        hints = [Hint(value, says="reg is not passed on") for value in (0.0, 1e-5)]
        checks.equal(reg, 0.25, what="the reg that loss_func was called with", hints=hints)


@pytest.mark.task("predict", weight=2)
@asking.one_slip()
def test_predictions_by_hand() -> None:
    """The class with the largest score is predicted: the frog is taken for a car."""
    found = linear_classifier.predict_linear_classifier(W.float(), X.float())
    hints = [
        Hint(torch.tensor([2, 3, 2]), says="the smallest score won"),
        Hint(torch.tensor([0, 0, 1, 0]), says="this is the best example of each class, not the reverse"),
        Hint(torch.tensor([1, 1, 2]), says="the sign of the scores was lost"),
    ]
    checks.equal(found, torch.tensor([1, 1, 1]), what="the labels", hints=hints)


def check_search_params(found: object) -> None:
    """Check the form of the settings to try."""
    combinations = 1
    names = ("learning rates", "regularization strengths")
    for values, name in zip(checks.parts(found, 2, what=" and ".join(names)), names, strict=True):
        listed: Any = values.tolist() if hasattr(values, "tolist") else values
        checks.holds(type(listed) in (list, tuple), what=f"the {name}", problem="not a list")
        for value in listed:
            number = checks.number(value, at_least=0, what=f"one of the {name}")
            checks.holds(number > 0 or name != names[0], what="a learning rate", problem="0 learns nothing")
        combinations *= len(listed)
    checks.number(combinations, at_least=1, what="the number of combinations")
    checks.holds(
        combinations <= 25,
        what="the number of combinations",
        problem=f"{combinations}, and at most 25 are allowed",
        likely_cause="each learning rate goes with each strength, so the lengths of the lists multiply",
    )


@pytest.mark.task("search", weight=2)
def test_svm_search_params() -> None:
    """SVM: at most 25 combinations of positive numbers."""
    check_search_params(linear_classifier.svm_get_search_params())


@pytest.mark.task("search", weight=2)
def test_softmax_search_params() -> None:
    """Softmax: at most 25 combinations of positive numbers."""
    check_search_params(linear_classifier.softmax_get_search_params())


ONE = {
    "X_train": torch.tensor([[1.0], [2.0], [3.0], [4.0]]),
    "y_train": torch.tensor([1, 1, 1, 0]),
    "X_val": torch.tensor([[5.0], [6.0]]),
    "y_val": torch.tensor([0, 1]),
}


def one_choice() -> tuple[tuple[object, ...], list[list[float]]]:
    """Measure one choice with a classifier that predicts 1 once it is trained; return also the settings."""
    settings = []

    def train(
        X_train: Tensor,
        y_train: Tensor,
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> list[float]:
        settings.append([learning_rate, reg, num_iters, len(X_train), len(y_train)])
        classifier.W = torch.tensor([[0.0, 1.0]])
        return [1.0] * 7

    def predict(X: Tensor) -> Tensor:
        return torch.full((len(X),), 1 if settings else -1)

    methods = {"train": train, "predict": predict}
    classifier: Any = constructor(linear_classifier.LinearSVM, (), lambda: methods, count=1)()
    given = {name: part.clone() for name, part in ONE.items()}
    with substituted(linear_classifier, predict_linear_classifier=lambda W, X: (X @ W).argmax(dim=1)):
        found = linear_classifier.test_one_param_set(classifier, given, 0.5, 0.25, num_iters=7)
    return checks.parts(found, 3, what="the classifier and two accuracies"), settings


@pytest.mark.task("search", weight=2)
def test_one_choice_by_hand() -> None:
    """One choice: the classifier is trained once, with these settings, on the training data."""
    _, settings = one_choice()
    hints = [
        Hint([[0.25, 0.5, 7, 4, 4]], says="learning rate and regularization are swapped"),
        Hint([[0.5, 0.25, 100, 4, 4]], says="num_iters is not passed on"),
        Hint([[0.5, 0.25, 2000, 4, 4]], says="num_iters is not passed on"),
        Hint([[0.5, 0.25, 7, 2, 2]], says="trained on the validation data"),
    ]
    checks.equal(settings, [[0.5, 0.25, 7, 4, 4]], what="what the classifier is trained with", hints=hints)


@pytest.mark.task("search", weight=2)
def test_accuracies_of_one_choice() -> None:
    """One choice: after training, 3 of 4 and 1 of 2 labels are right."""
    found, _ = one_choice()
    for accuracy, right, part in zip(found[1:], (0.75, 0.5), ("training", "validation"), strict=True):
        percent = checks.scalar(accuracy, at_least=0, at_most=100, what=f"the {part} accuracy")
        hints = [
            Hint(1.25 - right, says="measured on the other part of the data"),
            Hint(0.0, says="measured before training, or as a whole number"),
        ]
        fraction = percent / 100 if percent > 1 else percent
        checks.close(fraction, right, what=f"the {part} accuracy", hints=hints)
