"""Public checks of the linear classifiers: three images, three classes, and numbers from the lecture."""

from collections.abc import Callable, Sequence

import linear_classifier
import pytest
import torch
from torch import Tensor

from helpers.testing import Hint, checks, constructor, substituted

# With X = I, the scores are W itself: a row per image (cat, car, frog), a column per class.
X = torch.eye(3)
W = torch.tensor([[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]])
Y = torch.tensor([0, 1, 2])

SVM_GRADIENT = torch.tensor([[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1.0, -2.0]]) / 3
SOFTMAX_GRADIENT = torch.tensor(
    [
        [-0.2900058, 0.2896832, 0.0003226],
        [0.0084150, -0.0253606, 0.0169457],
        [0.1415518, 0.1910750, -0.3326268],
    ]
)
NOT_AVERAGED = "the losses of the examples were added; divide by their number"
SVM_MISTAKES = [
    (15.8, NOT_AVERAGED),
    (6.266667, "the true class was counted too: its own margin is always 1"),
    (3.933333, "the margin of 1 is missing"),
    (1.755556, "the losses were also divided by the number of classes"),
]
SOFTMAX_MISTAKES = [
    (8.2760, NOT_AVERAGED),
    (-2.7587, "the sign is wrong: the loss is minus the logarithm"),
    (2.1285, "normalized over the examples, not over the classes"),
]
SUBTRACTED_ONCE = torch.tensor([[-1.0, 1.0, 0.0], [0.0, -1.0, 0.0], [1.0, 1.0, -1.0]]) / 3
SUM_OF_SQUARES = 89.54


def loss_and_gradient(found: object) -> tuple[float, Tensor]:
    """Check the form of what a loss function returns."""
    loss, gradient = checks.parts(found, 2, what="loss and gradient")
    checked = checks.tensor(gradient, shape=(3, 3), dtype=torch.float32, what="the gradient")
    return checks.scalar(loss, what="the loss"), checked


def check_loss(function: Callable[..., object], right: float, mistakes: Sequence[tuple[float, str]]) -> None:
    """Check the loss of the three images, without regularization."""
    hints = [Hint(value, says=says) for value, says in mistakes]
    loss, _ = loss_and_gradient(function(W.clone(), X.clone(), Y.clone(), 0.0))
    checks.close(loss, right, what="the loss", operation="rounded", hints=hints)


def gradient_hints(right: Tensor, extra: Tensor) -> list[Hint]:
    """Return what typical mistakes give, of a gradient to which the regularizer adds something extra."""
    mistakes = [
        (3 * right, "the gradient is not divided by the number of examples, but the loss is"),
        (right.T, "the gradient is transposed; it has the shape of W"),
        (-right, "the sign is wrong"),
        (right - right.diag().diag(), "nothing is subtracted at the true class"),
        (right + torch.eye(3) / 3, "nothing is subtracted at the true class"),
        (SUBTRACTED_ONCE, "at the true class, subtract x once for every margin above 0"),
        (right - torch.eye(3) / 3, "the true class was counted among the margins above 0"),
        (torch.zeros(3, 3), "the gradient was never filled in"),
    ]
    return [Hint(value + extra, says=says) for value, says in mistakes]


def check_gradient(function: Callable[..., object], right: Tensor) -> None:
    """Check the gradient of the three images, without regularization."""
    _, gradient = loss_and_gradient(function(W.clone(), X.clone(), Y.clone(), 0.0))
    hints = gradient_hints(right, torch.zeros(3, 3))
    checks.close(gradient, right, what="the gradient", operation="gradient", hints=hints)


def check_regularization(
    function: Callable[..., object], loss: float, gradient: Tensor, mistakes: Sequence[tuple[float, str]]
) -> None:
    """Check loss and gradient of the three images, with regularization."""
    found, dw = loss_and_gradient(function(W.clone(), X.clone(), Y.clone(), 0.1))
    right = 0.1 * SUM_OF_SQUARES
    hints = [
        *(Hint(value + right, says=says) for value, says in mistakes),
        Hint(loss, says="the regularizer is missing"),
        Hint(loss + right / 2, says="there is a factor 1/2 in the regularizer; here it has none"),
        Hint(loss + right / 3, says="the regularizer was averaged over the examples, too"),
        Hint(loss + right * 3, says="the regularizer was added once per example"),
        Hint(loss + right * 2, says="the regularizer was added twice"),
    ]
    checks.close(found, loss + right, what="the regularized loss", operation="rounded", hints=hints)
    hints = [
        Hint(gradient, says="the regularizer has a gradient, too"),
        Hint(gradient + 0.1 * W, says="a factor 2 is missing: the derivative of w² is 2w"),
        Hint(gradient + 0.4 * W, says="the gradient of the regularizer was added twice"),
        *gradient_hints(gradient, 0.2 * W),
    ]
    checks.close(dw, gradient + 0.2 * W, what="the regularized gradient", operation="gradient", hints=hints)


@pytest.mark.task("svm_naive", weight=1)
def test_svm_naive_loss() -> None:
    """SVM with loops: the loss of three images."""
    check_loss(linear_classifier.svm_loss_naive, 5.266667, SVM_MISTAKES)


@pytest.mark.task("svm_naive", weight=1)
def test_svm_naive_gradient() -> None:
    """SVM with loops: the gradient of three images."""
    check_gradient(linear_classifier.svm_loss_naive, SVM_GRADIENT)


@pytest.mark.task("svm_naive", weight=1)
def test_svm_naive_regularization() -> None:
    """SVM with loops: loss and gradient with regularization."""
    check_regularization(linear_classifier.svm_loss_naive, 5.266667, SVM_GRADIENT, SVM_MISTAKES)


@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_loss() -> None:
    """SVM without loops: the loss of three images."""
    check_loss(linear_classifier.svm_loss_vectorized, 5.266667, SVM_MISTAKES)


@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_gradient() -> None:
    """SVM without loops: the gradient of three images."""
    check_gradient(linear_classifier.svm_loss_vectorized, SVM_GRADIENT)


@pytest.mark.task("svm_vectorized", weight=1)
def test_svm_vectorized_regularization() -> None:
    """SVM without loops: loss and gradient with regularization."""
    check_regularization(linear_classifier.svm_loss_vectorized, 5.266667, SVM_GRADIENT, SVM_MISTAKES)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_loss() -> None:
    """Softmax with loops: the loss of three images."""
    check_loss(linear_classifier.softmax_loss_naive, 2.758655, SOFTMAX_MISTAKES)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_gradient() -> None:
    """Softmax with loops: the gradient of three images."""
    check_gradient(linear_classifier.softmax_loss_naive, SOFTMAX_GRADIENT)


@pytest.mark.task("softmax_naive", weight=1)
def test_softmax_naive_regularization() -> None:
    """Softmax with loops: loss and gradient with regularization."""
    check_regularization(linear_classifier.softmax_loss_naive, 2.758655, SOFTMAX_GRADIENT, SOFTMAX_MISTAKES)


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_loss() -> None:
    """Softmax without loops: the loss of three images."""
    check_loss(linear_classifier.softmax_loss_vectorized, 2.758655, SOFTMAX_MISTAKES)


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_gradient() -> None:
    """Softmax without loops: the gradient of three images."""
    check_gradient(linear_classifier.softmax_loss_vectorized, SOFTMAX_GRADIENT)


@pytest.mark.task("softmax_vectorized", weight=1)
def test_softmax_vectorized_regularization() -> None:
    """Softmax without loops: loss and gradient with regularization."""
    check_regularization(
        linear_classifier.softmax_loss_vectorized, 2.758655, SOFTMAX_GRADIENT, SOFTMAX_MISTAKES
    )


@pytest.mark.task("sample_batch", weight=1)
def test_batch_by_hand() -> None:
    """Four of six examples come with their own labels."""
    x = torch.tensor([[0.0, 9.0], [1.0, 8.0], [2.0, 7.0], [3.0, 6.0], [4.0, 5.0], [5.0, 4.0]])
    found = linear_classifier.sample_batch(x.clone(), torch.tensor([0, 10, 20, 30, 40, 50]), 6, 4)
    some_x, some_y = checks.parts(found, 2, what="examples and labels")
    rows = checks.tensor(some_x, shape=(4, 2), dtype=torch.float32, what="the examples")
    labels = checks.tensor(some_y, shape=(4,), dtype=torch.int64, what="the labels")
    checks.holds(
        bool(torch.isin(rows[:, 0], x[:, 0]).all() and (rows.sum(dim=1) == 9).all()),
        what="the examples",
        problem="not rows of X",
    )
    checks.holds(
        rows[:, 0].tolist() == (labels / 10).tolist(),
        what="the labels",
        problem="not those of the examples",
        likely_cause="X and y are indexed by different random numbers",
    )


@pytest.mark.task("train", weight=2)
def test_three_steps_by_hand() -> None:
    """Three steps of length 1/2 down the parabola w²/2, from 8 to 1."""
    seen = []

    def loss_func(W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor, Tensor]:
        seen.append((X_batch.tolist(), y_batch.tolist(), reg))
        return W.square().sum() / 2, W.clone()

    def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
        return X[:batch_size], y[:batch_size]

    x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([0, 0, 0])
    with substituted(linear_classifier, sample_batch=sample_batch):
        found = linear_classifier.train_linear_classifier(
            loss_func, torch.tensor([[8.0]]), x, y, learning_rate=0.5, reg=0.25, num_iters=3, batch_size=2
        )
    weights, losses = checks.parts(found, 2, what="weights and losses")
    hints = [
        Hint(torch.tensor([[27.0]]), says="the step goes uphill; subtract the gradient"),
        Hint(torch.tensor([[8.0]]), says="the weights never change"),
        Hint(torch.tensor([[0.0]]), says="learning_rate is not used"),
        Hint(torch.tensor([[4.0]]), says="only one step was taken"),
        Hint(torch.tensor([[2.0]]), says="the last step is missing"),
        Hint(torch.tensor([[0.5]]), says="there is a step too many"),
    ]
    checks.close(weights, torch.tensor([[1.0]]), what="the weights", hints=hints)
    hints = [
        Hint([8.0, 2.0, 0.5], says="the loss was noted after the step, not before it"),
        Hint([32.0, 72.0, 162.0], says="the step goes uphill; subtract the gradient"),
    ]
    checks.close(losses, [32.0, 8.0, 2.0], what="the losses", hints=hints)
    checks.holds(
        seen == [([[1.0], [2.0]], [0, 0], 0.25)] * 3,
        what="what loss_func was called with",
        problem="not the batch that sample_batch drew, and reg",
    )


@pytest.mark.task("predict", weight=1)
def test_predictions_by_hand() -> None:
    """The class with the largest score is predicted: the frog is taken for a car."""
    found = linear_classifier.predict_linear_classifier(W.clone(), X.clone())
    hints = [
        Hint(torch.tensor([2, 0, 2]), says="the smallest score was taken, not the largest"),
        Hint(torch.tensor([0, 0, 1]), says="the largest score of each class was taken, not of each example"),
    ]
    checks.equal(found, torch.tensor([1, 1, 1]), what="the labels", hints=hints)


def check_search_params(found: object) -> None:
    """Check the form of the settings to try."""
    combinations = 1
    names = ("learning rates", "regularization strengths")
    for values, name in zip(checks.parts(found, 2, what=" and ".join(names)), names, strict=True):
        listed = values.tolist() if type(values) is Tensor else values
        checks.holds(type(listed) in (list, tuple), what=f"the {name}", problem="not a list")
        for value in listed:  # type: ignore[attr-defined]
            number = checks.number(value, at_least=0, what=f"one of the {name}")
            checks.holds(number > 0 or name != names[0], what="a learning rate", problem="0 learns nothing")
        combinations *= len(listed)  # type: ignore[arg-type]
    checks.number(combinations, at_least=1, what="the number of combinations")
    checks.holds(
        combinations <= 25,
        what="the number of combinations",
        problem=f"{combinations}, and at most 25 are allowed",
        likely_cause="each learning rate goes with each strength, so the lengths of the lists multiply",
    )


@pytest.mark.task("search", weight=1)
def test_svm_search_params() -> None:
    """SVM: at most 25 combinations of positive numbers."""
    check_search_params(linear_classifier.svm_get_search_params())


@pytest.mark.task("search", weight=1)
def test_softmax_search_params() -> None:
    """Softmax: at most 25 combinations of positive numbers."""
    check_search_params(linear_classifier.softmax_get_search_params())


@pytest.mark.task("search", weight=2)
def test_one_choice_by_hand() -> None:
    """One choice: the classifier is trained with it, and 3 of 4 and 1 of 2 labels are right."""
    data = {
        "X_train": torch.tensor([[1.0], [2.0], [3.0], [4.0]]),
        "y_train": torch.tensor([1, 1, 1, 0]),
        "X_val": torch.tensor([[5.0], [6.0]]),
        "y_val": torch.tensor([0, 1]),
    }
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
        return [1.0] * 7

    methods = {"train": train, "predict": lambda X: torch.ones(len(X), dtype=torch.int64)}
    classifier = constructor(linear_classifier.LinearSVM, (), lambda: methods, count=1)()
    found = linear_classifier.test_one_param_set(classifier, data, 0.5, 0.25, num_iters=7)
    _, *accuracies = checks.parts(found, 3, what="the classifier and two accuracies")
    hints = [
        Hint([[0.25, 0.5, 7, 4, 4]], says="learning rate and regularization are swapped"),
        Hint([[0.5, 0.25, 100, 4, 4]], says="num_iters is not passed on"),
        Hint([[0.5, 0.25, 7, 2, 2]], says="trained on the validation data"),
    ]
    checks.equal(settings, [[0.5, 0.25, 7, 4, 4]], what="what the classifier is trained with", hints=hints)
    for accuracy, right, part in zip(accuracies, (0.75, 0.5), ("training", "validation"), strict=True):
        percent = checks.scalar(accuracy, at_least=0, at_most=100, what=f"the {part} accuracy")
        hints = [Hint(1.25 - right, says="measured on the other part of the data")]
        fraction = percent / 100 if percent > 1 else percent
        checks.close(fraction, right, what=f"the {part} accuracy", hints=hints)
