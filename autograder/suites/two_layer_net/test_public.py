"""Public checks of the two-layer network: small enough to be worked out by hand."""

from collections.abc import Collection
from typing import Any

import pytest
import torch
import two_layer_net
from torch import Tensor

from helpers.testing import Hint, checks, load_weights, substituted

X = torch.tensor([[1.0, 2.0], [1.0, -1.0]])
Y = torch.tensor([0, 2])
SUMS = torch.tensor([[1.0, 4.0, -2.0], [-2.0, 1.0, 1.0]])
HIDDEN = torch.tensor([[1.0, 4.0, 0.0], [0.0, 1.0, 1.0]])
SCORES = torch.tensor([[4.0, 4.0, 4.0], [1.0, 1.0, 1.0]])
PLAIN = (type(None), bool, int, float, str, tuple, list, dict, Tensor)


def network() -> dict[str, Tensor]:
    """Return the parameters of the network that the notebook works out."""
    return {
        "W1": torch.tensor([[-1.0, 1.0, 1.0], [1.0, 1.0, -1.0]]),
        "b1": torch.tensor([0.0, 1.0, -1.0]),
        "W2": torch.tensor([[4.0, 0.0, -4.0], [0.0, 1.0, 2.0], [1.0, 0.0, -1.0]]),
        "b2": torch.zeros(3),
    }


def with_second_bias(*values: float) -> dict[str, Tensor]:
    """Return the same network with another b2, which adds to the scores."""
    return network() | {"b2": torch.tensor(values)}


def forward(params: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Return scores and hidden values of this network for X, whatever is asked."""
    return SCORES + params["b2"], HIDDEN.clone()


def forward_backward(params: dict[str, Tensor], reg: float) -> Any:
    """Return what the student's function returns for X and Y, on top of hidden values that are right."""
    with substituted(two_layer_net, nn_forward_pass=forward):
        found = two_layer_net.nn_forward_backward(params, X.clone(), Y.clone(), reg=reg)
    return checks.parts(found, 2, what="loss and gradients")


def named(found: Any, names: Collection[str], what: str) -> dict[str, object]:
    """Return what the student's code returned, checked to be a dict with an entry of each name."""
    checks.close(found if type(found) is not dict else {}, {}, what=what)
    lacks = [name for name in names if name not in found]
    checks.holds(lacks == [], what=what, problem=f"there is no {', no '.join(lacks)} in it")
    return found  # type: ignore[no-any-return]


def loss_of(params: dict[str, Tensor], reg: float) -> object:
    """Return the loss that the student's function gives for X and Y."""
    loss = forward_backward(params, reg)[0]
    return torch.tensor(loss) if type(loss) is float else loss  # a plain number will do as well


# The forward pass


@pytest.mark.task("forward", weight=2)
def test_forward_by_hand() -> None:
    """Forward: scores and hidden values of two examples."""
    found = two_layer_net.nn_forward_pass(network(), X.clone())
    scores, hidden = checks.parts(found, 2, what="scores and hidden values")
    hints = [
        Hint(SUMS, says="the ReLU is missing: negative sums become 0"),
        Hint(torch.sigmoid(SUMS), says="a sigmoid was used instead of the ReLU"),
        Hint(SCORES, says="scores and hidden values are swapped"),
        Hint(torch.tensor([[1.0, 3.0, 0.0], [0.0, 0.0, 2.0]]), says="the bias b1 was forgotten"),
    ]
    checks.close(hidden, HIDDEN, what="the hidden values", hints=hints)
    hints = [
        Hint(
            torch.tensor([[2.0, 4.0, 6.0], [-7.0, 1.0, 9.0]]), says="the scores were computed before the ReLU"
        ),
    ]
    checks.close(scores, SCORES, what="the scores", hints=hints)


@pytest.mark.task("forward", weight=1)
def test_forward_adds_the_second_bias() -> None:
    """Forward: b2 is added to the scores, and there is no ReLU after them."""
    found = two_layer_net.nn_forward_pass(with_second_bias(-6.0, 0.5, 2.0), X.clone())
    scores, _ = checks.parts(found, 2, what="scores and hidden values")
    right = torch.tensor([[-2.0, 4.5, 6.0], [-5.0, 1.5, 3.0]])
    hints = [
        Hint(SCORES, says="the bias b2 was forgotten"),
        Hint(right.clamp(min=0), says="the scores went through a ReLU; only the hidden layer does"),
    ]
    checks.close(scores, right, what="the scores", hints=hints)


# The loss


@pytest.mark.task("loss", weight=1)
def test_loss_without_labels() -> None:
    """Loss: without labels the scores alone are returned."""
    loss = loss_of(network(), 0.0)
    with substituted(two_layer_net, nn_forward_pass=forward):
        scores = two_layer_net.nn_forward_backward(network(), X.clone())
    checks.close(loss, torch.tensor(1.0986123), what="the loss of equal scores, log 3")
    checks.close(scores, SCORES, what="the scores")


@pytest.mark.task("loss", weight=2)
def test_loss_by_hand() -> None:
    """Loss: two examples with probabilities 1/2, 1/4 and 1/4, without regularization."""
    loss = loss_of(with_second_bias(0.6931472, 0.0, 0.0), 0.0)
    hints = [
        Hint(torch.tensor(2.0794415), says="the losses were added up; divide by the number of examples N"),
        Hint(torch.tensor(-1.0397208), says="the sign: the loss is the mean of minus log p"),
        Hint(torch.tensor(-0.375), says="the logarithm was forgotten"),
        Hint(torch.tensor(1.1552453), says="the mean went over all classes, not over the right ones"),
        Hint(
            torch.tensor(1.5485874), says="the softmax ran over the examples; it runs over the classes, dim=1"
        ),
    ]
    checks.close(loss, torch.tensor(1.0397208), what="the loss", hints=hints)


@pytest.mark.task("loss", weight=2)
def test_loss_regularization() -> None:
    """Loss: the regularization is reg times the sum of all squared weights, 45 here."""
    loss = loss_of(with_second_bias(3.0, 3.0, 3.0), 0.1)
    hints = [
        Hint(torch.tensor(1.0986123), says="the regularization was forgotten"),
        Hint(torch.tensor(3.3486123), says="the regularization was halved; there is no factor 1/2"),
        Hint(torch.tensor(10.0986123), says="the regularization was doubled"),
        Hint(torch.tensor(8.4986123), says="the biases were regularized too"),
        Hint(torch.tensor(1.6986123), says="W2 is not regularized"),
        Hint(torch.tensor(4.9986123), says="W1 is not regularized"),
    ]
    checks.close(loss, torch.tensor(5.5986123), what="the loss", operation="rounded", hints=hints)


# The gradients, of the loss with b2 = 0 and without regularization unless said


def gradients(reg: float) -> dict[str, object]:
    """Return the gradients that the student's function gives."""
    return named(forward_backward(network(), reg)[1], network(), what="the gradients")


@pytest.mark.task("backward", weight=3)
def test_gradients_of_the_second_layer() -> None:
    """Gradients: W2 and b2, by hand."""
    grads = gradients(0.0)
    right = torch.tensor([[-2.0, 1.0, 1.0], [-7.0, 5.0, 2.0], [1.0, 1.0, -2.0]]) / 6
    before_relu = torch.tensor([[-4.0, -1.0, 5.0], [-7.0, 5.0, 2.0], [5.0, -1.0, -4.0]]) / 6
    hints = [
        Hint(2 * right, says="not divided by the number of examples N"),
        Hint(-right, says="the sign is turned around: the gradient is p minus 1 at the right class"),
        Hint(right.T, says="transposed: the gradient has the shape of W2, with a row for each hidden unit"),
        Hint(before_relu, says="computed with the values before the ReLU; use the hidden values after it"),
    ]
    checks.close(grads["W2"], right, what='grads["W2"]', hints=hints)
    bias = torch.tensor([-1.0, 2.0, -1.0]) / 6
    hints = [
        Hint(2 * bias, says="not divided by the number of examples N"),
        Hint(bias / 2, says="divided by N twice: sum the gradients of the scores, which hold 1/N already"),
        Hint(torch.zeros(2), says="summed over the classes; sum over the examples, dim=0"),
    ]
    checks.close(grads["b2"], bias, what='grads["b2"]', hints=hints)


@pytest.mark.task("backward", weight=3)
def test_gradients_of_the_first_layer() -> None:
    """Gradients: W1 and b1, by hand."""
    grads = gradients(0.0)
    right = torch.tensor([[-2.0, 0.0, 0.5], [-4.0, 1.5, -0.5]])
    unmasked = torch.tensor([[0.0, 0.0, 0.0], [-6.0, 1.5, -1.5]])
    hints = [
        Hint(2 * right, says="not divided by the number of examples N"),
        Hint(unmasked, says="the ReLU was forgotten: where it gave 0, no gradient flows"),
        Hint(
            unmasked - right, says="the ReLU is turned around: the gradient flows where its result is above 0"
        ),
        Hint(right.T, says="transposed: the gradient has the shape of W1, with a row for each feature"),
    ]
    checks.close(grads["W1"], right, what='grads["W1"]', operation="gradient", hints=hints)
    bias = torch.tensor([-2.0, 0.0, 0.5])
    hints = [
        Hint(2 * bias, says="not divided by the number of examples N"),
        Hint(torch.zeros(3), says="the ReLU was forgotten: where it gave 0, no gradient flows"),
        Hint(torch.tensor([-1.5, 0.0]), says="summed over the hidden units; sum over the examples, dim=0"),
    ]
    checks.close(grads["b1"], bias, what='grads["b1"]', operation="gradient", hints=hints)


@pytest.mark.task("backward", weight=3)
def test_gradients_of_the_regularization() -> None:
    """Gradients: the regularization adds to those of the weights."""
    reg = 0.25
    grads = gradients(reg)
    plain = torch.tensor([[-2.0, 0.0, 0.5], [-4.0, 1.5, -0.5]])
    for name, data in (("W1", plain), ("W2", torch.tensor([[-2.0, 1, 1], [-7, 5, 2], [1, 1, -2]]) / 6)):
        weights = network()[name]
        hints = [
            Hint(data, says="the regularization was forgotten"),
            Hint(data + reg * weights, says="a factor 2 is missing: that of w ** 2 is 2 * w"),
            Hint(data + weights, says="the gradient of the regularization is doubled"),
            Hint(data + 2 * weights, says="reg is missing in the gradient of the regularization"),
        ]
        checks.close(
            grads[name], data + weights / 2, what=f'grads["{name}"]', operation="gradient", hints=hints
        )


# Training and prediction


@pytest.mark.task("train", weight=3)
def test_training_by_hand() -> None:
    """Training: three steps of an epoch each; the learning rate is halved after every epoch."""

    def loss_func(params: dict[str, Tensor], x: Tensor, y: Tensor, reg: float = 0.0) -> object:
        return torch.tensor(float(params["W1"].sum())), {
            name: torch.ones_like(w) for name, w in params.items()
        }

    def pred_func(params: dict[str, Tensor], loss_func: object, x: Tensor) -> Tensor:
        return torch.zeros(len(x), dtype=torch.int64)

    params = {name: torch.full_like(value, 10.0) for name, value in network().items()}
    labels, val_labels = torch.zeros(4, dtype=torch.int64), torch.tensor([0, 0, 0, 1])
    data = torch.arange(8.0).reshape(4, 2)
    stats = two_layer_net.nn_train(
        params, loss_func, pred_func, data, labels, data.clone(), val_labels, 1.0, 0.5, 0.0, 3, 4
    )
    hints = [
        Hint(torch.full((2, 3), 7.0), says="the learning rate did not decay"),
        Hint(torch.full((2, 3), 11.75), says="the step went along the gradient; it goes against it"),
        Hint(torch.full((2, 3), 9.125), says="the learning rate decayed before the step, not after it"),
        Hint(torch.full((2, 3), 10.0), says="params still holds the old values: change them in the dict"),
    ]
    trained = named(params, network(), what="params after the training")
    checks.close(trained["W1"], torch.full((2, 3), 8.25), what='params["W1"] after the training', hints=hints)
    hints = [Hint(torch.full((3,), 10.0), says="the biases were not trained; a step changes all parameters")]
    checks.close(trained["b2"], torch.full((3,), 8.25), what='params["b2"] after the training', hints=hints)
    histories = ("loss_history", "train_acc_history", "val_acc_history")
    stats = named(stats, histories, what="the statistics")
    checks.close(stats["loss_history"], [60.0, 54.0, 51.0], what="the loss history")
    hints = [
        Hint([75.0] * 3, says="these are percentages; an accuracy is a number from 0 to 1"),
        Hint([0.25] * 3, says="this is the part of wrong predictions"),
        Hint([1.0] * 3, says="this is the accuracy on the batch, not on the validation set"),
    ]
    checks.close(
        stats["val_acc_history"], [0.75] * 3, what="the accuracies on the validation set", hints=hints
    )
    checks.close(stats["train_acc_history"], [1.0] * 3, what="the accuracies on the batches")


@pytest.mark.task("predict", weight=2)
def test_prediction_by_hand() -> None:
    """Prediction: the class with the highest score."""
    scores = torch.tensor([[1.0, 5.0, 2.0], [-1.0, -3.0, -2.0], [0.0, 0.0, 9.0], [7.0, 8.0, 1.0]])
    zeros = torch.zeros(4, 3)

    def loss_func(params: dict[str, Tensor], x: Tensor, y: Tensor | None = None, reg: float = 0.0) -> Tensor:
        return scores.clone()

    def forward_pass(params: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        return scores.clone(), zeros

    with substituted(two_layer_net, nn_forward_pass=forward_pass):
        found = two_layer_net.nn_predict(network(), loss_func, torch.ones(4, 2))
    hints = [
        Hint(
            torch.tensor([3, 3, 2]), says="the best example of each class was chosen; compare classes, dim=1"
        ),
        Hint(torch.tensor([5.0, -1.0, 9.0, 8.0]), says="these are the highest scores, not their places"),
        Hint(torch.tensor([0, 1, 0, 2]), says="the class with the lowest score was chosen"),
    ]
    checks.equal(found, torch.tensor([1, 0, 2, 1]), what="the labels", hints=hints)


# The search


def settings() -> tuple[list[object], list[object], list[object], list[object]]:
    """Return the student's settings, checked to be four lists that are not empty."""
    found = checks.parts(two_layer_net.nn_get_search_params(), 4, what="the settings")
    checks.holds(
        all(type(values) in (tuple, list) and len(values) > 0 for values in found),
        what="the settings",
        problem="one of the four is not a list, or is empty",
    )
    return found  # type: ignore[return-value]


@pytest.mark.task("search_params", weight=2)
def test_settings() -> None:
    """Settings: four lists, not empty, of numbers that make sense."""
    rates, sizes, strengths, decays = settings()
    for rate in rates:
        checks.number(rate, at_least=1e-12, what="a learning rate")
    for size in sizes:
        checks.number(size, at_least=1, what="a hidden size")
        cause = "a hidden size is a whole number: write 32, not 32.0"
        checks.holds(type(size) is int, what="a hidden size", problem="not an integer", likely_cause=cause)
    for strength in strengths:
        checks.number(strength, at_least=0, what="a regularization strength")
    for decay in decays:
        checks.number(decay, at_least=1e-12, at_most=1, what="a learning-rate decay")


@pytest.mark.task("find_best_net", weight=3)
def test_best_of_two_networks() -> None:
    """Search: of two networks the one that is better on the validation set is returned."""
    right = {1: torch.tensor([0, 1, 0, 0]), 2: torch.tensor([0, 0, 1, 0])}
    history = {1: 0.25, 2: 0.75}
    kind = {"dtype": torch.float32, "device": "cpu"}
    spare = {size: two_layer_net.TwoLayerNet(2, size, 2, **kind) for size in right}
    asked: set[int] = set()

    def make(input_size: int, hidden_size: int, output_size: int, *rest: object, **more: object) -> object:
        asked.add(hidden_size)
        net = spare.get(hidden_size, spare[1])
        good = history.get(hidden_size, 0.0)
        net.train = lambda *args, **kwargs: {
            "loss_history": [1.0],
            "train_acc_history": [1 - good / 2],
            "val_acc_history": [good],
        }
        labels = right.get(hidden_size, 1 - data["y_val"])
        net.predict = lambda X: labels if len(X) == 4 else torch.zeros(len(X), dtype=torch.int64)
        return net

    data = {
        "X_train": torch.ones(3, 2),
        "y_train": torch.tensor([0, 1, 0]),
        "X_val": torch.zeros(4, 2),
        "y_val": torch.tensor([0, 0, 1, 1]),
    }
    for sizes in ([1, 2], [2, 1]):
        with substituted(two_layer_net, TwoLayerNet=make):
            found = two_layer_net.find_best_net(data, lambda sizes=sizes: ([0.5], sizes, [0.0], [1.0]))
        net, stat, best = checks.parts(found, 3, what="the network, its statistics and its accuracy")
        checks.holds(asked == {1, 2}, what="the hidden sizes", problem="not 1 and 2, as the settings say")
        accuracy = checks.scalar(best, what="the best accuracy")
        hints = [
            Hint(0.25, says="the worse network was chosen"),
            Hint(75.0, says="this is a percentage; an accuracy is a number from 0 to 1"),
            Hint(2 / 3, says="this is an accuracy on the training set; the validation set decides"),
        ]
        checks.close(accuracy, 0.75, what="the best accuracy", hints=hints)
        stat = named(stat, ["val_acc_history"], what="the statistics of the best network")
        hints = [Hint([0.25], says="these belong to the worse network")]
        checks.close(
            stat["val_acc_history"], [0.75], what="its accuracies on the validation set", hints=hints
        )
        checks.holds(type(net) not in PLAIN, what="the best network", problem="not a TwoLayerNet")
        labels = net.predict(data["X_val"])  # type: ignore[attr-defined]
        checks.equal(labels, right[2], what="the labels of the best network")


@pytest.mark.task("saved_weights", weight=1)
def test_saved_weights() -> None:
    """Saved weights: W1, b1, W2 and b2 of a network for 3072 numbers and 10 classes."""
    saved = load_weights(two_layer_net, "best_two_layer_net.pt")
    checks.equal(sorted(saved), ["W1", "W2", "b1", "b2"], what="the names of the saved weights")
    size = saved["b1"].numel()
    shapes = {"W1": (3072, size), "b1": (size,), "W2": (size, 10), "b2": (10,)}
    for name, shape in shapes.items():
        checks.tensor(saved[name], shape=shape, what=f"the saved {name}")
