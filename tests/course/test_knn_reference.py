"""Tests of the k-nearest-neighbor assignment: its reference solution, its suite, and typical mistakes."""

from __future__ import annotations

import ast
import re
import tomllib

import pytest

from tests.support.in_process import ROOT, Grade, grade_all

REFERENCE = (ROOT / "solutions" / "knn" / "knn.py").read_text()
SETTINGS = tomllib.loads((ROOT / "solutions" / "knn" / "assignment.toml").read_text())
SOLUTION = re.compile(r"( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL)
STUB = SOLUTION.sub(r'\1raise NotImplementedError("to do")\n', REFERENCE)
POINTS = {task["id"]: task["points"] for task in SETTINGS["tasks"]}
KEYS = [f"secret {number}" for number in range(5)]
FOLDS = REFERENCE[REFERENCE.index("    x_folds =") : REFERENCE.index("    return accuracies\n")]
LABELS = REFERENCE[
    REFERENCE.index("    nearest =") : REFERENCE.index("    ### END", REFERENCE.index("nearest ="))
]

MISTAKES = {
    "square root": (
        "((train_point - test_point) ** 2).sum()",
        "((train_point - test_point) ** 2).sum().sqrt()",
        "distances_two_loops",
        "square root was taken",
    ),
    "swapped": (
        "dists[i] = (differences**2).sum(dim=1)\n    return dists",
        "dists[i] = (differences**2).sum(dim=1)\n    return dists.T",
        "distances_one_loop",
        "are swapped",
    ),
    "two loops in one": (
        "dists[i] = (differences**2).sum(dim=1)",
        "for j in range(len(x_test)):\n            dists[i, j] = (differences[j] ** 2).sum()",
        "distances_one_loop",
        "2 explicit loops",
    ),
    "loop in a helper": (
        "    center = x_train.mean(dim=0)",
        "    return compute_distances_one_loop(x_train, x_test)\n    center = 0",
        "distances_no_loops",
        "1 explicit loop;",
    ),
    "broadcast": (
        "    center = x_train.mean(dim=0)",
        "    difference = x_train.flatten(1)[:, None] - x_test.flatten(1)\n"
        "    return (difference**2).sum(dim=2)\n    center = 0",
        "distances_no_loops",
        "num_train * num_test * D",
    ),
    "cdist": (
        "    center = x_train.mean(dim=0)",
        "    a, b = x_train.double().flatten(1), x_test.double().flatten(1)\n"
        "    return torch.cdist(a, b).to(x_train.dtype) ** 2\n    center = 0",
        "distances_no_loops",
        "uses torch.cdist",
    ),
    "cancellation": ("x_train.mean(dim=0)", "0", "distances_no_loops", "in the millions"),
    "negative": (".clamp(min=0)", "", "distances_no_loops", "negative in places"),
    "input changed": (
        "train = (x_train - center)",
        "train = x_train.sub_(center)",
        "distances_no_loops",
        "in place",
    ),
    "largest label": (
        "return votes.argmax(dim=1)",
        "return votes.shape[1] - 1 - votes.flip(1).argmax(dim=1)",
        "predict_labels",
        "largest label was chosen",
    ),
    "k ignored": ("k, dim=0, largest=False", "1, dim=0, largest=False", "predict_labels", "k is ignored"),
    "k not passed on": ("self.y_train, k=k)", "self.y_train)", "classifier", "k is not passed on"),
    "training and test swapped": (
        "compute_distances_no_loops(self.x_train, x_test)",
        "compute_distances_no_loops(x_test, self.x_train)",
        "classifier",
        "swapped",
    ),
    "distances and labels swapped": (
        "predict_labels(dists, self.y_train, k=k)",
        "predict_labels(self.y_train, dists, k=k)",
        "classifier",
        "distances and labels are swapped",
    ),
    "fraction": ("accuracy = 100 * correct", "accuracy = correct", "classifier", "multiply it by 100"),
    "held-out fold kept": (
        "KnnClassifier(x_rest, y_rest)",
        "KnnClassifier(x_train, y_train)",
        "cross_validate",
        "the held-out fold is among the training data",
    ),
    "off by one": (
        "check_accuracy(x_folds[i], y_folds[i]",
        "check_accuracy(x_folds[i - 1], y_folds[i - 1]",
        "cross_validate",
        "the held-out fold is among the training data",
    ),
    "remainder dropped": (
        "x_folds = torch.tensor_split(x_train, num_folds)",
        "size = len(x_train) // num_folds\n"
        "    x_train, y_train = x_train[: size * num_folds], y_train[: size * num_folds]\n"
        "    x_folds = torch.tensor_split(x_train, num_folds)",
        "cross_validate",
        "points are missing",
    ),
    "shuffled for each k": (
        FOLDS,
        """    accuracies: dict[int, list[float]] = {}
    for k in k_choices:
        order, accuracies[k] = torch.randperm(len(x_train)), []
        x, y = x_train[order].tensor_split(num_folds), y_train[order].tensor_split(num_folds)
        for i in range(num_folds):
            classifier = KnnClassifier(torch.cat(x[:i] + x[i + 1 :]), torch.cat(y[:i] + y[i + 1 :]))
            accuracies[k].append(classifier.check_accuracy(x[i], y[i], k=k, quiet=True))
""",
        "cross_validate",
        "shuffled or cut anew",
    ),
    "shuffled for each fold": (
        FOLDS,
        """    accuracies: dict[int, list[float]] = {k: [] for k in k_choices}
    for i in range(num_folds):
        order = torch.randperm(len(x_train))
        x, y = x_train[order].tensor_split(num_folds), y_train[order].tensor_split(num_folds)
        classifier = KnnClassifier(torch.cat(x[:i] + x[i + 1 :]), torch.cat(y[:i] + y[i + 1 :]))
        for k in k_choices:
            accuracies[k].append(classifier.check_accuracy(x[i], y[i], k=k, quiet=True))
""",
        "cross_validate",
        "shuffled or cut anew",
    ),
    "k sorted in place": (
        "    x_folds = torch.tensor_split(x_train",
        "    k_choices.sort()\n    x_folds = torch.tensor_split(x_train",
        "cross_validate",
        "sorted(x) makes a new one",
    ),
    "percent of percents": (
        "accuracies[k].append(classifier",
        "accuracies[k].append(100 * classifier",
        "cross_validate",
        "multiplied by 100 twice",
    ),
    "measured on what was learned": (
        "check_accuracy(x_folds[i], y_folds[i]",
        "check_accuracy(x_rest, y_rest",
        "cross_validate",
        "measured on the training data",
    ),
    "rows sorted": ("k, dim=0, largest=False", "k, largest=False", "predict_labels", "rows were sorted"),
    "rows of a loop": (
        LABELS,
        """    labels = y_train.new_zeros(dists.shape[1])
    for i in range(len(labels)):
        labels[i] = torch.bincount(y_train[dists[i].topk(k, largest=False).indices]).argmax()
    return labels
""",
        "predict_labels",
        "rows were sorted",
    ),
    "largest k": ("return min(k for k", "return max(k for k", "best_k", "not the smallest"),
    "best fold": ("sum(accuracies) / len(accuracies)", "max(accuracies)", "best_k", "best single fold"),
}


VARIANTS = {
    "the sizes of chunk": ("torch.tensor_split", "torch.chunk"),
    "a last fold with all that is left over": (
        "    x_folds = torch.tensor_split(x_train, num_folds)\n"
        "    y_folds = torch.tensor_split(y_train, num_folds)",
        "    size, count = len(x_train) // num_folds, len(x_train)\n"
        "    sizes = [size] * (num_folds - 1) + [count - size * (num_folds - 1)]\n"
        "    x_folds, y_folds = torch.split(x_train, sizes), torch.split(y_train, sizes)",
    ),
    "shuffled folds": (
        "    x_folds = torch.tensor_split(x_train, num_folds)",
        "    order = torch.randperm(len(x_train))\n    x_train, y_train = x_train[order], y_train[order]\n"
        "    x_folds = torch.tensor_split(x_train, num_folds)",
    ),
    "shuffled alike for each k": (
        FOLDS,
        """    accuracies: dict[int, list[float]] = {}
    for k in k_choices:
        order = torch.randperm(len(x_train), generator=torch.Generator().manual_seed(1))
        accuracies[k] = []
        x, y = x_train[order].tensor_split(num_folds), y_train[order].tensor_split(num_folds)
        for i in range(num_folds):
            classifier = KnnClassifier(torch.cat(x[:i] + x[i + 1 :]), torch.cat(y[:i] + y[i + 1 :]))
            accuracies[k].append(classifier.check_accuracy(x[i], y[i], k=k, quiet=True))
""",
    ),
    "folds in the reverse order": ("for i in range(num_folds):", "for i in reversed(range(num_folds)):"),
    "an accuracy as a tensor": (
        "        accuracy = 100 * correct / len(y_test)",
        "        accuracy = torch.tensor(100 * correct / len(y_test))",
    ),
    "accuracies of predictions": (
        "classifier.check_accuracy(x_folds[i], y_folds[i], k=k, quiet=True)",
        "100 * (classifier.predict(x_folds[i], k) == y_folds[i]).double().mean()",
    ),
}


def changed(old: str, new: str) -> str:
    """Return the reference with a text replaced that it holds."""
    assert old in REFERENCE, old
    return REFERENCE.replace(old, new)


def without(name: str) -> str:
    """Return the reference with one function left to do."""
    begin = re.compile(rf"(    def|def) {name}\(.*?### BEGIN SOLUTION\n", re.DOTALL)
    return begin.sub(
        lambda found: f"{found[0]}{found[1][:-3]}    raise NotImplementedError\n", REFERENCE, count=1
    )


UNDONE = {
    "compute_distances_two_loops": "distances_two_loops",
    "compute_distances_one_loop": "distances_one_loop",
    "compute_distances_no_loops": "distances_no_loops",
    "predict_labels": "predict_labels",
    "predict": "classifier",
    "check_accuracy": "classifier",
    "knn_cross_validate": "cross_validate",
    "knn_get_best_k": "best_k",
}


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of all sources that the tests below speak about."""
    jobs = {key: (REFERENCE, key) for key in KEYS}
    jobs["stub"] = (STUB, "key")
    jobs |= {name: (changed(old, new), "key") for name, (old, new) in VARIANTS.items()}
    jobs |= {name: (REFERENCE.replace(old, new), "key") for name, (old, new, _, _) in MISTAKES.items()}
    jobs |= {name: (without(name), "key") for name in UNDONE}
    return grade_all("knn", jobs, tmp_path_factory.mktemp("knn"))


@pytest.mark.parametrize("key", KEYS)
def test_the_reference_earns_everything_under_every_secret(grades: dict[str, Grade], key: str) -> None:
    assert [name for name, test in grades[key].tests.items() if not test.passed] == []
    assert grades[key].points == POINTS
    assert sum(POINTS.values()) == 100


def test_the_stub_passes_no_test_at_all(grades: dict[str, Grade]) -> None:
    assert len(grades["stub"].tests) == len(grades[KEYS[0]].tests) > 40
    assert [name for name, test in grades["stub"].tests.items() if test.passed] == []


def test_the_stub_is_python_and_keeps_the_docstrings() -> None:
    functions = [node for node in ast.walk(ast.parse(STUB)) if isinstance(node, ast.FunctionDef)]
    assert len(functions) == 9
    assert all(ast.get_docstring(node) for node in functions)


def test_every_test_has_a_title_of_its_own_and_every_task_has_both_tiers(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests
    titles = [test.title for test in tests.values()]
    assert len(set(titles)) == len(titles)
    assert all(title.endswith(".") and len(title) < 110 for title in titles)
    for tier in ("public", "hidden"):
        files = {name for name, of_file in SETTINGS["tiers"].items() if of_file == tier}
        assert {test.task for name, test in tests.items() if name.partition("::")[0] in files} == set(POINTS)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_loses_points_in_one_task(grades: dict[str, Grade], mistake: str) -> None:
    old, _, task, cause = MISTAKES[mistake]
    assert REFERENCE.count(old) >= 1
    assert lost(grades[mistake]) == {task}
    assert any(cause in test.problem for test in grades[mistake].tests.values() if not test.passed)


@pytest.mark.parametrize("name", UNDONE)
def test_later_tasks_do_not_need_earlier_ones(grades: dict[str, Grade], name: str) -> None:
    assert lost(grades[name]) == {UNDONE[name]}


@pytest.mark.parametrize("name", VARIANTS)
def test_other_right_solutions_are_accepted(grades: dict[str, Grade], name: str) -> None:
    assert [test.problem for test in grades[name].tests.values() if not test.passed] == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_costs_at_most_a_quarter_of_its_task(grades: dict[str, Grade], mistake: str) -> None:
    task = MISTAKES[mistake][2]
    assert grades[mistake].points[task] >= 0.75 * POINTS[task]


def test_points_are_whole_halves(grades: dict[str, Grade]) -> None:
    tests = grades[KEYS[0]].tests.values()
    for task, points in POINTS.items():
        whole = sum(test.weight for test in tests if test.task == task)
        assert all((2 * points * test.weight) % whole == 0 for test in tests if test.task == task), task


def lost(grade: Grade) -> set[str]:
    """Return the tasks without full points."""
    return {task for task in POINTS if grade.points[task] < POINTS[task]}
