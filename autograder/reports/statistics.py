"""Item statistics of a class: how hard each test is, and how well it discriminates."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.graded.records import Record
from helpers.statuses import Status

FEW = 10
"""Below this number of students a correlation says nothing."""
_EQUAL = 1e-5
"""Points are multiples of much more than this; two sums that are closer differ by rounding."""
_SOME, _PERVERSE = 3, -0.1


@dataclass(frozen=True)
class Item:
    """How a class did on one test.

    Attributes
    ----------
    id, title, task : str
        Of the test.
    hidden : bool
        Whether students do not see it.
    passed, judged : int
        How many passed it, and how many it was run on and judged for.
    discrimination : float or None
        Corrected item-total correlation, from -1 to 1: of passing this test with the points earned on all
        others (the point-biserial correlation of J. C. Nunnally, Psychometric Theory, 1978, chapter 8). None
        if everybody or nobody passed, the others differ in nothing, or the class is too small.
    """

    id: str
    title: str
    task: str
    hidden: bool
    passed: int
    judged: int
    discrimination: float | None

    @property
    def share(self) -> float:
        """Part of the students judged who passed, from 0 to 1: the difficulty index of test theory."""
        return self.passed / self.judged if self.judged else 0.0

    @property
    def is_perverse(self) -> bool:
        """Whether good students fail it: some do, not one, and they do better elsewhere."""
        failed = self.judged - self.passed
        return self.discrimination is not None and failed >= _SOME and self.discrimination < _PERVERSE


@dataclass(frozen=True)
class Cause:
    """A likely cause that the feedback named, which students read it, and in which tasks."""

    text: str
    students: tuple[str, ...]
    tasks: tuple[str, ...]


def items(records: Sequence[Record]) -> list[Item]:
    """Describe every test, in the order of the suite. Students whose submission did not run do not count."""
    ran = [record.result for record in records if record.result.stop_reason is None]
    first = {test.id: test for result in ran for test in reversed(result.tests)}
    order = {test.id: None for result in ran for test in result.tests}
    found = []
    for id in order:
        outcomes = [
            (float(test.status is Status.passed), result.score - test.points)
            for result in ran
            for test in result.tests
            if test.id == id and test.status not in (Status.not_judged, Status.suite_error)
        ]
        passed = [hit for hit, _ in outcomes]
        rest = [points for _, points in outcomes]
        test = first[id]
        found.append(
            Item(
                id,
                test.title,
                test.task,
                test.tier == "hidden",
                int(sum(passed)),
                len(outcomes),
                correlation(passed, rest) if len(outcomes) >= FEW else None,
            )
        )
    return found


def causes(records: Sequence[Record]) -> list[Cause]:
    """Return the likely causes that students were told, the commonest first; one student counts once."""
    students: dict[str, list[str]] = {}
    tasks: dict[str, set[str]] = defaultdict(set)
    for record in records:
        titles = {task.id: task.title for task in record.result.tasks}
        told = {
            (test.feedback.likely_cause, titles.get(test.task, test.task))
            for test in record.result.tests
            if test.feedback is not None and test.feedback.likely_cause
        }
        for text in {text for text, _ in told}:
            students.setdefault(text, []).append(record.name or record.student)
        for text, task in told:
            tasks[text].add(task)
    ordered = sorted(students.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [Cause(text, tuple(names), tuple(sorted(tasks[text]))) for text, names in ordered]


def correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return Pearson's correlation of two equally long series, or None if one of them is constant.

    Examples
    --------
    >>> correlation([0, 0, 1, 1], [1, 2, 3, 4])
    0.8944271909999159
    """
    # Where sums differ by rounding only, the library would find a correlation with that.
    if not x or max(x) - min(x) < _EQUAL or max(y) - min(y) < _EQUAL:
        return None
    return statistics.correlation(x, y)


def quantile(values: Sequence[float], part: float) -> float:
    """Return the value below which a part of the values lies, by the nearest rank.

    `statistics.quantiles` would interpolate, and name a time that nobody's submission took.

    Examples
    --------
    >>> quantile([3, 1, 2, 4], 0.5), quantile([3, 1, 2, 4], 0.95)
    (2, 4)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
