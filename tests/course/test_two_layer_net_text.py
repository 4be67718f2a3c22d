"""The numbers in the text of the two-layer network's notebook are right."""

from __future__ import annotations

import ast
import contextlib
import io
import math
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import torch

from helpers.data.pictures import CLASSES, tabletop
from helpers.training import gradients
from tests.support.imported_suites import importing
from tests.support.prose import Prose, number, numbers

NAME = "two_layer_net"


@pytest.fixture(scope="module")
def prose() -> Prose:
    """Return what the notebook says."""
    return Prose(NAME)


@pytest.fixture(scope="module")
def suite(pytestconfig: pytest.Config) -> Iterator[ModuleType]:
    """Return the public checks, which have imported the reference."""
    with importing(NAME, pytestconfig) as load:
        yield load("test_public")


@pytest.fixture(scope="module")
def hand(prose: Prose) -> dict[str, Any]:
    """Return what the cell with the network that is worked out by hand defines."""
    found: dict[str, Any] = {"torch": torch}
    exec(prose.cell("hand_params = {"), found)
    return found


def as_list(matrix: torch.Tensor) -> list[Any]:
    """Return the entries of a tensor, with fractions for what rounding made of them."""
    found: list[Any] = (matrix.double() * 1000).round().div(1000).tolist()
    return found


def test_the_network_worked_out_by_hand_is_right(prose: Prose, hand: dict[str, Any]) -> None:
    x, params = hand["hand_x"], hand["hand_params"]
    named = prose.find("paper and pencil, with {} examples, {} features, {} hidden units and {} classes.")
    sizes = [int(number(word)) for word in named]
    assert sizes == [*x.shape, *params["W2"].shape]
    assert len(set(sizes)) == 4
    assert prose.matrix("X") == x.tolist()
    for name, value in params.items():
        assert prose.matrix(f"{name[0]}_{name[1]}") == value.reshape(-1, value.shape[-1]).tolist()
    sums = x @ params["W1"] + params["b1"]
    hidden = sums.clamp(min=0)
    scores = hidden @ params["W2"] + params["b2"]
    for place, example in enumerate(x.int().tolist()):
        first = f"({', '.join(map(str, example))})"
        found = prose.row(first)
        assert [numbers(cell.replace("*", "")) for cell in found] == [
            value[place].tolist() for value in (sums, hidden, scores)
        ]
        shut = [float(number(cell)) for cell in found[1].split(",") if "**" in cell]
        assert shut == [0.0] * int((hidden[place] == 0).sum())
    assert 0 in hidden
    products = zip(x[0], params["W1"][:, 0], strict=True)
    terms = [f"{a:g}\\cdot" + (f" {b:g}" if b >= 0 else f"({b:g})") for a, b in products]
    assert prose.says(f"The first entry is ${' + '.join(terms)} + {params['b1'][0]:g} = {sums[0, 0]:g}$.")


def test_the_network_worked_out_by_hand_is_that_of_the_public_checks(
    hand: dict[str, Any], suite: ModuleType
) -> None:
    assert hand["hand_x"].tolist() == suite.X.tolist()
    assert hand["hand_y"].tolist() == suite.Y.tolist()
    same = {name: value.tolist() for name, value in suite.network().items()}
    assert {name: value.tolist() for name, value in hand["hand_params"].items()} == same


def test_its_loss_is_right(prose: Prose, hand: dict[str, Any], suite: ModuleType) -> None:
    x, y, params = hand["hand_x"], hand["hand_y"], hand["hand_params"]
    scores = suite.two_layer_net.nn_forward_pass(params, x)[0]
    classes, part = prose.find("so each of the {} classes has probability {}, whatever the labels are")
    assert scores.softmax(dim=1).tolist() == [
        [pytest.approx(float(number(part)))] * int(number(classes))
    ] * len(x)
    same, inverse, log = prose.find(r"the first part is $-\log {} = \log {} \approx {}$.")
    assert number(same) == number(part) == 1 / number(inverse)
    loss = torch.nn.functional.cross_entropy(scores, y)
    assert float(loss) == pytest.approx(math.log(int(inverse)))
    assert log == f"{loss:.4f}"
    first, second, strength, again, added = prose.find(
        r"squares of $W_1$ add up to {} and those of $W_2$ to {}, so with $\lambda = {}$ the loss is"
        r" ${} + r \cdot {}$."
    )
    assert again == log
    assert [float((params[name] ** 2).sum()) for name in ("W1", "W2")] == [float(first), float(second)]
    assert float(strength) * (float(first) + float(second)) == pytest.approx(float(added))
    assert f"({float(0):.1f}, {strength})" in prose.cell("hand_loss, _ =")


def test_its_gradients_are_right(prose: Prose, hand: dict[str, Any], suite: ModuleType) -> None:
    x, y, params = hand["hand_x"], hand["hand_y"], hand["hand_params"]
    labels = prose.find("In the example, with labels {} and {}, that is")
    assert [int(label) for label in labels] == y.tolist()
    sums = x @ params["W1"] + params["b1"]
    scores = (sums.clamp(min=0) @ params["W2"] + params["b2"]).requires_grad_()
    torch.nn.functional.cross_entropy(scores, y).backward()  # type: ignore[no-untyped-call]
    upstream = scores.grad
    assert upstream is not None
    assert [list(map(float, row)) for row in prose.matrix(r"\frac{\partial L}{\partial S}")] == as_list(
        upstream
    )
    (of_bias,) = prose.matrix(r"\frac{\partial L}{\partial b_2}")
    assert list(map(float, of_bias)) == as_list(upstream.sum(dim=0))

    back = upstream @ params["W2"].T
    one, two, stopped, of_all, passed = prose.find(
        "back through $W_2$ they get ${...}$ for the first example and ${...}$ for the second. {} of these {}"
        " numbers stop at a gate that is shut; which ones? The others add up to the gradient with respect to"
        " $b_1$, which is ${...}$."
    )
    assert [list(map(float, numbers(row))) for row in (one, two)] == as_list(back)
    shut = sums <= 0
    assert (number(stopped), number(of_all)) == (int(shut.sum()), back.numel())
    assert list(map(float, numbers(passed))) == as_list((back * ~shut).sum(dim=0))
    grads = suite.two_layer_net.nn_forward_backward(params, x, y)[1]
    assert list(map(float, numbers(passed))) == as_list(grads["b1"])


def test_errors_of_numeric_gradients_are_as_it_says(prose: Prose, suite: ModuleType) -> None:
    found: dict[str, Any] = {"torch": torch, "gradients": gradients, "two_layer_net": suite.two_layer_net}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(prose.cell("by_differences ="), found)
    errors = [float(line.split()[-1]) for line in printed.getvalue().splitlines()]
    (power,) = prose.find("Errors below about 10⁻{} come from rounding.")
    assert max(errors) < 10.0 ** -"⁰¹²³⁴⁵⁶⁷⁸⁹".index(power)
    (digits,) = prose.find("a small $h$ gives it to about {} digits")
    assert max(errors) < 10.0 ** (1 - int(number(digits)))
    (mistake,) = prose.find("An error of {} is a mistake, not bad luck.")
    right, params = found["by_hand"], found["small"].params
    for name in ("W1", "W2"):
        half = (
            right[name] - suite.FACTOR * 0.1 * params[name]
        )  # without the 2 of the regularization's gradient
        assert gradients.rel_error(half, right[name]) > float(mistake)


def test_the_single_hidden_unit_is_right(prose: Prose) -> None:
    x, w, b, v = (int(one) for one in prose.find("at $x = {}$, $w = {}$, $b = {}$, $v = {}$. Values flow"))
    product, total = w * x, w * x + b
    hidden = max(0, total)
    assert total > 0  # the gate is open
    edges = {
        ("x", "times"): (x, v * w),
        ("w", "times"): (w, v * x),
        ("times", "plus"): (product, v),
        ("b", "plus"): (b, v),
        ("plus", "relu"): (total, v),
        ("relu", "last"): (hidden, v),
        ("v", "last"): (v, hidden),
        ("last", "s"): (v * hidden, 1),
    }
    calls = [
        [ast.literal_eval(argument) for argument in node.args]
        for node in ast.walk(ast.parse(prose.cell("computational_graph")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Edge"
    ]
    assert {(begin, end): (number(value), number(grad)) for begin, end, value, grad in calls} == edges
    rows = {
        "x with $v$": [
            "1",
            f"$v = {v}$ for the hidden value, the hidden value {hidden} for $v$",
            f"{v} and {hidden}",
        ],
        "ReLU": [f"{v}", f"1, since {total} > 0; it would be 0 if its input were negative", f"{v}"],
        "+ with $b$": [f"{v}", "1 for both", f"{v} and {v}"],
        "x with $w$": [f"{v}", f"$w = {w}$ for $x$, $x = {x}$ for $w$", f"{v * w} and {v * x}"],
    }
    for first, cells in rows.items():
        assert prose.row(first) == cells
    (lower,) = prose.find("If $b$ were {}, the ReLU would return 0")
    assert product + int(number(lower)) < 0


def test_small_numbers_in_its_text_are_right(prose: Prose) -> None:
    large, small = (float(one) for one in re.findall(r"\d+\.\d", prose.cell("]).exp())"))[::-1])
    assert prose.says(f"A score of {large:g} is not unusual when training goes wrong, but")
    assert torch.tensor([small, large]).exp().isinf().tolist() == [False, True]
    channels, height, width, product = map(int, prose.find("A picture has {} x {} x {} = {} numbers."))
    assert channels * height * width == product == tabletop(200, 200, 200).x_train[0].numel()
    assert prose.says(f"Each hidden unit has {product} weights")
    values, networks = prose.find("The numbers of values multiply: {} of each are {} networks.")
    assert number(values) ** 4 == int(networks)
    _, num_val, _ = re.findall(r"\d+", prose.cell("pictures = tabletop("))[:3]
    total, percent, few = prose.find("there are {} validation pictures, so {} percent is {} pictures")
    assert total == num_val
    assert int(total) * number(percent) / 100 == int(few)
    (steps,) = prose.find("{} steps are too few, and on the right")
    assert f"num_iters={steps})" in prose.cell("curves.settings_map")
    classes, log = prose.find(r"All start at $\log {} \approx {}$, as they should.")
    assert int(classes) == len(CLASSES)
    assert math.log(int(classes)) == pytest.approx(float(log), abs=0.05)


def test_settings_in_its_text_are_those_of_the_cells(prose: Prose) -> None:
    folds = prose.find("{} folds are too few for three arms, {} are nearly enough, and with {} the borders")
    assert f"progress({[int(number(one)) for one in folds]})" in prose.cell("spiral_nets, spiral_stats")
    (classes,) = prose.find("What is the loss with {} classes, weights close to zero")
    assert f"TwoLayerNet(100, 50, {number(classes)})" in prose.cell("untrained =")
    (rates,) = prose.find("Compare {} learning rates:")
    tried = re.findall(r"progress\(\[(.*?)\]\)", prose.cell("histories = {}"))[0]
    assert len(tried.split(",")) == number(rates)
    (amount,) = prose.find("First vary the number of hidden units, with {} training pictures:")
    assert f"num_train={amount}," in prose.cell("sizes = [")
    units, steps = prose.find("Now vary the number of pictures, with {} hidden units and {} steps each:")
    cell = prose.cell("by_amount = {}")
    assert f"train({units}, " in cell
    assert f"num_iters={steps})" in cell
    assert prose.says("Each picture of `tabletop` shows one of ten kinds of things")
    assert len(CLASSES) == 10


def test_preparation_and_the_rate_that_explodes_are_as_it_says(prose: Prose, suite: ModuleType) -> None:
    found: dict[str, Any] = {
        "torch": torch,
        "two_layer_net": suite.two_layer_net,
        "pictures": tabletop(4000, 1000, 1000),
    }
    exec(prose.cell("mean_picture ="), found)
    rows = found["data_dict"]["X_train"]
    assert "numbers around 0, with a spread of about 1" in found["as_rows"].__doc__
    assert rows.mean() == pytest.approx(0, abs=1e-3)
    assert rows.std() == pytest.approx(1, abs=0.1)
    (rate,) = prose.find("try {}, and the loss explodes.")
    _, stats = found["train"](32, learning_rate=float(rate), reg=1e-3, num_iters=60)
    assert not max(stats["loss_history"]) < 1e9
