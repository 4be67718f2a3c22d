"""Public checks of the fully connected networks: small enough to be worked out by hand."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import fully_connected_networks as fcn
import pytest
import torch

from helpers.testing import Hint, checks, constructor, convention, substituted

X = torch.tensor([[1.0, 2.0], [-1.0, 3.0]])
W = torch.tensor([[1.0, 0.0, 2.0], [-1.0, 1.0, 0.0]])
B = torch.tensor([0.5, 0.0, -1.0])
OUT = torch.tensor([[-0.5, 2.0, 1.0], [-3.5, 3.0, -3.0]])
DOUT = torch.tensor([[1.0, 0.0, 2.0], [-1.0, 1.0, 0.0]])


@pytest.mark.task("linear_forward", weight=1)
def test_linear_by_hand() -> None:
    """Linear, forward: two examples, two inputs, three outputs."""
    result = fcn.Linear.forward(X.clone(), W.clone(), B.clone())
    out, _ = checks.parts(result, 2, what="the result of Linear.forward")
    hints = [
        Hint(OUT - B, says="the biases were forgotten"),
        Hint(OUT.clamp(min=0), says="a ReLU was applied; this layer is only linear"),
    ]
    checks.close(out, OUT, what="the outputs of Linear.forward", hints=hints)


@pytest.mark.task("linear_backward", weight=2)
def test_linear_gradients_by_hand() -> None:
    """Linear, backward: the same numbers, and an example that is an image."""
    images = X.reshape(2, 1, 2)
    result = fcn.Linear.backward(DOUT.clone(), (images, W.clone(), B.clone()))
    dx, dw, db = checks.parts(result, 3, what="the result of Linear.backward")
    right = torch.tensor([[[5.0, -1.0]], [[-1.0, 2.0]]])
    hints = [
        Hint(right.flatten(1), says="dx has the shape of the flattened x; give it the shape of x"),
        Hint(right / 2, says="divided by the number of examples; softmax_loss did that already"),
    ]
    checks.close(dx, right, what="dx of Linear.backward", hints=hints)
    right = torch.tensor([[2.0, -1.0, 2.0], [-1.0, 3.0, 4.0]])
    hints = [
        Hint(right.T, says="transposed: dw has the shape of w"),
        Hint(right / 2, says="divided by the number of examples; softmax_loss did that already"),
    ]
    checks.close(dw, right, what="dw of Linear.backward", hints=hints)
    hints = [
        Hint(torch.tensor([3.0, 0.0]), says="added up over the outputs; add up over the examples, dim=0"),
        Hint(torch.tensor([0.0, 0.5, 1.0]), says="the mean over the examples; add up instead"),
        Hint(torch.tensor([[0.0, 1.0, 2.0]]), says="db has the shape of b, without an axis of length 1"),
    ]
    checks.close(db, torch.tensor([0.0, 1.0, 2.0]), what="db of Linear.backward", hints=hints)


@pytest.mark.task("relu", weight=2)
def test_relu_by_hand() -> None:
    """ReLU: six numbers forward, six gradients backward."""
    x = torch.tensor([[-0.5, 2.0, 1.0], [-3.5, 3.0, -3.0]])
    out, _ = checks.parts(fcn.ReLU.forward(x.clone()), 2, what="the result of ReLU.forward")
    right = torch.tensor([[0.0, 2.0, 1.0], [0.0, 3.0, 0.0]])
    hints = [
        Hint(x.abs(), says="the absolute value was taken"),
        Hint(torch.tensor([[-0.005, 2.0, 1.0], [-0.035, 3.0, -0.03]]), says="numbers below 0 pass in part"),
    ]
    checks.close(out, right, hints=hints, what="the outputs of ReLU.forward", origin=x)
    dout = torch.tensor([[4.0, -5.0, 6.0], [7.0, 8.0, -9.0]])
    right = torch.tensor([[0.0, -5.0, 6.0], [0.0, 8.0, 0.0]])
    hints = [
        Hint(
            torch.tensor([[4.0, 0.0, 6.0], [7.0, 8.0, 0.0]]),
            says="based on the signs of dout; those of x count",
        ),
        Hint(dout, says="everything passed; nothing may pass where x is below 0"),
        Hint(dout - right, says="turned around: it passes where x is above 0"),
        Hint((x > 0).float(), says="not multiplied by dout"),
    ]
    checks.close(fcn.ReLU.backward(dout.clone(), x.clone()), right, what="dx of ReLU.backward", hints=hints)


@contextmanager
def given_layers() -> Iterator[None]:
    """Replace what the layers do that networks build on, so that networks are checked on their own."""
    linear = {
        "forward": lambda x, w, b: (torch.addmm(b, x.flatten(1), w), (x, w, b)),
        "backward": lambda dout, cache: (
            torch.einsum("nm,dm->nd", dout, cache[1]).reshape(cache[0].shape),
            torch.einsum("nd,nm->dm", cache[0].flatten(1), dout),
            dout.sum(dim=0),
        ),
    }
    relu = {
        "forward": lambda x: (torch.where(x > 0, x, 0.0), x),
        "backward": lambda dout, cache: torch.where(cache > 0, dout, 0.0),
    }
    with substituted(fcn.Linear, **linear), substituted(fcn.ReLU, **relu):
        yield


HAND = {
    "W1": torch.tensor([[1.0, -1.0], [2.0, 0.0]]),
    "b1": torch.tensor([0.0, -1.0]),
    "W2": torch.tensor([[1.0, -1.0], [0.0, 3.0]]),
    "b2": torch.tensor([-3.0, 2.0]),
}
HAND_X, HAND_Y = torch.tensor([[1.0, 1.0]]), torch.tensor([0])
# Sums 3 and -2, hidden values 3 and 0, scores 0 and -1; P is the probability of the right class.
P = 1 / (1 + math.exp(-1))
FACTOR = float(convention("regularization"))
HALF = (
    f"the regularization is half of what it should be: its factor REGULARIZATION is {FACTOR:g} here, and the "
    "gradient of w ** 2 is 2 * w"
)
TWICE = f"the regularization is twice what it should be: its factor REGULARIZATION is {FACTOR:g} here"


def check_by_hand(net: Any) -> None:
    """Check scores, loss and gradients of a network of two layers with one example."""
    for name in HAND:
        net.params[name] = HAND[name].clone()
    with given_layers():
        scores = net.loss(HAND_X.clone())
        found = checks.parts(net.loss(HAND_X.clone(), HAND_Y.clone()), 2, what="the result of loss")
    hints = [
        Hint(torch.tensor([[0.0, -7.0]]), says="the ReLU between the layers is missing"),
    ]
    behind = checks.agrees(scores, torch.zeros(1, 2))
    says = "no ReLU follows the last layer"
    checks.holds(not behind, what="the scores", problem="wrong values", likely_cause=says, slip=True)
    checks.close(scores, torch.tensor([[0.0, -1.0]]), what="the scores", hints=hints)
    loss = checks.scalar(found[0], what="the loss")
    hints = [
        Hint(-math.log(P), says="the regularization was forgotten"),
        Hint(-math.log(P) + 0.85 * FACTOR, says=HALF),
        Hint(-math.log(P) + 3.4 * FACTOR, says=TWICE),
        Hint(-math.log(P) + 3.1 * FACTOR, says="the biases were regularized too; only weights are"),
        Hint(-math.log(P) + 0.6 * FACTOR, says="the last layer is not regularized"),
        Hint(-math.log(P) + 1.1 * FACTOR, says="only the last layer is regularized"),
    ]
    checks.close(loss, -math.log(P) + 1.7 * FACTOR, what="the loss", hints=hints)
    grads = checks.entries(found[1], HAND, what="the gradients")
    up = 1 - P  # of the wrong class; that of the right one is -up
    data = {
        "W1": torch.tensor([[-2 * up, 0.0], [-2 * up, 0.0]]),
        "b1": torch.tensor([-2 * up, 0.0]),
        "W2": torch.tensor([[-3 * up, 3 * up], [0.0, 0.0]]),
        "b2": torch.tensor([-up, up]),
    }
    for name, value in data.items():
        penalty = 0.2 * FACTOR * HAND[name] if name.startswith("W") else torch.zeros_like(value)
        hints = [
            Hint(value, says="the regularization was forgotten"),
            Hint(value + penalty / 2, says=HALF),
            Hint(value + 2 * penalty, says=TWICE),
            Hint(value + 0.2 * FACTOR * HAND[name], says="the biases were regularized too; only weights are"),
            Hint(penalty, says="the gradient of the regularization took the place of the other; add them up"),
        ]
        checks.close(grads[name], value + penalty, what=f'grads["{name}"]', hints=hints)


@pytest.mark.task("two_layer_net", weight=4)
def test_two_layers_by_hand() -> None:
    """Two layers: scores, loss and gradients of one example."""
    check_by_hand(fcn.TwoLayerNet(input_dim=2, hidden_dim=2, num_classes=2, reg=0.1))


@pytest.mark.task("fully_connected", weight=3)
def test_one_hidden_layer_by_hand() -> None:
    """Any depth: one hidden layer, the same numbers."""
    check_by_hand(fcn.FullyConnectedNet([2], input_dim=2, num_classes=2, reg=0.1))


@pytest.mark.task("fully_connected", weight=1)
def test_names_of_parameters() -> None:
    """Any depth: three hidden layers have W1, b1 to W4, b4."""
    net = fcn.FullyConnectedNet([5, 4, 3], input_dim=6, num_classes=2)
    shapes = {1: (6, 5), 2: (5, 4), 3: (4, 3), 4: (3, 2)}
    checks.holds(len(net.params) == 8, what="params", problem="not 8 parameters")
    for i, shape in shapes.items():
        checks.tensor(net.params[f"W{i}"], what=f"W{i}", shape=shape, dtype=torch.float32)
        checks.close(net.params[f"b{i}"], torch.zeros(shape[1]), what=f"b{i}")


def check_settings(found: object) -> None:
    """Check that there are two positive numbers."""
    scale, rate = checks.parts(found, 2, what="the settings")
    checks.holds(
        0 < checks.number(scale, what="weight_scale") < 10, what="weight_scale", problem="not from 0 to 10"
    )
    checks.holds(
        0 < checks.number(rate, what="learning_rate") < 10, what="learning_rate", problem="not from 0 to 10"
    )


@pytest.mark.task("overfit", weight=1)
def test_settings() -> None:
    """Settings: two positive numbers for either network."""
    check_settings(fcn.get_three_layer_network_params())
    check_settings(fcn.get_five_layer_network_params())


@pytest.mark.task("solver", weight=1)
def test_solver_is_made() -> None:
    """Solver: it holds the pictures, a network, an update rule and settings."""
    pictures = {
        "X_train": torch.zeros(20, 3, 32, 32),
        "y_train": torch.arange(20) % 10,
        "X_val": torch.zeros(10, 3, 32, 32),
        "y_val": torch.arange(10),
    }

    blank = constructor(fcn.TwoLayerNet, None, lambda: {}, count=4)
    spare: list[Any] = [blank() for _ in range(4)]

    def make(
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: object = "cpu",
    ) -> object:
        model = spare.pop()
        model.params = {"W1": torch.zeros(3072, 2), "b1": torch.zeros(2)}
        return model

    with substituted(fcn, TwoLayerNet=make):
        solver = fcn.create_solver_instance(pictures, torch.float32, "cpu")
    checks.holds(
        type(solver) not in (type(None), int, float, str, tuple, list, dict, torch.Tensor),
        what="the result of create_solver_instance",
        problem=f"not a Solver, but of the type {type(solver).__name__}",
    )
    checks.close(solver.X_train, pictures["X_train"], what="solver.X_train")
    checks.number(solver.num_epochs, at_least=1, what="solver.num_epochs")
    rate = solver.optim_config.items()
    checks.holds(len(rate) > 0, what="optim_config", problem="empty", likely_cause="name a learning rate")


def check_steps(rule: Any, config: dict[str, float], right: list[float], hints: list[list[float]]) -> None:
    """Check two steps of an update rule on a single weight, with gradients 2 and then 1."""
    w, settings = torch.tensor([1.0], dtype=torch.float64), dict(config)
    for step, gradient in enumerate((2.0, 1.0)):
        result = rule(w, torch.tensor([gradient], dtype=torch.float64), settings)
        w, settings = cast(Any, checks.parts(result, 2, what="the result of the update rule"))
        wrong = [
            Hint(torch.tensor([values[step]], dtype=torch.float64), says)  # type: ignore[arg-type]
            for says, *values in hints
        ]
        expected = torch.tensor([right[step]], dtype=torch.float64)
        checks.close(w, expected, what=f"next_w after {step + 1} of 2 steps", hints=wrong)


@pytest.mark.task("sgd_momentum", weight=3)
def test_momentum_by_hand() -> None:
    """Momentum: two steps of a single weight."""
    # v = -0.2, w = 0.8; then v = 0.5 * -0.2 - 0.1 = -0.2, w = 0.6.
    hints: list[Any] = [
        ["the old velocity was used; use the new one", 1.0, 0.8],
        ["this is Nesterov's momentum; the plain one is asked for", 0.7, 0.5],
        [
            "the velocity goes along the gradient; it goes against it: momentum * v - learning_rate * dw",
            1.2,
            1.4,
        ],
        ["the old velocity has no effect; it was not kept in config, or not used", 0.8, 0.7],
    ]
    check_steps(fcn.sgd_momentum, {"learning_rate": 0.1, "momentum": 0.5}, [0.8, 0.6], hints)


@pytest.mark.task("rmsprop", weight=3)
def test_rmsprop_by_hand() -> None:
    """RMSProp: two steps of a single weight."""
    # cache = 0.64 * 4 = 2.56, its root is 1.6, w = 1 - 0.2 / 1.6; then cache = 0.36 * 2.56 + 0.64 = 1.5616.
    second = 0.875 - 0.1 / 1.5616**0.5
    hints: list[Any] = [
        ["the old cache was used; use the new one", 1 - 0.2 / 1e-8, 0.0],
        ["the step goes uphill; subtract it", 1.125, 0.0],
        ["the square root of the cache is missing", 1 - 0.2 / 2.56, 0.0],
        ["the gradient was not squared", 1 - 0.2 / 1.28**0.5, 0.0],
        ["the squares have a factor 1 - decay_rate", 0.9, 0.0],
        ["decay_rate and 1 - decay_rate are swapped", 1 - 0.2 / 1.2, 0.0],
        ["the old cache has no effect; it was not kept in config, or not used", 0.875, 0.75],
    ]
    check_steps(fcn.rmsprop, {"learning_rate": 0.1, "decay_rate": 0.36}, [0.875, second], hints)


WRONG_T = "corrected with a wrong t: count the step first, and keep t in config"
KEPT = "m and v were kept as corrected; keep them as they were before the correction"


@pytest.mark.task("adam", weight=3)
def test_adam_by_hand() -> None:
    """Adam: two steps of a single weight."""
    # m = 0.5, v = 2.56, corrected 2 and 4, so the step is 0.1; then m = 0.625, v = 1.5616, corrected by
    # 1 - 0.75**2 = 0.4375 and 1 - 0.36**2 = 0.8704.
    config = {"learning_rate": 0.1, "beta1": 0.75, "beta2": 0.36}
    second = 0.9 - 0.1 * (0.625 / 0.4375) / (1.5616 / 0.8704) ** 0.5
    once = 0.9 - 0.1 * 2.5 / 2.44**0.5
    swapped = 0.9 - 0.1 * (1.1008 / 0.8704) / (1 / 0.4375) ** 0.5
    kept = 0.9 - 0.1 * (1.75 / 0.4375) / (2.08 / 0.8704) ** 0.5
    kept_m = 0.9 - 0.1 * (1.75 / 0.4375) / (1.5616 / 0.8704) ** 0.5
    kept_v = 0.9 - 0.1 * (0.625 / 0.4375) / (2.08 / 0.8704) ** 0.5
    crossed = "each was corrected with the other's beta: m has 1 - beta1 ** t, v has 1 - beta2 ** t"
    hints: list[Any] = [
        ["m and v are too small at first; divide them by 1 - beta1 ** t and 1 - beta2 ** t", 0.96875, 0.0],
        [crossed, 1 - 0.1 * (0.5 / 0.64) / 3.2, 0.0],
        [KEPT, 0.9, kept],
        [KEPT, 0.9, kept_m],
        [KEPT, 0.9, kept_v],
        ["the square root of v is missing", 0.95, 0.0],
        ["v was not corrected; divide it by 1 - beta2 ** t", 0.875, 0.0],
        [WRONG_T, 0.9, once],
        ["beta1 and beta2 are swapped", 0.9, swapped],
        ["the step goes uphill; subtract it", 1.1, 0.0],
    ]
    check_steps(fcn.adam, config, [0.9, second], hints)


@pytest.mark.task("dropout", weight=2)
def test_dropout_of_ones() -> None:
    """Dropout: of many ones about a quarter becomes 0, the others 4/3, and nothing in test mode."""
    ones = torch.ones(100, 100)
    result = fcn.Dropout.forward(ones.clone(), {"p": 0.25, "mode": "train"})
    out, cache = checks.parts(result, 2, what="the result of Dropout.forward")
    out = checks.tensor(out, what="the outputs of Dropout.forward", shape=(100, 100), dtype=torch.float32)
    kept = (out != 0).float()
    hints = [
        Hint(kept, says="the kept values were not scaled: divide by 1 - p, so that the expected value stays"),
        Hint(kept * 4, says="divided by p, which is the probability of dropping; divide by 1 - p"),
    ]
    checks.close(out, kept / 0.75, what="the outputs of Dropout.forward", hints=hints)
    share = 1 - float(kept.mean())
    cause = "p is the probability of dropping, not of keeping" if 0.7 < share < 0.8 else None
    what = "what Dropout.forward drops"
    fits, slip = 0.2 < share < 0.3, cause is not None
    checks.holds(fits, what=what, problem="not about a quarter", likely_cause=cause, slip=slip)
    found = fcn.Dropout.backward(ones.clone(), cache)
    other = "a new mask was drawn; use the one in the cache"
    hints = [
        Hint(ones, says="the mask was not used"),
        Hint(kept, says="the mask was used without its scale"),
        Hint(lambda dx: 0 < float(((dx != 0) & (out == 0)).sum()) < 5000, says=other, slip=True),
    ]
    checks.close(found, out, what="dx of Dropout.backward", hints=hints)
    result = fcn.Dropout.forward(ones.clone(), {"p": 0.25, "mode": "test"})
    out, _ = checks.parts(result, 2, what="the result of Dropout.forward")
    hints = [
        Hint(ones * 0.75, says="inverted dropout scales while training; at test time nothing is scaled"),
        Hint(ones / 0.75, says="scaled as while training; at test time nothing is scaled"),
    ]
    checks.close(out, ones, what="the outputs of Dropout.forward in test mode", hints=hints)


ROW = torch.tensor([[1.0, -2.0, 0.0, 3.0]])


def check_penalty(name: str, found: object, penalty: float, gradient: list[float], hints: list[Hint]) -> None:
    """Check a penalty and its gradient."""
    value, slope = checks.parts(found, 2, what=f"the result of {name}")
    value = checks.scalar(value, what=f"the penalty of {name}")
    checks.close(value, penalty, what=f"the penalty of {name}", hints=hints)
    checks.close(slope, torch.tensor([gradient]), what=f"the gradient of {name}", hints=hints)


@pytest.mark.task("l2_regularizer", weight=1)
def test_l2_by_hand() -> None:
    """L2: the penalty of (1, -2, 0, 3) and its gradient, without and with the factor 1/2."""
    hints = [Hint(wrong, says="there is no factor 1/2 unless half is True") for wrong in (3.5, ROW / 2)]
    found = fcn.l2_regularizer(ROW.clone(), 0.5)
    check_penalty("l2_regularizer", found, 7.0, [1.0, -2.0, 0.0, 3.0], hints)
    hints = [
        Hint(7.0, says="half was ignored"),
        Hint(ROW, says="the factor 1/2 applies to the gradient, too"),
    ]
    found = fcn.l2_regularizer(ROW.clone(), 0.5, half=True)
    check_penalty("l2_regularizer", found, 3.5, [0.5, -1.0, 0.0, 1.5], hints)


@pytest.mark.task("l1_regularizer", weight=1)
def test_l1_by_hand() -> None:
    """L1: the penalty of (1, -2, 0, 3) and its gradient."""
    hints = [Hint(wrong, says="the signs of w count") for wrong in (1.0, torch.full((1, 4), 0.5))]
    found = fcn.l1_regularizer(ROW.clone(), 0.5)
    check_penalty("l1_regularizer", found, 3.0, [0.5, -0.5, 0.0, 0.5], hints)


@pytest.mark.task("elastic_net", weight=1)
def test_elastic_net_by_hand() -> None:
    """Elastic net: the penalty of (1, -2, 0, 3) and its gradient."""

    def l2(w: torch.Tensor, strength: float, half: bool = False) -> object:
        share = strength * (0.5 if half else 1.0)
        return torch.tensor(14.0 * share), torch.tensor([[2.0, -4.0, 0.0, 6.0]]) * share

    def l1(w: torch.Tensor, strength: float) -> object:
        return torch.tensor(6.0 * strength), torch.tensor([[1.0, -1.0, 0.0, 1.0]]) * strength

    with substituted(fcn, l2_regularizer=l2, l1_regularizer=l1):
        found = fcn.elastic_net(ROW.clone(), 0.5, 0.25)
    halved = (4.75, torch.tensor([[0.75, -1.0, 0.0, 1.25]]))
    hints = [Hint(wrong, says="the squares have no factor 1/2") for wrong in halved]
    hints += [Hint(8.5, says="the strengths are swapped")]
    check_penalty("elastic_net", found, 6.5, [1.0, -1.5, 0.0, 2.0], hints)


@pytest.mark.task("max_norm", weight=1)
def test_max_norm_by_hand() -> None:
    """Max-norm: (1, -2, 0, 3) stays if c is 14.5, and is halved if c is 3.5."""
    stretched = "weights within the bound were stretched to it; they stay as they are"
    hints = [Hint(ROW * (14.5 / 14) ** 0.5, says=stretched), Hint(ROW * 14.5 / 14, says=stretched)]
    found = fcn.max_norm(ROW.clone(), 14.5)
    checks.close(found, ROW, what="weights within the bound, from max_norm", hints=hints)
    hints = [
        Hint(ROW * 0.25, says="shrunk by c / sum(w ** 2); the norm has to shrink by its square root"),
        Hint(ROW * 3.5 / 14**0.5, says="shrunk to the norm c; the bound is for the sum of the squares"),
        Hint(ROW, says="not shrunk", slip=False),
        Hint(ROW / 14**0.5, says="shrunk to the bound 1; c was left out"),
        Hint(ROW / 14, says="divided by sum(w ** 2); the norm is its square root"),
    ]
    found = fcn.max_norm(ROW.clone(), 3.5)
    checks.close(found, ROW * 0.5, what="weights beyond the bound, from max_norm", hints=hints)


@pytest.mark.task("weight_decay", weight=1)
def test_weight_decay_by_hand() -> None:
    """Weight decay: a step of (1, -2, 0, 3)."""
    config = {"learning_rate": 0.5, "weight_decay": 0.2}

    def step(w: torch.Tensor, dw: torch.Tensor, config: dict[str, Any] | None = None) -> object:
        return w - 0.5 * dw, config

    with substituted(fcn, sgd=step):
        result = fcn.sgd_weight_decay(ROW.clone(), torch.ones(1, 4), config)
    found, _ = checks.parts(result, 2, what="the result of sgd_weight_decay")
    hints = [
        Hint(ROW * 0.9 - 1, says="the gradient has to be multiplied by the learning rate, too"),
        Hint(ROW * 0.8 - 0.5, says="the decay has to be multiplied by the learning rate, too"),
        Hint(ROW - 0.5, says="the weights did not decay"),
        Hint(ROW * 1.1 - 0.5, says="the weights grew; they are to decay"),
        Hint(ROW * 0.9 + 0.5, says="the step goes uphill; subtract it"),
        Hint(ROW * 0.8 - 0.5, says="weight decay has no factor 2"),
    ]
    right = torch.tensor([[0.4, -2.3, -0.5, 2.2]])
    checks.close(found, right, what="next_w of sgd_weight_decay", hints=hints)
