"""Thresholds of hidden tests that a right solution reaches almost always, with the evidence for that.

What a solution reaches on hidden data, such as an accuracy, differs from secret to secret. A suite names such
a number, and `autograder calibrate` measures it on the reference under many secrets and writes
``thresholds.toml`` beside the suite.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from autograder import course, settings
from autograder.errors import SuiteError

FILE: Final = "thresholds.toml"
FACTORS: Final = {20: 5.2, 100: 4.25}
"""How many standard deviations below the mean of so many values a threshold lies.

Of a normal distribution all but one value in 10,000 lie above it, at 95 % confidence: a one-sided tolerance
limit, from the noncentral t distribution (Natrella, Experimental Statistics, 1963, section 2-5; 5.17 and 4.25
exactly, rounded up).
"""
WEAK_FACTORS: Final = {20: 3.3, 100: 2.69}
"""How many standard deviations above the mean of a weak solution a threshold lies at least.

All but one of 100 values lie below that, at 95 % confidence (3.30 and 2.68 exactly).
"""
LEAST_P: Final = 0.01
"""Below this p value of the test of Shapiro and Wilk, values are not taken for normal."""


class WeakEvidence(settings.Table):
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


class Evidence(settings.Table):
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
    weak : tuple of WeakEvidence
        What weak solutions reached, under the same secrets.
    """

    threshold: Decimal
    mean: Decimal
    sd: Decimal
    normal_p: Decimal
    values: tuple[Decimal, ...]
    weak: tuple[WeakEvidence, ...] = ()


class _Table(settings.Table):
    thresholds: dict[str, Evidence]


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
        from helpers import checks

        notes = notebook(course.current().root)
        if notes.exists():
            checks.number(value, what=what)
            with notes.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, "value": float(str(value))}) + "\n")
            return
        path = course.current().root / "autograder" / "suites" / self.suite / FILE
        known = read(path)
        if name not in known:
            remedy = f"run: autograder calibrate {self.suite}"
            raise SuiteError(str(path), f"holds no threshold {name!r}", remedy)
        checks.number(value, at_least=float(known[name].threshold), what=what)


def notebook(root: Path) -> Path:
    """Return the file that a course which is calibrated has in its private folder."""
    return root / ".coursegrad" / "calibration.jsonl"


def take_notes(root: Path) -> dict[str, float]:
    """Return what a run noted down, by name of the threshold, and forget it."""
    lines = notebook(root).read_text(encoding="utf-8").splitlines()
    notebook(root).write_text("", encoding="utf-8")
    return {entry["name"]: entry["value"] for entry in map(json.loads, lines)}


def evidence(values: Sequence[float], weak: Mapping[str, Sequence[float]] | None = None) -> Evidence:
    """Work out the threshold from what the reference reached.

    Parameters
    ----------
    values : sequence of float
        20 or 100 of them.
    weak : mapping of str to sequence of float, optional
        What weak solutions reached, by their names, as often.
    """
    from scipy.stats import shapiro

    mean, sd = statistics.fmean(values), statistics.stdev(values)
    p = shapiro(values).pvalue if sd > 0 else 1.0
    return Evidence(
        threshold=_rounded(mean - FACTORS[len(values)] * sd),
        mean=_rounded(mean),
        sd=_rounded(sd),
        normal_p=_rounded(float(p)),
        values=tuple(map(_rounded, values)),
        weak=tuple(_weak_evidence(name, reached) for name, reached in (weak or {}).items()),
    )


def _weak_evidence(name: str, values: Sequence[float]) -> WeakEvidence:
    mean, sd = statistics.fmean(values), statistics.stdev(values)
    return WeakEvidence(
        name=name,
        most=_rounded(mean + WEAK_FACTORS[len(values)] * sd),
        mean=_rounded(mean),
        sd=_rounded(sd),
        values=tuple(map(_rounded, values)),
    )


def read(path: Path) -> Mapping[str, Evidence]:
    """Read the thresholds of a suite; none where there is no file. Raises ConfigError if it is malformed."""
    return settings.read(path, _Table).thresholds if path.exists() else {}


def render(suite: str, found: Mapping[str, Evidence]) -> str:
    """Return the file that holds thresholds and their evidence."""
    lines = [
        f"# Written by `autograder calibrate {suite}`. A threshold lies so far below the mean of what the",
        f"# reference reached that a right solution misses it once in 10,000 times at most: {_factors()}.",
        "# A weak solution reaches its `most`, which lies below the threshold, once in 100 times at most.",
    ]
    for name, one in sorted(found.items()):
        lines += ["", f"[thresholds.{json.dumps(name)}]"]
        lines += [f"{key} = {getattr(one, key)}" for key in ("threshold", "mean", "sd", "normal_p")]
        lines += ["values = [", *_rows(one.values), "]"]
        for weak in one.weak:
            lines += ["", f"[[thresholds.{json.dumps(name)}.weak]]", f"name = {json.dumps(weak.name)}"]
            lines += [f"{key} = {getattr(weak, key)}" for key in ("most", "mean", "sd")]
            lines += ["values = [", *_rows(weak.values), "]"]
    return "\n".join(lines) + "\n"


def _factors() -> str:
    return ", ".join(f"{factor} sd for {count} values" for count, factor in FACTORS.items())


def _rows(values: Sequence[Decimal]) -> Iterable[str]:
    for start in range(0, len(values), 10):
        yield "    " + ", ".join(map(str, values[start : start + 10])) + ","


def _rounded(value: float) -> Decimal:
    return Decimal(f"{value:.4f}")
