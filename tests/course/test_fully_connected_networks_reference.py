"""Tests of the assignment on fully connected networks: its reference solution and its suite."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
import torch

from autograder.course import thresholds
from helpers.training.gradients import compute_numeric_gradient, rel_error
from tests.support.imported_suites import CLOSE, importing
from tests.support.in_process import ROOT, Grade, grade_all
from tests.support.prose import WORDS

NAME = "fully_connected_networks"
REFERENCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text()
SETTINGS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL)
STUB = SOLUTION.sub(r'\1raise NotImplementedError("to do")\n', REFERENCE)
POINTS = {task["id"]: task["points"] for task in SETTINGS["tasks"]}
KEYS = [f"secret {number}" for number in range(2)]


def without(task: str) -> str:
    """Return the reference with one place left to do."""
    begin = re.compile(rf"({UNDONE[task]}.*?)( *)### BEGIN SOLUTION\n", re.DOTALL)
    return begin.sub(r"\1\2raise NotImplementedError\n", REFERENCE, count=1)


UNDONE = {
    "linear_forward": r"def forward\(x: Tensor, w: Tensor, b: Tensor\)",
    "linear_backward": r"-> tuple\[Tensor, Tensor, Tensor\]",
    "relu": "The rectified linear unit",
    "two_layer_net": "class TwoLayerNet",
    "fully_connected": "class FullyConnectedNet",
    "overfit": "def get_five_layer_network_params",
    "solver": "def create_solver_instance",
    "sgd_momentum": "def sgd_momentum",
    "rmsprop": "def rmsprop",
    "adam": "def adam",
    "dropout": "class Dropout",
    "l2_regularizer": "def l2_regularizer",
    "l1_regularizer": "def l1_regularizer",
    "elastic_net": "def elastic_net",
    "max_norm": "def max_norm",
    "weight_decay": "def sgd_weight_decay",
}


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of the reference under some secrets, and of the stub."""
    jobs = {key: (REFERENCE, key) for key in KEYS}
    return grade_all(NAME, jobs | {"stub": (STUB, "key")}, tmp_path_factory.mktemp("networks"))


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of the reference with a task undone."""
    jobs = {task: (without(task), "key") for task in UNDONE}
    return grade_all(NAME, jobs, tmp_path_factory.mktemp("undone"))


def from_zero() -> str:
    """Return the reference with layers of any depth that are counted from 0."""
    before, deep = REFERENCE.split("class FullyConnectedNet")
    for name in ("W{i}", "b{i}", "W{last}", "b{last}"):
        deep = deep.replace(name, name.replace("}", " - 1}"))
    return f"{before}class FullyConnectedNet{deep}"


DOUBLE = REFERENCE.replace("x.flatten(start_dim=1) @ w", "x.flatten(start_dim=1).double() @ w")
"""One cast to float64."""


@pytest.fixture(scope="module")
def unusual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of sources that are right but for one thing, without those of what is trained."""
    jobs = {"from zero": (from_zero(), "key"), "double": (DOUBLE, "key")}
    skipped = dict.fromkeys(jobs, ("overfit", "solver"))
    return grade_all(NAME, jobs, tmp_path_factory.mktemp("unusual"), skipped=skipped)


@pytest.mark.parametrize(
    ("name", "task", "cause"),
    [("from zero", "fully_connected", "names begin at W1"), ("double", "linear_forward", "are mixed")],
)
def test_what_is_unusual_is_one_slip(unusual: dict[str, Grade], name: str, task: str, cause: str) -> None:
    grade, others = unusual[name], POINTS.keys() - {"overfit", "solver", task}
    assert {one: grade.points[one] for one in others} == {one: POINTS[one] for one in others}
    assert 0.75 * POINTS[task] <= grade.points[task] < POINTS[task]
    failed = [test for test in grade.tests.values() if not test.passed]
    assert all(cause in (test.slip or "") for test in failed)


@pytest.mark.parametrize("key", KEYS)
def test_the_reference_earns_everything_under_every_secret(grades: dict[str, Grade], key: str) -> None:
    assert [name for name, test in grades[key].tests.items() if not test.passed] == []
    assert grades[key].points == POINTS
    assert sum(POINTS.values()) == 100


def test_the_stub_passes_no_test_at_all(grades: dict[str, Grade]) -> None:
    assert len(grades["stub"].tests) == len(grades[KEYS[0]].tests) > 60
    assert [name for name, test in grades["stub"].tests.items() if test.passed] == []


def test_every_test_has_a_title_of_its_own_and_every_task_has_both_tiers(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests
    titles = [test.title for test in tests.values()]
    assert len(set(titles)) == len(titles)
    assert all(title.endswith(".") and len(title) < 110 for title in titles)
    for public in (True, False):
        assert {test.task for name, test in tests.items() if name.startswith("test_public") == public} == set(
            POINTS
        )


@pytest.mark.full
@pytest.mark.parametrize("task", UNDONE)
def test_later_tasks_do_not_need_earlier_ones(unfinished: dict[str, Grade], task: str) -> None:
    assert lost(unfinished[task]) == {task}


def lost(grade: Grade) -> set[str]:
    """Return the tasks without full points."""
    return {task for task in POINTS if grade.points[task] < POINTS[task]}


# The oracles of the hidden suite


@pytest.fixture(scope="module")
def suite(pytestconfig: pytest.Config) -> Iterator[Callable[[str], ModuleType]]:
    """Return a function that imports a hidden test file."""
    with importing(NAME, pytestconfig) as load:
        yield load


def test_the_oracle_of_the_linear_layer_agrees_with_central_differences(
    suite: Callable[[str], ModuleType],
) -> None:
    hidden = suite("test_hidden_layers")
    for dout, x in ((hidden.DOUT, hidden.X), (hidden.DOUT_FLAT, hidden.FLAT)):
        given = [x.clone(), hidden.W.clone(), hidden.B.clone()]
        for right, value in zip(hidden.true_gradients(dout, *given), given, strict=True):
            slopes = compute_numeric_gradient(lambda _, g=given: hidden.true_out(*g), value, dout)
            assert rel_error(right, slopes) < CLOSE


def plain_loss(
    params: dict[str, torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    reg: float,
    masks: list[torch.Tensor],
) -> torch.Tensor:
    """Return the loss of a network of any depth; without masks, without dropout."""
    depth, out = len(params) // 2, x.flatten(1)
    for i in range(1, depth):
        out = torch.clamp(out @ params[f"W{i}"] + params[f"b{i}"], min=0)
        out = out * masks[i - 1] if masks else out
    scores = out @ params[f"W{depth}"] + params[f"b{depth}"]
    log_probs = scores - scores.exp().sum(dim=1, keepdim=True).log()
    squares = sum((params[f"W{i}"] ** 2).sum() for i in range(1, depth + 1))
    return -log_probs[torch.arange(len(y)), y].mean() + reg * squares


@pytest.mark.parametrize(("reg", "dropout"), [(0.0, 0.0), (0.4, 0.0), (0.1, 0.3)])
@pytest.mark.parametrize("depth", ["TWO", "SHALLOW", "DEEP", "DEEPER"])
def test_the_oracle_of_networks_agrees_with_central_differences(
    suite: Callable[[str], ModuleType], depth: str, reg: float, dropout: float
) -> None:
    hidden = suite("test_hidden_networks")
    case = getattr(hidden, depth)
    x, y, params = case.examples, case.classes, {name: v.clone() for name, v in case.params.items()}
    widths = [params[f"b{i}"].numel() for i in range(1, len(params) // 2)]
    masks = [hidden.mask_of(i, (len(x), width), dropout) for i, width in enumerate(widths) if dropout]
    loss, grads = hidden.true_result(params, x, y, reg, dropout)
    assert float(loss) == pytest.approx(float(plain_loss(params, x, y, reg, masks)), rel=1e-12)
    for name, value in params.items():
        slopes = compute_numeric_gradient(lambda _: plain_loss(params, x, y, reg, masks), value)
        assert rel_error(grads[name], slopes) < CLOSE, name


@pytest.mark.parametrize(("reg", "factor"), [(0.0, 1.0), (0.3, 1.0), (0.3, 0.5)])
def test_the_network_that_is_trained_agrees_with_central_differences(
    suite: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, reg: float, factor: float
) -> None:
    hidden = suite("test_hidden_training")
    monkeypatch.setattr(hidden, "REGULARIZATION", factor)
    net = hidden.AutodiffNet([6, 5, 7, 4], 0.5, reg, "differences")
    net.params = {name: value.double() + 0.1 for name, value in net.params.items()}
    generator = torch.Generator().manual_seed(8)
    x = torch.randn(9, 2, 3, generator=generator, dtype=torch.float64)
    y = torch.randint(4, (9,), generator=generator)
    loss, grads = net.loss(x, y)
    assert float(loss) == pytest.approx(float(plain_loss(net.params, x, y, factor * reg, [])), rel=1e-12)
    for name, value in net.params.items():
        slopes = compute_numeric_gradient(lambda _: plain_loss(net.params, x, y, factor * reg, []), value)
        assert rel_error(grads[name], slopes) < CLOSE, name


def test_the_solver_is_trained_as_its_docstring_says(suite: Callable[[str], ModuleType]) -> None:
    hidden, public = suite("test_hidden_training"), suite("test_public")
    asked = " ".join(public.fcn.create_solver_instance.__doc__.split())
    steps = len(hidden.TRAIN) // 100
    known = thresholds.read(ROOT / "autograder" / "suites" / NAME / "thresholds.toml")["accuracy"]
    for said in (
        f"a network must learn to get {math.ceil(known.threshold)} percent of new pictures right",
        f"on {len(hidden.TRAIN):,} pictures of the notebook's kind",
        f"best on {len(hidden.VAL):,} validation pictures",
        f"One of {WORDS[hidden.TRIES]} such networks",
        f"at most {hidden.MAX_HIDDEN} hidden units and batches of at most {hidden.MAX_BATCH} pictures",
        f"stops after {hidden.MAX_STEPS:,} steps; with batches of 100, each epoch has {steps} steps",
    ):
        assert said in asked
    assert (public.MAX_HIDDEN, public.MAX_BATCH) == (hidden.MAX_HIDDEN, hidden.MAX_BATCH)


def test_the_right_penalties_agree_with_central_differences(suite: Callable[[str], ModuleType]) -> None:
    hidden = suite("test_hidden_regularizers")
    w = torch.where(hidden.W == 0, 0.5, hidden.W)  # away from the kink of |w|
    with hidden.right_penalties():
        for function, settings in (("l2", {}), ("l2", {"half": True}), ("l1", {})):
            regularizer = getattr(hidden.fcn, f"{function}_regularizer")
            penalty, gradient = regularizer(w, 0.3, **settings)
            powers = w**2 if function == "l2" else abs(w)
            assert float(penalty) == pytest.approx(float(0.3 * powers.sum()) / (1 + len(settings)))
            slopes = compute_numeric_gradient(lambda v, f=regularizer, s=settings: f(v, 0.3, **s)[0], w)
            assert rel_error(gradient, slopes) < CLOSE
