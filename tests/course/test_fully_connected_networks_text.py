"""Each number in the text of the notebook on fully connected networks is worked out here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers import data
from helpers.training.gradients import compute_numeric_gradient, rel_error
from tests.support.imported_suites import importing
from tests.support.prose import (
    MINUS,
    ORDINALS,
    TIMES,
    WORDS,
    Prose,
    load_reference,
    write_matrix,
    write_number,
    write_product,
)

NAME = "fully_connected_networks"
PROSE = Prose(NAME)
FORMULAS = (
    r"c \leftarrow d\,c + (1 - d)\,g^2, \qquad w \leftarrow w - \alpha\,\frac{g}{\sqrt c + \epsilon}.",
    r"m \leftarrow \beta_1 m + (1 - \beta_1)\,g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\,g^2",
    r"w \leftarrow w - \alpha\,\frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}.",
    r"Dividing by $1 - \beta^t$ corrects this",
    "the kept units are multiplied by $1 / (1 - p)$",
    "A unit with the value $a$ is then $0$ with probability $p$ and $a / (1 - p)$ otherwise.",
    r"p \cdot 0 + (1 - p) \cdot \frac{a}{1 - p} = a",
    r"$\lambda \sum w^2$, in some books $\tfrac12 \lambda \sum w^2$ | $2 \lambda w$, or $\lambda w$",
    "Someone's dropout divides by $p$ instead of $1 - p$.",
    f"With p = ½, p and 1 {MINUS} p are the same",
)
"""What the examples by hand, and the checks of the reference, follow."""
NO_CLAIMS = (
    "Some courses have ½ as the factor.",
    "Try 2000, and give the network more epochs.",
    "L2, with and without ½",
)
"""Numbers that state nothing about what this notebook shows."""
WHEN_RUN = (
    "L2 with the factor ½ equals weight decay, except for rounding",
    "With λ = 0.001, L1 does something that L2 does not: it pulls many weights to *zero*.",
    "a value that is too large for one regularizer, such as 0.01 for L1, is harmless for another",
)
"""What `test_fully_connected_networks_notebook.py` looks up in the executed notebook."""


def run_cells(*texts: str, **names: Any) -> dict[str, Any]:
    """Run the code cells that contain these texts, with the reference; return all names."""
    gradients = {"compute_numeric_gradient": compute_numeric_gradient, "rel_error": rel_error}
    return PROSE.run(*texts, fcn=load_reference(NAME), **gradients, **names)


def in_code(pattern: str) -> str:
    """Return what the only group of a pattern matches in the notebook's source."""
    found = re.search(pattern, PROSE.source, re.MULTILINE)
    assert found is not None, pattern
    return found[1]


def plain(number: float | Tensor) -> str:
    """Write a number as the text does outside of formulas."""
    return f"{float(number):g}".replace("-", MINUS)


def in_diagram(numbers: Tensor) -> str:
    """Write numbers as the diagram does, with two digits at most."""
    return ", ".join(plain(round(float(number), 2) + 0.0) for number in numbers)


def are_different(*sizes: int) -> bool:
    """Return whether no two sizes are equal, so that no mistake of axes fits by chance."""
    return len(set(sizes)) == len(sizes)


def of_a_layer() -> Iterator[str]:
    """Work out the linear layer by hand; yield what the text says of it."""
    names = run_cells("hand_x =", "hand_out, hand_cache =", "hand_dout =")
    x, w, b, out, dout = (names[f"hand_{name}"] for name in ("x", "w", "b", "out", "dout"))
    (examples, features), outputs = x.shape, len(b)
    assert are_different(examples, features, outputs)
    yield f"Take {WORDS[examples]} examples with {WORDS[features]} features each"
    yield f"and a layer with {WORDS[outputs]} outputs"
    yield rf"X = {write_matrix(x)}, \quad W = {write_matrix(w)}, \quad b = {write_matrix(b[None])}"
    yield f"XW + b = {write_matrix(out)}"
    yield f"The first entry is ${write_product(x[0], w[:, 0], b[0])} = {write_number(out[0, 0])}$"
    yield rf"\frac{{\partial L}}{{\partial\,\text{{out}}}} = {write_matrix(dout)}"
    dx, dw, db = (names[f"hand_{name}"] for name in ("dx", "dw", "db"))
    added = " + ".join(write_number(number) for number in dout[:, 0])
    yield f"its gradient is the sum of the first column, ${added} = {write_number(db[0])}$"
    row, column = 1, 3
    yield (
        f"The weight in row {row + 1} and column {column + 1} was multiplied by the {ORDINALS[row + 1]} "
        f"feature of each example on the way to the {ORDINALS[column + 1]} output: "
        f"${write_product(x[:, row], dout[:, column])} = {write_number(dw[row, column])}$"
    )
    yield (
        f"the first feature of the first example reached all {WORDS[outputs]} outputs through the first row "
        f"of $W$: ${write_product(dout[0], w[0])} = {write_number(dx[0, 0])}$"
    )


def of_gradient_checks() -> Iterator[str]:
    """Check gradients; yield what the text says of the errors."""
    names = run_cells("def random(*shape)")
    given = names["x"], names["w"], names["b"]
    assert are_different(*given[0].shape, *given[1].shape)
    layer = names["fcn"].Linear
    assert "it agrees with a right gradient to about eight digits" in PROSE.text
    for value, found in zip(given, (names["dx"], names["dw"], names["db"]), strict=True):
        numeric = compute_numeric_gradient(lambda _: layer.forward(*given)[0], value, names["dout"])
        assert rel_error(numeric, found) < 5e-8
        assert rel_error(numeric, found / len(given[0])) > 0.01
    nothing = torch.zeros(3)
    assert rel_error(nothing, nothing + 0.9e-8) == 0 < rel_error(nothing, nothing + 1.1e-8)
    yield "Differences below 1e-8 come from rounding, and `rel_error` ignores them."
    yield "An error of 0.01 is a mistake"
    passed = names["fcn"].ReLU.backward(torch.ones(3), torch.tensor([-1.0, 0.0, 1.0]))
    assert passed.tolist() == [0.0, 0.0, 1.0]
    yield "the gradient passes where the *input* was above 0, and nowhere else"


def of_two_layers() -> Iterator[str]:
    """Work out the network of two layers by hand; yield what the text says of it."""
    names = run_cells("net = fcn.TwoLayerNet(input_dim=4")
    fcn, net, loss = names["fcn"], names["net"], float(names["loss"])
    w1, b1, w2, b2 = (net.params[name] for name in ("W1", "b1", "W2", "b2"))
    x = torch.tensor(eval(in_code(r"net\.loss\(torch\.tensor\((.+)\), torch\.tensor\(\[0\]\)\)")))
    (features, hidden), classes = w1.shape, len(b2)
    assert are_different(len(x), features, hidden, classes)
    written = ", ".join(write_number(number) for number in x[0])
    yield f"Take one example with {WORDS[features]} features, $x = ({written})$, with label 0"
    yield f"{WORDS[hidden]} hidden units and {WORDS[classes]} classes"
    yield rf"$$W_1 = {write_matrix(w1)},\quad b_1 = {write_matrix(b1[None])},\quad"
    yield rf"W_2 = {write_matrix(w2)},\quad b_2 = {write_matrix(b2[None])}.$$"
    sums, kept = fcn.Linear.forward(x, w1, b1)
    units, gate = fcn.ReLU.forward(sums)
    scores, cache = fcn.Linear.forward(units, w2, b2)
    chances = scores.softmax(dim=1)
    dscores = chances - torch.tensor([[1.0, 0.0]])
    dunits = fcn.Linear.backward(dscores, cache)[0]
    dsums = fcn.ReLU.backward(dunits, gate)
    flows = (
        ("x", "linear 1", x, fcn.Linear.backward(dsums, kept)[0]),
        ("linear 1", "ReLU", sums, dsums),
        ("ReLU", "linear 2", units, dunits),
        ("linear 2", "softmax loss", scores, dscores),
    )
    drawn = PROSE.cell("diagrams.computational_graph")
    for start, end, value, gradient in flows:
        assert f'Edge("{start}", "{end}", "({in_diagram(value[0])})", "({in_diagram(gradient[0])})")' in drawn
    assert f'Edge("softmax loss", "L", "{loss:.2f}", "1")' in drawn
    assert float(scores[0, 0] - scores[0, 1]) == 1
    right, wrong = f"{chances[0, 0]:.2f}", f"{chances[0, 1]:.2f}"
    yield f"The scores {plain(scores[0, 0])} and {plain(scores[0, 1])} give the right class the probability"
    yield rf"$1 / (1 + e^{{-1}}) = {1 / (1 + math.exp(-1)):.2f}$"
    yield rf"the loss is $-\log {right} = {loss:.2f}$"
    yield rf"Its gradient with respect to the scores is $({right} - 1,\ {wrong})$"
    one, two, three = (f"{float(number):.2f}" for number in dunits[0])
    assert w2.tolist() == [[1, -1], [0, 3], [-1, 0]]
    yield rf"$-{wrong} \cdot 1 + {wrong} \cdot (-1) = {one}$ for the first hidden unit"
    yield rf"${wrong} \cdot 3 = {two}$ for the second"
    yield rf"$-{wrong} \cdot (-1) = {three}$ for the third"
    yield f"the gate of the second was shut, since {plain(sums[0, 1])} is not above 0, so {two} ends there"


def of_what_begins() -> Iterator[str]:
    """Look at a network before its training, and at the pictures; yield what the text says of them."""
    fresh = load_reference(NAME).TwoLayerNet(12, 8, 10, dtype=torch.float64)
    examples = torch.randn(5, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert float(fresh.loss(examples).abs().max()) < 1e-3
    assert float(fresh.loss(examples, torch.arange(5))[0]) == pytest.approx(math.log(10), abs=1e-4)
    yield "a new network, whose scores are all about 0"
    pictures = data.tabletop(num_train=200, num_val=200, num_test=200)
    colors, height, width = pictures.x_train.shape[1:]
    assert colors == 3
    yield f"The pictures show {WORDS[len(data.TABLETOP_CLASSES)]} kinds of things on a table"
    yield f"drawn in color with {height} {TIMES} {width} pixels"
    standardized = run_cells("mean_picture =", pictures=pictures, device="cpu")["X_train"]
    assert float(standardized.mean()) == pytest.approx(0, abs=1e-5)
    assert float(standardized.std()) == pytest.approx(1, abs=1e-3)
    yield "Networks work best with numbers around 0 of about unit size."


def of_update_rules() -> Iterator[str]:
    """Take the steps of the tables by hand; yield what the text says of them."""
    fcn, gradients, rate, decay = load_reference(NAME), (2, 1), 0.1, 0.36
    given = f"gradients {gradients[0]} and {gradients[1]}, a weight of 1 moves like this:"
    yield f"With a momentum of ½, a learning rate of {rate}, and {given}"
    w, config = torch.ones(1, dtype=torch.float64), {"learning_rate": rate, "momentum": 0.5}
    lengths = []
    for step, gradient in enumerate(gradients, start=1):
        old, before = float(config.get("velocity", 0)), float(w)
        w, config = fcn.sgd_momentum(w, torch.full_like(w, gradient), config)
        lengths.append(abs(float(w) - before))
        was = f"({plain(old)})" if old < 0 else plain(old)
        velocity = f"½ · {was} {MINUS} {rate} · {gradient} = {plain(config['velocity'])}"
        yield f"| {step} | {gradient} | {velocity} | {float(w):g} |"
    assert lengths[0] == pytest.approx(lengths[1])
    assert gradients[0] == 2 * gradients[1]
    assert "The second step is as long as the first, although the gradient is half as large." in PROSE.text
    yield rf"With $d = {decay}$, $\alpha = {rate}$, and {given}"
    w, config = torch.ones(1, dtype=torch.float64), {"learning_rate": rate, "decay_rate": decay}
    for step, gradient in enumerate(gradients, start=1):
        old, before = float(config.get("cache", 0)), float(w)
        w, config = fcn.rmsprop(w, torch.full_like(w, gradient), config)
        average = float(config["cache"])
        root = f"{math.sqrt(average):.5g}"
        averaged = f"{decay} · {old:g} + {1 - decay:g} · {gradient**2} = {average:.5g}"
        moved = f"{before:.3g} {MINUS} {rate} · {gradient} / {root} = {float(w):.3g}"
        yield f"| {step} | {gradient} | {averaged} | {root} | {moved} |"


def of_adam() -> Iterator[str]:
    """Take Adam's first step by hand; yield what the text says of it."""
    fcn, gradient, rate, beta1, beta2 = load_reference(NAME), 2, 0.1, 0.75, 0.36
    usual = fcn.adam(torch.ones(1), torch.ones(1))[1]
    yield "Its two running averages start at 0 and are far too small at first"
    assert float(usual["v"]) == pytest.approx(1 / 1000)
    yield f"with the usual {usual['beta2']}, the average of the squares after the first step is a thousandth"
    w = torch.ones(1, dtype=torch.float64)
    config = {"learning_rate": rate, "beta1": beta1, "beta2": beta2}
    moved, config = fcn.adam(w, torch.full_like(w, gradient), config)
    m, v = float(config["m"]), float(config["v"])
    first, second = m / (1 - beta1), v / (1 - beta2)
    yield rf"With $\beta_1 = {beta1}$, $\beta_2 = {beta2}$, $\alpha = {rate}$ and a gradient of {gradient}"
    yield f"the first step gives $m = {m:g}$ and $v = {v:g}$, corrected {first:g} and {second:g}"
    step = rf"1 - {rate} \cdot {first:g} / {math.sqrt(second):g} = {float(moved):g}"
    yield f"so a weight of 1 moves to ${step}$."
    assert 1 - beta1**0 == 1 - beta2**0 == 0
    yield f"The first step is number {config['t']}: with $t = 0$ you would divide by zero."


def of_regularizers() -> Iterator[str]:
    """Work out the regularizers by hand; yield what the text says of them."""
    fcn, strength, bound = load_reference(NAME), 0.5, 3.5
    w = torch.tensor(eval(in_code(r"^w = torch\.tensor\((\[.+\])\)$")))
    entries = ", ".join(write_number(number) for number in w)
    yield f"The examples by hand of the first four use $w = ({entries})$."
    l2, slope = fcn.l2_regularizer(w, strength)
    halved, half_slope = fcn.l2_regularizer(w, strength, half=True)
    assert torch.equal(slope, 2 * strength * w)
    assert torch.equal(half_slope, strength * w)
    assert "with the same $\\lambda$ one pulls twice as hard as the other" in PROSE.text
    squares, sizes = float((w**2).sum()), float(w.abs().sum())
    yield rf"The squares add up to {squares:g}, so with $\lambda = {write_number(strength)}$ L2 gives {l2:g}"
    yield f"or {write_number(halved)} with the factor ½.".replace(r"\tfrac12", "½")
    l1, signs = fcn.l1_regularizer(w, strength)
    yield rf"The absolute values add up to {sizes:g}, so with $\lambda = {write_number(strength)}$"
    yield f"L1 gives {l1:g}."
    assert signs[w == 0].tolist() == [0.0]
    yield "Where a weight is 0, so is its gradient."
    both, slopes = fcn.elastic_net(w, strength, strength)
    assert float(both) == float(l1 + l2)
    assert torch.equal(slopes, signs + slope)
    yield "the squares without the factor ½. Write `elastic_net`."
    assert torch.equal(fcn.max_norm(w, bound), w / 2)
    times = WORDS[int(squares / bound)]
    yield f"With $c = {write_number(bound)}$, the sum of squares is {times} times too large."


def of_the_solver() -> Iterator[str]:
    """Look up what is asked of the solver; yield what the text says of it."""
    asked = " ".join(load_reference(NAME).create_solver_instance.__doc__.split())
    told = re.search(
        r"on ([\d,]+) pictures of the notebook's kind, .* get (\d+) percent .* One of (\w+) such", asked
    )
    assert told is not None
    count, percent, networks = told.groups()
    assert int(in_code(r"data\.tabletop\(num_train=(\d+),")) == int(count.replace(",", ""))
    yield f"{networks} networks are trained with them on {count} other pictures"
    yield f"one of the {networks} has to get {percent} % of new ones right"


def of_pictures() -> Iterator[str]:
    """Count what the cells train on; yield what the text says of it."""
    few = in_code(r'^some = \{"X_train": X_train\[:(\d+)\]')
    low, middle, high = in_code(r"^for strength in \((.+)\):").split(", ")
    yield f"with λ = {low}, {middle} and {high} on {few} pictures"
    yield f"Here are only {few} pictures and a wide hidden layer"
    rows = in_code(r"\| name \| what is added to the loss .*\n\|---\|---\|---\|\n((?:\|.*\n)+)").count("\n")
    assert f"and {WORDS[rows]} regularizers side by side" in PROSE.text
    assert f"{WORDS[rows].capitalize()} of them are common:" in PROSE.text
    assert f"They are {WORDS[rows]} short functions at the end of the file" in PROSE.text
    by_heart = int(in_code(r'^few = \{"X_train": X_train\[:(\d+)\]'))
    assert by_heart == 50
    assert "fifty pictures by heart" in PROSE.text


def test_every_number_in_its_text_is_computed() -> None:
    worked_out = (
        of_a_layer,
        of_gradient_checks,
        of_two_layers,
        of_what_begins,
        of_update_rules,
        of_adam,
        of_regularizers,
        of_the_solver,
        of_pictures,
    )
    said = [sentence for work_out in worked_out for sentence in work_out()]
    PROSE.require([*said, *FORMULAS, *WHEN_RUN, *NO_CLAIMS])


def test_public_checks_use_the_examples_of_its_text(pytestconfig: pytest.Config) -> None:
    with importing(NAME, pytestconfig) as load:
        public = load("test_public")
        names = run_cells(
            "hand_x =", "hand_out, hand_cache =", "hand_dout =", "net = fcn.TwoLayerNet(input_dim=4"
        )
        for there, here in (("X", "x"), ("W", "w"), ("B", "b"), ("OUT", "out"), ("DOUT", "dout")):
            assert torch.equal(getattr(public, there), names[f"hand_{here}"])
        assert public.HAND.keys() == names["net"].params.keys()
        for name, value in names["net"].params.items():
            assert torch.equal(public.HAND[name], value)
        assert public.ROW[0].tolist() == eval(in_code(r"^w = torch\.tensor\((\[.+\])\)$"))
