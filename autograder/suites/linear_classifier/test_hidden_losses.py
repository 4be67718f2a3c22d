"""Hidden tests of the four losses of the linear classifiers.

Expected values come from PyTorch's own losses in float64 and automatic differentiation, which students may
not use. Examples are chosen so that no margin is close to the kink of the hinge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import linear_classifier
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from autograder.hidden import hidden_labels, hidden_normal
from helpers.testing import Hint, asking, checks, convention, measure, regularization_causes

Student = Callable[..., object]
DataLoss = Callable[[Tensor, Tensor], Tensor]

FACTOR = float(convention("regularization"))
HALF, TWICE = regularization_causes()


def hinge(scores: Tensor, y: Tensor) -> Tensor:
    """Return the mean hinge loss over examples; PyTorch's divides by the number of classes as well."""
    return functional.multi_margin_loss(scores, y) * scores.shape[1]


@dataclass(frozen=True)
class Case:
    """Arguments of a loss, and what is right for them.

    Attributes
    ----------
    kind : callable
        Which loss it is, without the regularizer: `hinge` or `functional.cross_entropy`.
    arguments : tuple
        W (D, C), X (N, D), y (N,) and reg.
    loss, gradient : float and Tensor (D, C)
        The right result.
    data_loss, data_gradient : float and Tensor (D, C)
        The part of it that does not come from the regularizer.
    """

    kind: DataLoss
    arguments: tuple[Tensor, Tensor, Tensor, float]
    loss: float
    data_loss: float
    gradient: Tensor
    data_gradient: Tensor


def case(kind: DataLoss, W: Tensor, X: Tensor, y: Tensor, reg: float = 0.0) -> Case:
    """Work out what is right, in float64."""
    weights = W.double().clone().requires_grad_()
    data_loss = kind(X.double() @ weights, y)
    (data_gradient,) = torch.autograd.grad(data_loss, weights)
    right = data_gradient + 2 * FACTOR * reg * W.double()
    loss = data_loss.item() + FACTOR * reg * W.double().square().sum().item()
    return Case(kind, (W, X, y, reg), loss, data_loss.item(), right.to(W.dtype), data_gradient.to(W.dtype))


def examples(
    name: str, N: int, D: int, C: int, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor, Tensor]:
    """Return hidden W, X and y without a margin near 0."""
    W = hidden_normal(name, "W", shape=(D, C), dtype=dtype)
    X = hidden_normal(name, "X", shape=(40 * N, D), dtype=dtype)
    y = hidden_labels(name, "y", classes=C, count=40 * N)
    scores = X.double() @ W.double()
    margins = scores - scores.gather(1, y[:, None]) + 1
    good = (margins.abs() > 0.02).all(dim=1)
    if N == 1:
        good &= (margins > 0).sum(dim=1) > 1  # its hinge loss is not 0
    return W, X[good][:N].clone(), y[good][:N].clone()


def copies(arguments: Sequence[object]) -> list[object]:
    """Return the arguments with tensors copied."""
    return [value.clone() if type(value) is Tensor else value for value in arguments]


def parts_of(found: object) -> tuple[object, object]:
    """Return loss and gradient, whatever they are: each is judged where it counts."""
    first, second = checks.parts(found, 2, what="loss and gradient")
    return first, second


def is_finite(found: object) -> bool:
    """Return whether no number in what a loss function returned is infinite or NaN."""
    values = found if type(found) in (tuple, list) else ()
    numbers = [torch.as_tensor(x) for x in values if isinstance(x, (float, Tensor))]  # type: ignore[union-attr]
    return all(bool(x.isfinite().all()) for x in numbers)


def run(function: Student, arguments: Sequence[object]) -> tuple[object, object]:
    """Call a loss function on copies of arguments."""
    return parts_of(asking.ask(function, *copies(arguments)))


def loss_of(function: Student, arguments: Sequence[object]) -> float:
    """Return the loss, which must be a number."""
    return checks.scalar(run(function, arguments)[0], what="the loss")


def gradient_of(function: Student, arguments: Sequence[object]) -> Tensor:
    """Return the gradient, which must have the shape of W."""
    W = arguments[0]
    assert type(W) is Tensor
    return checks.tensor(run(function, arguments)[1], shape=W.shape, what="the gradient")


# Typical mistakes

Losses = list[tuple[str, float]]
Slopes = list[tuple[str, Tensor]]
"""What to say, and the value that the mistake gives."""

BY_ONE_LESS = "divided by N - 1, not by N"
WRONG_AXIS = "normalized over the examples, not the classes"
COUNTED = "the true class was counted too; its own margin is always 1"


def hinge_mistakes(W: Tensor, X: Tensor, y: Tensor) -> tuple[Losses, Slopes]:
    """Return what mistakes in the hinge loss give in the place of loss and gradient, by what to say."""
    scores, of_true = X @ W, functional.one_hot(y, W.shape[1]).to(X.dtype)
    lead = scores - scores.gather(1, y[:, None])
    margins = (lead + 1).clamp(min=0) * (1 - of_true)
    over, over_all = (margins > 0).to(X.dtype), (lead + 1 > 0).to(X.dtype)
    over_zero = (lead > 0).to(X.dtype)
    losses = {
        COUNTED: margins.sum() + len(X),
        "the margin of 1 is missing": lead.clamp(min=0).sum(),
        "the margins were squared": margins.square().sum(),
        "only the largest margin of each example was counted": margins.amax(dim=1).sum(),
    }
    slopes = {
        "nothing is subtracted at the true class": over,
        "at the true class, subtract x once for every margin above 0": over - of_true,
        COUNTED: over_all - of_true * (over_all.sum(dim=1, keepdim=True) + 1),
        "the margin of 1 is missing": over_zero - of_true * over_zero.sum(dim=1, keepdim=True),
    }
    return (
        [(says, float(value) / len(X)) for says, value in losses.items()],
        [(says, X.T @ value / len(X)) for says, value in slopes.items()],
    )


def softmax_mistakes(W: Tensor, X: Tensor, y: Tensor) -> tuple[Losses, Slopes]:
    """Return what mistakes in the softmax loss give in the place of loss and gradient, by what to say."""
    scores, of_true = X @ W, functional.one_hot(y, W.shape[1]).to(X.dtype)
    over_classes = scores.softmax(dim=1)
    shifted = scores - scores.amax(dim=1, keepdim=True)
    losses = [
        ("the logarithm is missing", -(over_classes * of_true).sum(dim=1).mean()),
        ("the logarithm was taken of all probabilities, not of the true class's", -over_classes.log().mean()),
    ]
    slopes = [("nothing is subtracted at the true class", over_classes)]
    for over_examples in (scores.softmax(dim=0), shifted.softmax(dim=0)):
        losses.append((WRONG_AXIS, -(over_examples * of_true).sum(dim=1).log().mean()))
        slopes.append((WRONG_AXIS, over_examples - of_true))
    return (
        [(says, float(value)) for says, value in losses],
        [(says, X.T @ value / len(X)) for says, value in slopes],
    )


def loss_hints(known: Case) -> list[Hint]:
    """Return what typical mistakes give in the place of the loss."""
    W, X, y, _ = known.arguments
    right, N = known.data_loss, len(X)
    made, _ = (hinge_mistakes if known.kind is hinge else softmax_mistakes)(W.double(), X.double(), y)
    made += [
        (BY_ONE_LESS, right * N / max(N - 1, 1)),
        ("the losses were added, not averaged over the examples", right * N),
        ("the losses were also divided by the number of classes", right / W.shape[1]),
        ("the sign is wrong", -right),
    ]
    return [Hint(value + known.loss - right, says=says) for says, value in made]


def gradient_hints(known: Case) -> list[Hint]:
    """Return what typical mistakes give in the place of the gradient."""
    W, X, y, _ = known.arguments
    right, N = known.data_gradient, len(X)
    _, made = (hinge_mistakes if known.kind is hinge else softmax_mistakes)(W.double(), X.double(), y)
    made += [
        (BY_ONE_LESS, right * N / max(N - 1, 1)),
        ("the gradient is not divided by the number of examples", right * N),
        ("the gradient is divided by the number of examples twice", right / N),
        ("the gradient is transposed", right.T.reshape(right.shape)),
        ("the sign is wrong", -right),
        ("the gradient was never filled in", 0 * right),
    ]
    extra = known.gradient - right
    return [Hint(value.to(W.dtype) + extra, says=says) for says, value in made]


def regularizer_hints(right: float, W: Tensor, N: int) -> list[Hint]:
    """Return what typical mistakes give in the place of what the regularizer adds to the loss."""
    squares = float(W.square().sum())
    made = {
        "the regularizer is missing": 0.0,
        HALF: right / 2,
        "the regularizer was averaged over the examples, too": right / N,
        "the regularizer was added once per example": right * N,
        "absolute weights were added, not squares": right * float(W.abs().sum()) / squares,
        "the root of the sum of squares was taken in the regularizer": right / squares**0.5,
        TWICE: right * 2,
    }
    return [Hint(value, says=says) for says, value in made.items()]


def slope_hints(right: Tensor, N: int, loss_part: float) -> list[Hint]:
    """Return what typical mistakes give in the place of what the regularizer adds to the gradient.

    `loss_part` is what it adds to the loss, relative to what it should add: a gradient that belongs to the
    same factor shows no mistake of its own.
    """
    made = {
        HALF if abs(loss_part - 0.5) < 1e-3 else "a factor 2 is missing: the derivative of w² is 2w": right
        / 2,
        TWICE if abs(loss_part - 2) < 1e-3 else "the gradient of the regularizer is twice too large": right
        * 2,
        "the regularizer has a gradient, too": 0 * right,
        "the regularizer's gradient was averaged, too": right / N,
        "the regularizer's gradient was added once per example": right * N,
    }
    return [Hint(value, says=says) for says, value in made.items()]


# Checks that all four losses go through


@asking.one_slip()
def check_loss(function: Student, known: Case) -> None:
    """Compare the loss, without regularization; float32 and `log(p + 1e-8)` are accepted."""
    loss = loss_of(function, known.arguments)
    checks.close(loss, known.loss, what="the loss", hints=partial(loss_hints, known))


@asking.one_slip()
def check_gradient(function: Student, known: Case) -> None:
    """Compare the gradient, without regularization."""
    _, gradient = run(function, known.arguments)
    what = "the gradient"
    checks.close(
        gradient, known.gradient, what=what, operation="gradient", hints=partial(gradient_hints, known)
    )


def find_penalty(function: Student, known: Case) -> float:
    """Return what regularization adds to the loss, be it right or not."""
    W, X, y, reg = known.arguments
    return loss_of(function, (W, X, y, reg)) - loss_of(function, (W, X, y, 0.0))


@asking.one_slip()
def check_regularizer(function: Student, known: Case) -> None:
    """Compare what the regularizer adds to the loss."""
    found, right = find_penalty(function, known), known.loss - known.data_loss
    hints = regularizer_hints(right, known.arguments[0], len(known.arguments[1])) if found else []
    what = "what the regularizer adds to the loss"
    checks.close(found, right, what=what, hints=[*hints, Hint(0.0, says="the regularizer is missing")])


@asking.one_slip()
def check_slope_of_regularizer(function: Student, known: Case) -> None:
    """Compare what the regularizer adds to the gradient."""
    W, X, y, reg = known.arguments
    loss, _ = run(function, known.arguments)
    part = find_penalty(function, known) if isinstance(loss, (float, Tensor)) else 0.0
    found = gradient_of(function, (W, X, y, reg)) - gradient_of(function, (W, X, y, 0.0))
    hints = slope_hints(known.gradient - known.data_gradient, len(X), part / (known.loss - known.data_loss))
    what, right = "what the regularizer adds to the gradient", known.gradient - known.data_gradient
    checks.close(found, right, what=what, operation="rounded", hints=hints)


def check_alike(
    function: Student, known: Case, plain: Sequence[object], given: Sequence[object] = ()
) -> None:
    """Compare with what is right, or else with what the function says of the same examples in a plain form.

    So a mistake that shows in the plain form as well costs points where that is checked.
    """
    W = known.arguments[0]
    loss, gradient = parts_of(asking.ask(function, *given)) if given else run(function, known.arguments)
    number = checks.scalar(loss, what="the loss")
    if checks.agrees(number, known.loss) and checks.agrees(gradient, known.gradient, operation="rounded"):
        return
    rows = gradient_of(function, plain).to(W.dtype)
    same = checks.agrees(number, loss_of(function, plain), operation="rounded")
    there = gradient[: len(rows)] if type(gradient) is Tensor and gradient.dim() else None
    if same and checks.agrees(there, rows, operation="rounded") and bool((rows != rows[0, 0]).any()):
        return
    checks.close(number, known.loss, what="the loss", operation="rounded", hints=partial(loss_hints, known))
    hints = partial(gradient_hints, known)
    checks.close(gradient, known.gradient, what="the gradient", operation="gradient", hints=hints)


@asking.one_slip()
def check_form(function: Student, known: Case) -> None:
    """Compare in float32, where W and X are transposed in memory and y is every other entry of a tensor."""
    W, X, y, reg = known.arguments
    labels = torch.stack([y, y.flip(0)], dim=1)[:, 0]
    strided = (W.T.contiguous().T, X.T.contiguous().T, labels, reg)
    check_alike(function, known, (W.double(), X.double(), y, reg), strided)


@asking.one_slip()
def check_one_example(function: Student, known: Case) -> None:
    """Compare on a single example, which has the same loss as twice that example."""
    W, X, y, reg = known.arguments
    checks.holds(
        is_finite(run(function, known.arguments)),
        what="loss or gradient of a single example",
        problem="infinite or NaN",
        likely_cause=BY_ONE_LESS,
        slip=True,
    )
    check_alike(function, known, (W, X.repeat(2, 1), y.repeat(2), reg))


@asking.one_slip()
def check_far_scores(function: Student, kind: DataLoss) -> None:
    """Compare where all scores of an example are close to 10,000, or to -10,000, or some to each."""
    turns = torch.ones(7), -torch.ones(7), torch.tensor([1.0, -1.0] * 3 + [1.0])
    for signs in turns:
        W, X, y = examples("far", 7, 4, 5)
        W, X = (8 * W).round() / 8, (8 * X).round() / 8  # so that float32 holds all scores without rounding
        near = (W, X, y, 0.0)
        W, X = torch.cat([W, torch.full((1, 5), 1e4)]), torch.cat([X, signs[:, None]], dim=1)
        known = case(kind, W, X, y)
        run(function, near)
        checks.holds(
            is_finite(run(function, known.arguments)),
            what="loss or gradient of large scores",
            problem="infinite or NaN",
            likely_cause="exp(10,000) is infinite, exp(-10,000) is 0: shift each example's scores "
            "so that the largest is 0",
        )
        check_alike(function, known, near)


def check_operations(function: Student) -> None:
    """Check that 8 times the examples and 4 times the classes do not take more tensor operations."""
    counts = []
    for N, C in ((4, 3), (32, 12)):
        W, X, y = examples(f"operations {N}", N, 5, C)
        measured = asking.ask(measure, function, W, X, y, 0.1)
        parts_of(measured.result)
        counts.append(max(1, measured.operations))
    checks.holds(
        counts[1] < 2 * counts[0],  # 1 without a loop; 4 or more with one, over whatever it runs
        what="the number of tensor operations",
        problem="grows with the examples or the classes, as that of a loop does",
    )


SVM, SVM_REG = (case(hinge, *examples("svm", 13, 6, 5), reg) for reg in (0.0, 0.7))
SVM_SINGLE = case(hinge, *examples("svm/single", 21, 8, 4, torch.float32), 0.05)
SVM_LITTLE = case(hinge, *examples("svm/little", 1, 4, 2), 0.3)
SOFTMAX, SOFTMAX_REG = (
    case(functional.cross_entropy, *examples("softmax", 13, 6, 5), reg) for reg in (0.0, 0.7)
)
SOFTMAX_SINGLE = case(functional.cross_entropy, *examples("softmax/single", 21, 8, 4, torch.float32), 0.05)
SOFTMAX_LITTLE = case(functional.cross_entropy, *examples("softmax/little", 1, 4, 2), 0.3)


# SVM with loops


@pytest.mark.task("svm_naive", weight=4)
def test_svm_naive_hidden_loss() -> None:
    """SVM with loops: the loss of hidden examples."""
    check_loss(linear_classifier.svm_loss_naive, SVM)


@pytest.mark.task("svm_naive", weight=4)
def test_svm_naive_hidden_gradient() -> None:
    """SVM with loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.svm_loss_naive, SVM)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_hidden_regularizer() -> None:
    """SVM with loops: the regularizer of hidden weights."""
    check_regularizer(linear_classifier.svm_loss_naive, SVM_REG)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_hidden_slope_of_regularizer() -> None:
    """SVM with loops: the regularizer's gradient for hidden weights."""
    check_slope_of_regularizer(linear_classifier.svm_loss_naive, SVM_REG)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_form() -> None:
    """SVM with loops: float32 stays float32, in any memory layout."""
    check_form(linear_classifier.svm_loss_naive, SVM_SINGLE)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_one_example() -> None:
    """SVM with loops: a single example of two classes."""
    check_one_example(linear_classifier.svm_loss_naive, SVM_LITTLE)


# SVM without loops


@pytest.mark.task("svm_vectorized", weight=6)
def test_svm_vectorized_hidden_loss() -> None:
    """SVM without loops: the loss of hidden examples."""
    check_loss(linear_classifier.svm_loss_vectorized, SVM)


@pytest.mark.task("svm_vectorized", weight=6)
def test_svm_vectorized_hidden_gradient() -> None:
    """SVM without loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.svm_loss_vectorized, SVM)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_hidden_regularizer() -> None:
    """SVM without loops: the regularizer of hidden weights."""
    check_regularizer(linear_classifier.svm_loss_vectorized, SVM_REG)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_hidden_slope_of_regularizer() -> None:
    """SVM without loops: the regularizer's gradient for hidden weights."""
    check_slope_of_regularizer(linear_classifier.svm_loss_vectorized, SVM_REG)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_form() -> None:
    """SVM without loops: float32 stays float32, in any memory layout."""
    check_form(linear_classifier.svm_loss_vectorized, SVM_SINGLE)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_one_example() -> None:
    """SVM without loops: a single example of two classes."""
    check_one_example(linear_classifier.svm_loss_vectorized, SVM_LITTLE)


@pytest.mark.constraint
@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_operations() -> None:
    """SVM without loops: the number of tensor operations stays the same."""
    check_operations(linear_classifier.svm_loss_vectorized)


# Softmax with loops


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_hidden_loss() -> None:
    """Softmax with loops: the loss of hidden examples."""
    check_loss(linear_classifier.softmax_loss_naive, SOFTMAX)


@pytest.mark.task("softmax_naive", weight=4)
def test_softmax_naive_hidden_gradient() -> None:
    """Softmax with loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.softmax_loss_naive, SOFTMAX)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_hidden_regularizer() -> None:
    """Softmax with loops: the regularizer of hidden weights."""
    check_regularizer(linear_classifier.softmax_loss_naive, SOFTMAX_REG)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_hidden_slope_of_regularizer() -> None:
    """Softmax with loops: the regularizer's gradient for hidden weights."""
    check_slope_of_regularizer(linear_classifier.softmax_loss_naive, SOFTMAX_REG)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_form() -> None:
    """Softmax with loops: float32 stays float32, in any memory layout."""
    check_form(linear_classifier.softmax_loss_naive, SOFTMAX_SINGLE)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_one_example() -> None:
    """Softmax with loops: a single example of two classes."""
    check_one_example(linear_classifier.softmax_loss_naive, SOFTMAX_LITTLE)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_far_scores() -> None:
    """Softmax with loops: scores around 10,000 and -10,000 give right results."""
    check_far_scores(linear_classifier.softmax_loss_naive, functional.cross_entropy)


# Softmax without loops


@pytest.mark.task("softmax_vectorized", weight=4)
def test_softmax_vectorized_hidden_loss() -> None:
    """Softmax without loops: the loss of hidden examples."""
    check_loss(linear_classifier.softmax_loss_vectorized, SOFTMAX)


@pytest.mark.task("softmax_vectorized", weight=4)
def test_softmax_vectorized_hidden_gradient() -> None:
    """Softmax without loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.softmax_loss_vectorized, SOFTMAX)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_hidden_regularizer() -> None:
    """Softmax without loops: the regularizer of hidden weights."""
    check_regularizer(linear_classifier.softmax_loss_vectorized, SOFTMAX_REG)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_hidden_slope_of_regularizer() -> None:
    """Softmax without loops: the regularizer's gradient for hidden weights."""
    check_slope_of_regularizer(linear_classifier.softmax_loss_vectorized, SOFTMAX_REG)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_form() -> None:
    """Softmax without loops: float32 stays float32, in any memory layout."""
    check_form(linear_classifier.softmax_loss_vectorized, SOFTMAX_SINGLE)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_one_example() -> None:
    """Softmax without loops: a single example of two classes."""
    check_one_example(linear_classifier.softmax_loss_vectorized, SOFTMAX_LITTLE)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_far_scores() -> None:
    """Softmax without loops: scores around 10,000 and -10,000 give right results."""
    check_far_scores(linear_classifier.softmax_loss_vectorized, functional.cross_entropy)


@pytest.mark.constraint
@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_operations() -> None:
    """Softmax without loops: the number of tensor operations stays the same."""
    check_operations(linear_classifier.softmax_loss_vectorized)
