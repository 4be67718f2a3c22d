"""Thresholds of hidden tests that a right solution reaches almost always, with the evidence for that.

What a solution reaches on hidden data, such as an accuracy, differs from secret to secret. A suite names such
a number, and `autograder calibrate` measures it on the reference under many secrets and writes
``thresholds.toml`` beside the suite.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from autograder import course, settings
from autograder.errors import SuiteError

FILE: Final = "thresholds.toml"
RIGHT_PART: Final = 0.9999
"""How many of the values of a right solution lie above a threshold: all but one in 10,000."""
WEAK_PART: Final = 0.99
"""How many of the values of a weak solution lie below it."""
CONFIDENCE: Final = 0.95
LEAST_P: Final = 0.01
"""Below this p value of the test of Shapiro and Wilk, values are not taken for normal."""
_reached: dict[str, float] = {}


class WeakEvidence(settings.TomlTable):
    """What a weak solution reached.

    Attributes
    ----------
    name : str
        What is weak about it.
    most : Decimal
        What it reaches once in 100 times at most, if its values are normally distributed.
    mean, sd : Decimal
        Mean and standard deviation of `values`.
    values : tuple of Decimal
        What it reached, under one secret each.
    """

    name: str
    most: Decimal
    mean: Decimal
    sd: Decimal
    values: tuple[Decimal, ...]


class RightEvidence(settings.TomlTable):
    """What a right solution other than the reference reached.

    Attributes
    ----------
    name : str
        What is changed about the reference.
    least : Decimal
        What it misses once in 10,000 times at most, if its values are normally distributed.
    mean, sd, normal_p, values
        As in `Evidence`.
    """

    name: str
    least: Decimal
    mean: Decimal
    sd: Decimal
    normal_p: Decimal
    values: tuple[Decimal, ...]


class Evidence(settings.TomlTable):
    """How a threshold came about.

    Attributes
    ----------
    threshold : Decimal
        What a submission has to reach.
    mean, sd : Decimal
        Mean and standard deviation of `values`.
    normal_p : Decimal
        The p value of the test of Shapiro and Wilk.
    values : tuple of Decimal
        What the reference reached, under one secret each.
    right : tuple of RightEvidence
        What other right solutions reached, under the same secrets.
    weak : tuple of WeakEvidence
        What weak solutions reached, under the same secrets.
    """

    threshold: Decimal
    mean: Decimal
    sd: Decimal
    normal_p: Decimal
    values: tuple[Decimal, ...]
    right: tuple[RightEvidence, ...] = ()
    weak: tuple[WeakEvidence, ...] = ()


class _Table(settings.TomlTable):
    thresholds: dict[str, Evidence]


@dataclass(frozen=True)
class Note:
    """What a test asked a threshold for, while its suite was calibrated.

    Attributes
    ----------
    value : float
        What was reached.
    test : str
        Id of the test, as in the plan.
    """

    value: float
    test: str


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of one suite.

    Parameters
    ----------
    suite : str
        Name of the assignment.

    Examples
    --------
    In a hidden test::

        THRESHOLDS = Thresholds("linear_classifier")
        THRESHOLDS.require("accuracy", accuracy, what="the accuracy on hidden images")
    """

    suite: str

    def require(self, name: str, value: object, *, what: str) -> None:
        """Check that a number reaches its threshold; while the suite is calibrated, note it down instead.

        Parameters
        ----------
        name : str
            Which threshold.
        value : object
            What should be a number, such as an accuracy in percent.
        what : str
            The value, in words for students.

        Raises
        ------
        CheckFailure
            It is no finite number, or too small.
        SuiteError
            The threshold has not been calibrated.
        """
        self.require_best(name, [value], what=what)

    def require_best(
        self, name: str, values: Iterable[object], *, what: str, causes: Sequence[str] = ()
    ) -> None:
        """Check that one of several numbers reaches its threshold, such as that of one of three networks.

        Values are taken one by one, and no more than are needed. While the suite is calibrated all of them
        are, and the largest is noted down: it is what the threshold is compared with.

        Parameters
        ----------
        name : str
            Which threshold.
        values : iterable of object
            What should be numbers.
        what : str
            The value, in words for students.
        causes : sequence of str
            What has probably led to each value: a list that grows along with `values`. If none of them
            reaches the threshold, the last cause is told.

        Raises
        ------
        CheckFailure
            One of them is no finite number, or all of them are too small.
        SuiteError
            The threshold has not been calibrated.
        """
        from helpers.testing import checks

        notes = notebook(course.current().root)
        calibrating = notes.exists()
        least = math.inf if calibrating else self._least(name)
        best = -math.inf
        for value in values:
            _reached[name] = best = max(best, checks.number(value, what=what))
            if best >= least:
                return
        cause = causes[-1] if causes else None
        checks.number(best, at_least=None if calibrating else least, what=what, likely_cause=cause)
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]  # ends in " (call)"
        with notes.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "value": best, "test": test}) + "\n")

    def _least(self, name: str) -> float:
        """Return a threshold."""
        path = course.current().suite(self.suite) / FILE
        known = read(path)
        if name not in known:
            remedy = f"run: autograder calibrate {self.suite}"
            raise SuiteError(str(path), f"holds no threshold {name!r}", remedy)
        return float(known[name].threshold)


def take_reached() -> dict[str, float]:
    """Return what was reached in this process, by name of the threshold, and forget it."""
    found = dict(_reached)
    _reached.clear()
    return found


def notebook(root: Path) -> Path:
    """Return the file that a course which is calibrated has in its private folder."""
    return root / ".coursegrad" / "calibration.jsonl"


def take_notes(root: Path) -> dict[str, Note]:
    """Return what a run noted down, by name of the threshold, and forget it."""
    lines = notebook(root).read_text(encoding="utf-8").splitlines()
    notebook(root).write_text("", encoding="utf-8")
    return {entry.pop("name"): Note(**entry) for entry in map(json.loads, lines)}


def factor(count: int, part: float) -> float:
    """Return how many standard deviations from the mean of some values a limit lies.

    On this side of it lies the given part of a normal distribution, at 95 % confidence: a one-sided tolerance
    limit, from the noncentral t distribution (Natrella, Experimental Statistics, 1963, section 2-5).

    Parameters
    ----------
    count : int
        How many values there are, at least two.
    part : float
        Such as 0.99.

    Returns
    -------
    float
        The factor, rounded up to a tenth, so that it can be written down in full.

    Examples
    --------
    >>> factor(20, RIGHT_PART), factor(100, RIGHT_PART)
    (5.2, 4.3)
    """
    from scipy.stats import nct, norm

    root = math.sqrt(count)
    exact = nct.ppf(CONFIDENCE, count - 1, norm.ppf(part) * root) / root
    return math.ceil(10 * float(exact)) / 10


def evidence(
    values: Sequence[float],
    weak: Mapping[str, Sequence[float]] | None = None,
    right: Mapping[str, Sequence[float]] | None = None,
) -> Evidence:
    """Work out the threshold from what right solutions reached: the least that one of them may reach.

    Parameters
    ----------
    values : sequence of float
        What the reference reached: at least ten, so that Shapiro and Wilk can tell something.
    weak, right : mapping of str to sequence of float, optional
        What weak solutions and other right ones reached, by their names, as often.
    """
    reference = _right_evidence("", values)
    others = tuple(_right_evidence(name, reached) for name, reached in (right or {}).items())
    return Evidence(
        threshold=min(one.least for one in (reference, *others)),
        mean=reference.mean,
        sd=reference.sd,
        normal_p=reference.normal_p,
        values=reference.values,
        right=others,
        weak=tuple(_weak_evidence(name, reached) for name, reached in (weak or {}).items()),
    )


def _right_evidence(name: str, values: Sequence[float]) -> RightEvidence:
    from scipy.stats import shapiro

    mean, sd = statistics.fmean(values), statistics.stdev(values)
    p = shapiro(values).pvalue if sd > 0 else 1.0
    return RightEvidence(
        name=name,
        least=_round(mean - factor(len(values), RIGHT_PART) * sd),
        mean=_round(mean),
        sd=_round(sd),
        normal_p=_round(float(p)),
        values=tuple(map(_round, values)),
    )


def _weak_evidence(name: str, values: Sequence[float]) -> WeakEvidence:
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    return WeakEvidence(
        name=name,
        most=_round(mean + factor(len(values), WEAK_PART) * sd),
        mean=_round(mean),
        sd=_round(sd),
        values=tuple(map(_round, values)),
    )


def read(path: Path) -> Mapping[str, Evidence]:
    """Read the thresholds of a suite; none where there is no file. Raises ConfigError if it is malformed."""
    return settings.read(path, _Table).thresholds if path.exists() else {}


def render(suite: str, found: Mapping[str, Evidence]) -> str:
    """Return the file that holds thresholds and their evidence."""
    lines = [
        f"# Written by `autograder calibrate {suite}`. A threshold lies so far below the mean of what the",
        "# reference reached that a right solution misses it once in 10,000 times at most: "
        f"{_factors(found)}.",
        "# So it does for the right solutions of right.toml; the lowest of these bounds is the threshold.",
        "# A weak solution reaches its `most`, which lies below the threshold, once in 100 times at most.",
    ]
    for name, one in sorted(found.items()):
        lines += [
            "",
            f"[thresholds.{json.dumps(name)}]",
            *_rows(one, ("threshold", "mean", "sd", "normal_p")),
        ]
        for right in one.right:
            lines += ["", f"[[thresholds.{json.dumps(name)}.right]]", f"name = {json.dumps(right.name)}"]
            lines += _rows(right, ("least", "mean", "sd", "normal_p"))
        for weak in one.weak:
            lines += ["", f"[[thresholds.{json.dumps(name)}.weak]]", f"name = {json.dumps(weak.name)}"]
            lines += _rows(weak, ("most", "mean", "sd"))
    return "\n".join(lines) + "\n"


def _factors(found: Mapping[str, Evidence]) -> str:
    counts = sorted({len(one.values) for one in found.values()})
    return ", ".join(f"{factor(count, RIGHT_PART)} sd for {count} values" for count in counts)


def _rows(one: Evidence | RightEvidence | WeakEvidence, keys: Sequence[str]) -> Iterable[str]:
    """Yield the lines of some numbers, and of all values, ten in a row."""
    yield from (f"{key} = {getattr(one, key)}" for key in keys)
    yield "values = ["
    for start in range(0, len(one.values), 10):
        yield "    " + ", ".join(map(str, one.values[start : start + 10])) + ","
    yield "]"


def _round(value: float) -> Decimal:
    return Decimal(f"{value:.4f}")
