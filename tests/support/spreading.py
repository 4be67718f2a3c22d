"""How tests are spread over the cores: what shares an expensive fixture stays together, the longest first."""

from __future__ import annotations

import os
from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

from autograder.commands.options import cores
from tests.support import classes, levels

PARTS = {
    "tests/course/test_examples.py": classes.NAMES,
    "tests/course/test_bad_answers.py": classes.NAMES,
    "tests/course/test_fresh_solutions.py": classes.NAMES,
    "tests/course/test_stand_ins.py": classes.NAMES,
    "tests/course/test_useless_answers.py": classes.NAMES,
    "tests/course/test_attacks.py": ("as-it-is", *levels.LEVELS),
}
"""Files whose tests are apart by the first parameter, because their fixtures are."""
LONGEST = (
    "tests/course/test_fresh_solutions.py[",
    "tests/course/test_faults.py",
    "tests/helpers/notebook/test_set_up_cell.py",
    "tests/course/test_examples.py[",
    "tests/course/test_convolutional_networks_notebook.py",
    "tests/course/test_fully_connected_networks_notebook.py",
    "tests/autograder/intake/test_arrivals.py",
    "tests/course/test_attacks.py[",
    "tests/autograder/grading/test_preflight.py",
    "tests/course/test_bad_answers.py[",
    "tests/autograder/authoring/test_audit.py",
    "tests/course/test_convolutional_networks_reference.py",
    "tests/autograder/engine/test_determinism.py",
    "tests/autograder/engine/test_engine.py",
    "tests/course/test_two_layer_net_reference.py",
    "tests/course/test_stand_ins.py[",
    "tests/course/test_useless_answers.py[",
    "tests/course/test_knn_notebook.py",
    "tests/benchmarks/test_secrets.py",
    "tests/course/test_levels.py",
)
"""Beginnings of scopes that take longest. One that came last would keep one core busy and the others idle."""
MOST, GIGABYTES = 8, 2
"""Most workers, and the memory that each may take: a grader, its zygotes, and a notebook's kernel."""


def workers() -> int:
    """Return how many tests to run at a time: one more than there are cores, since some test always waits."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    return max(1, min(MOST, cores() + 1, memory // GIGABYTES))


def scope_of(nodeid: str) -> str:
    """Return the name of what runs on one worker, one test after another.

    Examples
    --------
    ``tests/course/test_docs.py`` for any test of that file, ``tests/course/test_examples.py[knn`` for those
    of one class.
    """
    file, _, test = nodeid.partition("::")
    parameter = test.partition("[")[2]
    parts = sorted(PARTS.get(file, ()), key=len, reverse=True)
    return next((f"{file}[{part}" for part in parts if parameter.startswith(part)), file)


def rank(nodeid: str) -> int:
    """Return the place of a test's scope in the order in which scopes begin."""
    scope = scope_of(nodeid)
    return next((n for n, start in enumerate(LONGEST) if scope.startswith(start)), len(LONGEST))


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return tests in the order in which they begin."""
    return sorted(items, key=lambda item: rank(item.nodeid))


class ByScope(LoadScopeScheduling):
    """Hand out scopes in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)
