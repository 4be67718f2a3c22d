"""Hidden tests of the four losses of the linear classifiers.

Expected values come from PyTorch's own losses in float64 and automatic differentiation, which students may
not use. Examples are chosen so that no margin is close to the kink of the hinge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import linear_classifier
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from autograder.hidden import hidden_labels, hidden_normal
from helpers.testing import Hint, checks, measure, require

Student = Callable[..., object]
DataLoss = Callable[[Tensor, Tensor], Tensor]

GRADIENTS = ("torch.autograd", "torch.func", "torch.enable_grad", ".backward", ".requires_grad_")
READY_MADE = ("torch.softmax", "torch.log_softmax", "torch.special", "scipy", "sklearn", "helpers")
BANNED = ("torch.nn", *GRADIENTS, *READY_MADE)
"""The first that is found is named, with what to do instead."""


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
    right = data_gradient + 2 * reg * W.double()
    loss = data_loss.item() + reg * W.double().square().sum().item()
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


def loss_and_gradient(found: object, like: Tensor) -> tuple[float, Tensor]:
    """Return loss and gradient, which must have the form of a number and of W."""
    pair = checks.parts(found, 2, what="loss and gradient")
    number = checks.scalar(pair[0], what="the loss")
    return number, checks.tensor(pair[1], shape=like.shape, dtype=like.dtype, what="the gradient")


def is_finite(found: object) -> bool:
    """Return whether no number in what a loss function returned is infinite or NaN."""
    values = found if type(found) in (tuple, list) else ()
    numbers = [torch.as_tensor(x) for x in values if type(x) in (float, Tensor)]  # type: ignore[union-attr]
    return all(bool(x.isfinite().all()) for x in numbers)


def run(function: Student, known: Case) -> tuple[float, Tensor]:
    """Call a loss function on copies of a case's arguments."""
    return loss_and_gradient(function(*copies(known.arguments)), known.arguments[0])


# Typical mistakes


def hinge_mistakes(W: Tensor, X: Tensor, y: Tensor) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Return what mistakes in the hinge loss give in the place of loss and gradient, by what to say."""
    scores, of_true = X @ W, functional.one_hot(y, W.shape[1]).to(X.dtype)
    lead = scores - scores.gather(1, y[:, None])
    margins = (lead + 1).clamp(min=0) * (1 - of_true)
    over, over_all = (margins > 0).to(X.dtype), (lead + 1 > 0).to(X.dtype)
    over_zero = (lead > 0).to(X.dtype)
    losses = {
        "the true class was counted too: its own margin is always 1": margins.sum() + len(X),
        "the margin of 1 is missing": lead.clamp(min=0).sum(),
        "the margins were squared": margins.square().sum(),
        "only the largest margin of each example was counted": margins.amax(dim=1).sum(),
    }
    slopes = {
        "nothing is subtracted at the true class": over,
        "at the true class, subtract x once for every margin above 0": over - of_true,
        "the true class was counted among the margins above 0": over_all
        - of_true * (over_all.sum(dim=1, keepdim=True) + 1),
        "the margin of 1 is missing": over_zero - of_true * over_zero.sum(dim=1, keepdim=True),
    }
    return (
        {says: float(value) / len(X) for says, value in losses.items()},
        {says: X.T @ value / len(X) for says, value in slopes.items()},
    )


def softmax_mistakes(W: Tensor, X: Tensor, y: Tensor) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Return what mistakes in the softmax loss give in the place of loss and gradient, by what to say."""
    scores, of_true = X @ W, functional.one_hot(y, W.shape[1]).to(X.dtype)
    over_classes, over_examples = scores.softmax(dim=1), scores.softmax(dim=0)
    losses = {
        "normalized over the examples, not the classes": -(over_examples * of_true).sum(dim=1).log().mean(),
        "the logarithm is missing": -(over_classes * of_true).sum(dim=1).mean(),
        "the logarithm was taken of all probabilities, not of the true class's": -over_classes.log().mean(),
    }
    slopes = {
        "nothing is subtracted at the true class": over_classes,
        "normalized over the examples, not the classes": over_examples - of_true,
    }
    return (
        {says: float(value) for says, value in losses.items()},
        {says: X.T @ value / len(X) for says, value in slopes.items()},
    )


def loss_hints(known: Case) -> list[Hint]:
    """Return what typical mistakes give in the place of the loss."""
    W, X, y, reg = known.arguments
    right, N = known.data_loss, len(X)
    made, _ = (hinge_mistakes if known.kind is hinge else softmax_mistakes)(W.double(), X.double(), y)
    made |= {
        "the losses were added, not averaged over the examples": right * N,
        "the losses were also divided by the number of classes": right / W.shape[1],
        "the sign is wrong": -right,
    }
    extra = known.loss - right
    regularizers = {
        "the regularizer is missing": 0.0,
        "there is a factor 1/2 in the regularizer; here it has none": extra / 2,
        "the regularizer was averaged over the examples, too": extra / N,
        "the regularizer was added once per example": extra * N,
        "absolute weights were added, not squares": reg * float(W.abs().sum()),
        "the root of the sum of squares was taken in the regularizer": reg * float(W.norm()),
        "the regularizer was added twice": extra * 2,
    }
    hints = [Hint(value + extra, says=says) for says, value in made.items()]
    hints += [Hint(right + value, says=says) for says, value in regularizers.items()]
    single = float(torch.tensor(known.loss, dtype=torch.float32))
    return [*hints, Hint(single, says="the loss was rounded to float32; keep the dtype of X")]


def gradient_hints(known: Case) -> list[Hint]:
    """Return what typical mistakes give in the place of the gradient."""
    W, X, y, _ = known.arguments
    right, N = known.data_gradient, len(X)
    _, made = (hinge_mistakes if known.kind is hinge else softmax_mistakes)(W.double(), X.double(), y)
    made |= {
        "the gradient is not divided by the number of examples": right * N,
        "the gradient is divided by the number of examples twice": right / N,
        "the gradient is transposed": right.T.reshape(right.shape),
        "the sign is wrong": -right,
        "the gradient was never filled in": 0 * right,
    }
    extra = known.gradient - right
    regularizers = {
        "the regularizer has a gradient, too": 0 * extra,
        "a factor 2 is missing: the derivative of w² is 2w": extra / 2,
        "the gradient of the regularizer was added twice": extra * 2,
        "the regularizer's gradient was averaged, too": extra / N,
        "the regularizer's gradient was added once per example": extra * N,
    }
    hints = [Hint(value.to(W.dtype) + extra, says=says) for says, value in made.items()]
    return hints + [Hint(right + value, says=says) for says, value in regularizers.items()]


# Checks that all four losses go through


def check_loss(function: Student, known: Case) -> None:
    """Compare the loss, without regularization."""
    loss, _ = run(function, known)
    checks.close(loss, known.loss, what="the loss", operation="float64", hints=loss_hints(known))


def check_gradient(function: Student, known: Case) -> None:
    """Compare the gradient, without regularization."""
    _, gradient = run(function, known)
    what = "the gradient"
    checks.close(gradient, known.gradient, what=what, operation="gradient", hints=gradient_hints(known))


def check_regularized(function: Student, known: Case) -> None:
    """Compare loss and gradient, with regularization."""
    loss, gradient = run(function, known)
    what = "the regularized loss"
    checks.close(loss, known.loss, what=what, operation="float64", hints=loss_hints(known))
    what = "the regularized gradient"
    checks.close(gradient, known.gradient, what=what, operation="gradient", hints=gradient_hints(known))


def check_single(function: Student, known: Case) -> None:
    """Compare in float32, where loss and gradient must not change the dtype."""
    loss, gradient = run(function, known)
    what = "the loss in float32"
    checks.close(loss, known.loss, what=what, operation="rounded", hints=loss_hints(known))
    what = "the gradient in float32"
    checks.close(gradient, known.gradient, what=what, operation="gradient", hints=gradient_hints(known))


def check_layout(function: Student, known: Case) -> None:
    """Compare where W and X are transposed in memory and y is every other entry of a tensor."""
    W, X, y, reg = known.arguments
    labels = torch.stack([y, y.flip(0)], dim=1)[:, 0]
    strided = (W.T.contiguous().T, X.T.contiguous().T, labels, reg)
    loss, gradient = loss_and_gradient(function(*strided), W)
    checks.close(loss, known.loss, what="the loss", operation="float64", hints=loss_hints(known))
    what = "the gradient"
    checks.close(gradient, known.gradient, what=what, operation="gradient", hints=gradient_hints(known))


def check_far_scores(function: Student, kind: DataLoss) -> None:
    """Compare where all scores of an example are close to 10,000, or to -10,000, or some to each."""
    turns = torch.ones(7), -torch.ones(7), torch.tensor([1.0, -1.0] * 3 + [1.0])
    for signs in turns:
        W, X, y = examples("far", 7, 4, 5)
        W, X = torch.cat([W, torch.full((1, 5), 1e4)]), torch.cat([X, signs[:, None]], dim=1)
        known = case(kind, W, X, y)
        loss_and_gradient(function(W[:4].clone(), X[:, :4].clone(), y.clone(), 0.0), W[:4])
        found = function(*copies(known.arguments))
        checks.holds(
            is_finite(found),
            what="loss or gradient of large scores",
            problem="infinite or NaN",
            likely_cause="exp(10,000) is infinite, exp(-10,000) is 0: shift each example's scores "
            "so that the largest is 0",
        )
        loss, gradient = loss_and_gradient(found, W)
        what, hints = "the loss of large scores", loss_hints(known)
        checks.close(loss, known.loss, what=what, operation="large numbers", hints=hints)
        what, hints = "the gradient of large scores", gradient_hints(known)
        checks.close(gradient, known.gradient, what=what, operation="large numbers", hints=hints)


def check_inputs_unchanged(function: Student, known: Case) -> None:
    """Check that W, X and y are as before."""
    W, X, y, reg = known.arguments
    given = (W.clone(), X.clone(), y.clone())
    loss_and_gradient(function(*given, reg), W)
    for before, after, what in zip((W, X, y), given, ("W", "X", "y"), strict=True):
        checks.unchanged(before, after, what=what)


def check_own_work(function: Student, known: Case) -> None:
    """Check that the function runs, then that its source uses nothing ready-made."""
    run(function, known)
    require(function, banned=BANNED)


def check_no_loop(function: Student, known: Case) -> None:
    """Check that the function runs, then that its source has no loop."""
    run(function, known)
    require(function, loops=0)


def check_operations(function: Student) -> None:
    """Check that 8 times the examples and 4 times the classes do not take more tensor operations."""
    counts = []
    for N, C in ((4, 3), (32, 12)):
        W, X, y = examples(f"operations {N}", N, 5, C)
        measured = measure(function, W, X, y, 0.1)
        loss_and_gradient(measured.result, W)
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


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_hidden_loss() -> None:
    """SVM with loops: the loss of hidden examples."""
    check_loss(linear_classifier.svm_loss_naive, SVM)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_hidden_gradient() -> None:
    """SVM with loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.svm_loss_naive, SVM)


@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_hidden_regularization() -> None:
    """SVM with loops: regularization has no factor 1/2, and a gradient."""
    check_regularized(linear_classifier.svm_loss_naive, SVM_REG)


@pytest.mark.task("svm_naive", weight=1)
def test_svm_naive_float32() -> None:
    """SVM with loops: float32 stays float32."""
    check_single(linear_classifier.svm_loss_naive, SVM_SINGLE)


@pytest.mark.task("svm_naive", weight=1)
def test_svm_naive_one_example() -> None:
    """SVM with loops: a single example of two classes."""
    check_regularized(linear_classifier.svm_loss_naive, SVM_LITTLE)


@pytest.mark.task("svm_naive", weight=1)
def test_svm_naive_layout() -> None:
    """SVM with loops: inputs may have any memory layout."""
    check_layout(linear_classifier.svm_loss_naive, SVM_REG)


@pytest.mark.constraint
@pytest.mark.task("svm_naive", weight=1)
def test_svm_naive_inputs_unchanged() -> None:
    """SVM with loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.svm_loss_naive, SVM_REG)


@pytest.mark.constraint
@pytest.mark.task("svm_naive", weight=2)
def test_svm_naive_own_work() -> None:
    """SVM with loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.svm_loss_naive, SVM)


# SVM without loops


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_hidden_loss() -> None:
    """SVM without loops: the loss of hidden examples."""
    check_loss(linear_classifier.svm_loss_vectorized, SVM)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_hidden_gradient() -> None:
    """SVM without loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.svm_loss_vectorized, SVM)


@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_hidden_regularization() -> None:
    """SVM without loops: regularization has no factor 1/2, and a gradient."""
    check_regularized(linear_classifier.svm_loss_vectorized, SVM_REG)


@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_float32() -> None:
    """SVM without loops: float32 stays float32."""
    check_single(linear_classifier.svm_loss_vectorized, SVM_SINGLE)


@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_one_example() -> None:
    """SVM without loops: a single example of two classes."""
    check_regularized(linear_classifier.svm_loss_vectorized, SVM_LITTLE)


@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_layout() -> None:
    """SVM without loops: inputs may have any memory layout."""
    check_layout(linear_classifier.svm_loss_vectorized, SVM_REG)


@pytest.mark.constraint
@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_inputs_unchanged() -> None:
    """SVM without loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.svm_loss_vectorized, SVM_REG)


@pytest.mark.constraint
@pytest.mark.task("svm_vectorized", weight=4)
def test_svm_vectorized_own_work() -> None:
    """SVM without loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.svm_loss_vectorized, SVM)


@pytest.mark.constraint
@pytest.mark.task("svm_vectorized", weight=2)
def test_svm_vectorized_source() -> None:
    """SVM without loops: the source holds no explicit loop."""
    check_no_loop(linear_classifier.svm_loss_vectorized, SVM)


@pytest.mark.constraint
@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_operations() -> None:
    """SVM without loops: the number of tensor operations stays the same."""
    check_operations(linear_classifier.svm_loss_vectorized)


# Softmax with loops


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_hidden_loss() -> None:
    """Softmax with loops: the loss of hidden examples."""
    check_loss(linear_classifier.softmax_loss_naive, SOFTMAX)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_hidden_gradient() -> None:
    """Softmax with loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.softmax_loss_naive, SOFTMAX)


@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_hidden_regularization() -> None:
    """Softmax with loops: regularization has no factor 1/2, and a gradient."""
    check_regularized(linear_classifier.softmax_loss_naive, SOFTMAX_REG)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_float32() -> None:
    """Softmax with loops: float32 stays float32."""
    check_single(linear_classifier.softmax_loss_naive, SOFTMAX_SINGLE)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_one_example() -> None:
    """Softmax with loops: a single example of two classes."""
    check_regularized(linear_classifier.softmax_loss_naive, SOFTMAX_LITTLE)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_layout() -> None:
    """Softmax with loops: inputs may have any memory layout."""
    check_layout(linear_classifier.softmax_loss_naive, SOFTMAX_REG)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_far_scores() -> None:
    """Softmax with loops: scores around 10,000 and -10,000 give finite results."""
    check_far_scores(linear_classifier.softmax_loss_naive, functional.cross_entropy)


@pytest.mark.constraint
@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_inputs_unchanged() -> None:
    """Softmax with loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.softmax_loss_naive, SOFTMAX_REG)


@pytest.mark.constraint
@pytest.mark.task("softmax_naive", weight=2)
def test_softmax_naive_own_work() -> None:
    """Softmax with loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.softmax_loss_naive, SOFTMAX)


# Softmax without loops


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_hidden_loss() -> None:
    """Softmax without loops: the loss of hidden examples."""
    check_loss(linear_classifier.softmax_loss_vectorized, SOFTMAX)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_hidden_gradient() -> None:
    """Softmax without loops: the gradient of hidden examples."""
    check_gradient(linear_classifier.softmax_loss_vectorized, SOFTMAX)


@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_hidden_regularization() -> None:
    """Softmax without loops: regularization has no factor 1/2, and a gradient."""
    check_regularized(linear_classifier.softmax_loss_vectorized, SOFTMAX_REG)


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_float32() -> None:
    """Softmax without loops: float32 stays float32."""
    check_single(linear_classifier.softmax_loss_vectorized, SOFTMAX_SINGLE)


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_one_example() -> None:
    """Softmax without loops: a single example of two classes."""
    check_regularized(linear_classifier.softmax_loss_vectorized, SOFTMAX_LITTLE)


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_layout() -> None:
    """Softmax without loops: inputs may have any memory layout."""
    check_layout(linear_classifier.softmax_loss_vectorized, SOFTMAX_REG)


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_far_scores() -> None:
    """Softmax without loops: scores around 10,000 and -10,000 give finite results."""
    check_far_scores(linear_classifier.softmax_loss_vectorized, functional.cross_entropy)


@pytest.mark.constraint
@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_inputs_unchanged() -> None:
    """Softmax without loops: the inputs are not modified."""
    check_inputs_unchanged(linear_classifier.softmax_loss_vectorized, SOFTMAX_REG)


@pytest.mark.constraint
@pytest.mark.task("softmax_vectorized", weight=4)
def test_softmax_vectorized_own_work() -> None:
    """Softmax without loops: nothing ready-made and no automatic differentiation is used."""
    check_own_work(linear_classifier.softmax_loss_vectorized, SOFTMAX)


@pytest.mark.constraint
@pytest.mark.task("softmax_vectorized", weight=2)
def test_softmax_vectorized_source() -> None:
    """Softmax without loops: the source holds no explicit loop."""
    check_no_loop(linear_classifier.softmax_loss_vectorized, SOFTMAX)


@pytest.mark.constraint
@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_operations() -> None:
    """Softmax without loops: the number of tensor operations stays the same."""
    check_operations(linear_classifier.softmax_loss_vectorized)
