"""The rules about source that the suites state, to be judged without grading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.source import links
from helpers.source.decoding import read
from helpers.source.facts import FunctionFacts, scan
from helpers.testing.checks import CheckFailure
from helpers.testing.constraints import require

KNN = (
    *("torch.norm", "torch.dist", "torch.cdist", "torch.pdist", "torch.pairwise_distance"),
    *("torch.nn", "torch.linalg", "numpy.linalg", "scipy", "sklearn"),
)
LINEAR = (
    *("torch.nn", "torch.autograd", "torch.func", "torch.enable_grad", ".backward", ".requires_grad_"),
    *("torch.softmax", "torch.log_softmax", "torch.special", "scipy", "sklearn", "helpers"),
)
TWO_LAYERS = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".backward", ".cuda", "helpers")
IN_NETWORKS = (
    *("torch.nn", "torch.optim", "torch.autograd", "torch.func", "torch.enable_grad"),
    *(".requires_grad", ".requires_grad_", ".cuda", "helpers.training.layers"),
)
LAYERS = (*IN_NETWORKS, ".grad")
CONVOLUTION = (
    *("torch.nn", "torch.autograd", "torch.func", "helpers", "scipy", ".cuda", ".requires_grad_"),
    *("torch.conv1d", "torch.conv2d", "torch.conv3d", "torch.convolution", "torch.max_pool2d"),
)
NORMALIZATION = (
    *("torch.nn", "torch.autograd", "torch.func", "helpers", ".cuda", ".requires_grad_"),
    *("torch.batch_norm", "torch.native_batch_norm", "torch.layer_norm", "torch.instance_norm"),
)
CONVNETS = ("torch.nn", "torch.optim", "torch.autograd", "torch.func", ".cuda", ".requires_grad_")
PAD = ("torch.nn.functional.pad",)


@dataclass(frozen=True)
class SourceRule:
    """What a suite asks of the source of one function."""

    assignment: str
    module: str
    function: str
    asks: dict[str, Any]


def _rules(assignment: str, module: str, functions: str, **asks: Any) -> list[SourceRule]:
    return [SourceRule(assignment, module, name, asks) for name in functions.split()]


FCN, CN = "fully_connected_networks", "convolutional_networks"
RULES = [
    *_rules("knn", "knn", "compute_distances_two_loops compute_distances_one_loop", banned=KNN),
    *_rules("knn", "knn", "compute_distances_no_loops", banned=KNN),
    *_rules("knn", "knn", "compute_distances_no_loops", loops=0),
    *_rules("linear_classifier", "linear_classifier", "svm_loss_naive svm_loss_vectorized", banned=LINEAR),
    *_rules(
        "linear_classifier", "linear_classifier", "softmax_loss_naive softmax_loss_vectorized", banned=LINEAR
    ),
    *_rules("linear_classifier", "linear_classifier", "svm_loss_vectorized softmax_loss_vectorized", loops=0),
    *_rules("two_layer_net", "two_layer_net", "nn_forward_pass nn_forward_backward", loops=0),
    *_rules(
        "two_layer_net", "two_layer_net", "nn_forward_pass nn_forward_backward nn_train", banned=TWO_LAYERS
    ),
    *_rules(FCN, FCN, "Linear.forward Linear.backward ReLU.forward ReLU.backward", loops=0, banned=LAYERS),
    *_rules(FCN, FCN, "Dropout.forward Dropout.backward", loops=0, banned=LAYERS),
    *_rules(FCN, FCN, "TwoLayerNet.loss FullyConnectedNet.loss", banned=IN_NETWORKS),
    *_rules(FCN, FCN, "sgd_momentum rmsprop adam", banned=LAYERS),
    *_rules(
        CN, "convolution_layers", "Conv.forward Conv.backward MaxPool.forward MaxPool.backward",
        banned=CONVOLUTION, allowed=PAD,
    ),
    *_rules(
        CN, "batch_normalization", "BatchNorm.forward BatchNorm.backward BatchNorm.backward_alt",
        loops=0, banned=NORMALIZATION,
    ),
    *_rules(
        CN, "batch_normalization", "SpatialBatchNorm.forward SpatialBatchNorm.backward", banned=NORMALIZATION
    ),
    *_rules(CN, CN, "ThreeLayerConvNet.loss DeepConvNet.loss", banned=CONVNETS),
]  # fmt: skip


class Elsewhere:
    """A backend that knows facts only."""

    def facts(self, fn: StandIn) -> FunctionFacts:
        """Return the facts."""
        return fn.facts


class StandIn:
    """A function in another process, of which only the facts are known."""

    __backend__ = Elsewhere()

    def __init__(self, facts: FunctionFacts) -> None:
        self.facts = facts

    def __call__(self) -> None:
        """Do nothing: no check may run the function."""
        raise AssertionError


def verdicts(assignment: str, folder: Path, released: Path) -> Iterator[tuple[SourceRule, str | None]]:
    """Yield each rule of an assignment and what is wrong with a hand-in by it; None if it holds."""
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.py"))}
    names = {re.sub(r"\.py$", "", name).replace("/", "."): path for name, path in paths.items()}
    facts = {}
    for name, path in names.items():
        try:
            facts[name] = scan(read(path.read_bytes(), path.name).text)
        except SyntaxError:
            continue
    modules = [path.stem for path in sorted(released.glob("*.py")) if path.stem != "test_public"]
    texts = {name: (released / f"{name}.py").read_text(encoding="utf-8") for name in modules}
    known = links.released_names(modules, texts)
    for rule in RULES:
        if rule.assignment == assignment and rule.module in facts:
            yield rule, verdict(links.link(facts, rule.module, known), rule)


def verdict(facts: Any, rule: SourceRule) -> str | None:
    """Return what is wrong with a function by a rule, or None."""
    try:
        require(StandIn(facts.function(rule.function)), **rule.asks)
    except CheckFailure as failure:
        return f"{failure.problem}; {failure.first_wrong}"
    except ValueError as error:
        return f"cannot be judged: {error}"
    return None
