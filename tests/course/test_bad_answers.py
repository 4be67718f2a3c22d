"""A function that answers badly costs its own task alone, and the student reads what came instead."""

from __future__ import annotations

import dataclasses

import pytest

from autograder import course
from autograder.course import assignment
from autograder.course.assignment import Assignment
from autograder.engine.pool import Pool
from autograder.graded.results import Feedback
from autograder.grading import specimens
from autograder.grading.specimens import StudentFunction
from autograder.scoring import Outcome, PlannedTest
from helpers.statuses import Status
from tests.support import bad_answers, classes
from tests.support.bad_answers import Kind

TASKS = {
    "knn": {
        "compute_distances_two_loops": "distances_two_loops",
        "compute_distances_one_loop": "distances_one_loop",
        "compute_distances_no_loops": "distances_no_loops",
        "predict_labels": "predict_labels",
        "KnnClassifier": "classifier",
        "knn_cross_validate": "cross_validate",
        "knn_get_best_k": "best_k",
    },
    "linear_classifier": {
        "svm_loss_naive": "svm_naive",
        "svm_loss_vectorized": "svm_vectorized",
        "softmax_loss_naive": "softmax_naive",
        "softmax_loss_vectorized": "softmax_vectorized",
        "sample_batch": "sample_batch",
        "train_linear_classifier": "train",
        "predict_linear_classifier": "predict",
        "svm_get_search_params": "search",
        "softmax_get_search_params": "search",
        "test_one_param_set": "search",
    },
    "two_layer_net": {
        "nn_forward_pass": "forward",
        "nn_forward_backward": "loss backward",
        "nn_train": "train",
        "nn_predict": "predict",
        "nn_get_search_params": "search_params",
        "find_best_net": "find_best_net",
    },
    "fully_connected_networks": {
        "Linear.forward": "linear_forward",
        "Linear.backward": "linear_backward",
        "ReLU": "relu",
        "TwoLayerNet": "two_layer_net",
        "FullyConnectedNet": "fully_connected",
        "get_three_layer_network_params": "overfit",
        "get_five_layer_network_params": "overfit",
        "create_solver_instance": "solver",
        "sgd_momentum": "sgd_momentum",
        "rmsprop": "rmsprop",
        "adam": "adam",
        "Dropout": "dropout",
        "l2_regularizer": "l2_regularizer",
        "l1_regularizer": "l1_regularizer",
        "elastic_net": "elastic_net",
        "max_norm": "max_norm",
        "sgd_weight_decay": "weight_decay",
    },
    "convolutional_networks": {
        "kaiming_initializer": "kaiming",
        "ThreeLayerConvNet": "three_layer_net",
        "DeepConvNet": "deep_net",
        "find_overfit_parameters": "overfit",
        "create_convolutional_solver_instance": "solver",
        "Conv.forward": "conv_forward",
        "Conv.backward": "conv_backward",
        "MaxPool.forward": "max_pool_forward",
        "MaxPool.backward": "max_pool_backward",
        "BatchNorm.forward": "batchnorm_forward batchnorm_backward batchnorm_backward_alt",
        "BatchNorm.backward": "batchnorm_backward",
        "BatchNorm.backward_alt": "batchnorm_backward_alt",
        "SpatialBatchNorm": "spatial_batchnorm",
    },
    "more_convolutions": {
        "im2col": "im2col",
        "average_pool": "average_pool",
        "dilated_conv": "dilated_conv",
        "grouped_conv": "grouped_conv",
        "transposed_conv": "transposed_conv",
        "conv1d": "conv_1d_3d",
        "conv3d": "conv_1d_3d",
    },
}
"""Function or class to the tasks that it belongs to; the way back needs what the forward pass keeps."""
LARGE = ("fully_connected_networks", "convolutional_networks")
COURSE = course.Course.load(classes.ROOT)
ALWAYS: tuple[Kind, ...] = ("raises", "none")
BY_TURNS: tuple[Kind, ...] = ("nan", "shape", "dtype")
SMALL = [name for name in COURSE.assignments() if name not in LARGE]
IN_SHORT = [name for name in SMALL if name != "more_convolutions"]
"""Small assignments with few tests; each of the others would take ten seconds of the short run."""
NAMES = [
    *(pytest.param((name, False), id=f"{name}-some") for name in IN_SHORT),
    *(pytest.param((name, True), marks=pytest.mark.full, id=name) for name in COURSE.assignments()),
]
"""Assignments, and whether all functions are to answer badly, or every third.

Functions of small assignments answer in all ways where all of them do, and else in three, by turns: then the
whole suite grades what raises, and the tests of its tasks what does not.
"""


@dataclasses.dataclass(frozen=True)
class Bad:
    """What one function that answers badly costs.

    Attributes
    ----------
    own, lost : set of str
        Tasks that the function belongs to, and those that lost points.
    read : list of Feedback
        What the student reads about checks of values.
    raised : bool
        Whether the student's own code raised in all of those checks.
    """

    own: frozenset[str]
    lost: set[str]
    read: list[Feedback]
    raised: bool


@pytest.fixture(scope="module", params=NAMES)
def bad(request: pytest.FixtureRequest) -> dict[tuple[StudentFunction, Kind], Bad]:
    """Return what every bad answer of every function of an assignment costs."""
    name, every_kind = request.param
    one = assignment.load(COURSE, name)
    wanted: list[tuple[StudentFunction, Kind]] = [
        (function, kind)
        for place, function in enumerate(specimens.find_student_functions(one)[:: 1 if every_kind else 3])
        for kind in (
            bad_answers.KINDS if every_kind and name in SMALL else ALWAYS + BY_TURNS[place % 3 :][:1]
        )
        if kind in ALWAYS or "__init__" not in function.name
    ]
    return _grade_answers(one, wanted, alone=name in LARGE or not every_kind)


def test_other_tasks_are_unaffected(bad: dict[tuple[StudentFunction, Kind], Bad]) -> None:
    for (function, kind), found in bad.items():
        assert found.lost <= found.own, (function.name, kind)
        if kind in ALWAYS:
            assert found.lost == found.own, (function.name, kind)


def test_an_exception_is_named_with_its_function(bad: dict[tuple[StudentFunction, Kind], Bad]) -> None:
    for (function, kind), found in bad.items():
        if kind == "raises":
            places = {read.location.function for read in found.read if read.location is not None}
            assert function.name.rpartition(".")[2] in places, function.name
            assert any("ValueError" in read.summary for read in found.read), function.name


def test_what_came_is_told(bad: dict[tuple[StudentFunction, Kind], Bad]) -> None:
    for (function, kind), found in bad.items():
        if kind == "raises" or not found.lost or "__init__" in function.name:
            continue
        texts = [" ".join(map(str, (read.summary, read.actual, read.likely_cause))) for read in found.read]
        assert all("failed on what" not in text and "does not hold" not in text for text in texts), (
            function.name,
            kind,
            texts,
        )
        if kind == "none":
            assert found.raised or any("None" in text for text in texts), (function.name, texts)


def test_what_was_expected_is_told(bad: dict[tuple[StudentFunction, Kind], Bad]) -> None:
    for (function, kind), found in bad.items():
        if kind in ("shape", "dtype") and found.lost and not found.raised:
            told = any(read.expected or read.likely_cause for read in found.read)
            assert told, (function.name, kind, found.read)


def tasks_of(name: str, function: StudentFunction) -> frozenset[str]:
    """Return the tasks of an assignment that a function belongs to."""
    table, (owner, *_) = TASKS[name], function.name.split(".")
    return frozenset((table.get(function.name) or table[owner]).split())


def _grade_answers(
    one: Assignment, wanted: list[tuple[StudentFunction, Kind]], *, alone: bool
) -> dict[tuple[StudentFunction, Kind], Bad]:
    """Grade all bad answers by the whole suite; if `alone`, what does not raise by the tests of its tasks."""
    groups: dict[frozenset[str] | None, list[tuple[StudentFunction, Kind]]] = {}
    for function, kind in wanted:
        whole = not alone or kind == "raises"
        groups.setdefault(None if whole else tasks_of(one.name, function), []).append((function, kind))
    found = {}
    for tasks, members in groups.items():
        spoiled = [
            dataclasses.replace(bad_answers.submission(one, *member), student=str(place))
            for place, member in enumerate(members)
        ]
        with Pool(one, COURSE, jobs=1, sandbox="full", tasks=tasks) as pool:
            plan = {test.id: test for test in pool.plan}
            for graded in pool.grade(spoiled):
                member = members[int(graded.submission.student)]
                found[member] = _bad(tasks_of(one.name, member[0]), plan, graded.outcomes)
    return found


def _bad(own: frozenset[str], plan: dict[str, PlannedTest], outcomes: tuple[Outcome, ...]) -> Bad:
    wrong = [one for one in outcomes if one.status not in (Status.passed, Status.not_judged)]
    values = [one for one in wrong if plan[one.id].kind == "value"]
    return Bad(
        own=own,
        lost={plan[one.id].task for one in wrong},
        read=[one.feedback for one in values if one.feedback is not None],
        raised=all(one.status is Status.raised for one in values),
    )
