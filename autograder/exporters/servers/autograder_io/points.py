"""Points on autograder.io are whole numbers: one of ours is worth so many there that no score is broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm
from typing import Final

from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters.servers.autograder_io.settings import MAX_SCALE, Settings
from autograder.scoring import PlannedTest, share
from helpers.credit import slip_limit

_ROUNDED: Final = 0.06
"""Points in a result have four decimals, so at most this much of a whole point there is lost by rounding."""
Case = tuple[str, str]
"""Task and tier: a test case there, whose checks are shown or hidden together."""


def choose_scale(assignment: Assignment, plan: Sequence[PlannedTest], settings: Settings) -> int:
    """Return how many points there are worth one here.

    Raises
    ------
    ConfigError
        No number up to `MAX_SCALE` keeps every score exact, and the course has not chosen one.
    """
    if settings.scale is not None:
        return settings.scale
    parts = [*share(plan, assignment).values(), *(slip_limit(task.points) for task in assignment.tasks)]
    scale = lcm(*(part.denominator for part in parts))
    if scale > MAX_SCALE:
        found = f"exact scores would need {scale} points on autograder.io for one, as they are whole there"
        remedy = (
            f"choose weights and points that need at most {MAX_SCALE}, or have scores rounded: "
            "scale = 100 below [servers.autograder_io] in course.toml"
        )
        raise ConfigError(str(assignment.file), found, remedy)
    return scale


def possible(assignment: Assignment, plan: Sequence[PlannedTest], scale: int) -> dict[Case, int]:
    """Return what each test case is worth there, in the order of the tasks, public checks first."""
    points = share(plan, assignment)
    found: dict[Case, Fraction] = {}
    for task in assignment.tasks:
        for tier in ("public", "hidden"):
            members = [test.id for test in plan if (test.task, test.tier) == (task.id, tier)]
            if members:
                found[task.id, tier] = sum((points[id] for id in members), Fraction())
    return {case: round(worth * scale) for case, worth in found.items()}


def earned(points: Iterable[float], scale: int) -> int:
    """Return what checks have earned there together.

    Parameters
    ----------
    points : iterable of float
        Of each check, rounded to four decimals.

    Examples
    --------
    >>> earned([0.3333, 0.3333], scale=3)
    2
    """
    return round(sum(_snap(one * scale) for one in points))


def _snap(value: float) -> float:
    return round(value) if abs(value - round(value)) <= _ROUNDED else value
