"""Points on servers: what checks are worth there, as whole numbers where no others are known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Annotated, Final

from pydantic import Field

from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.scoring import DECIMALS, PlannedTest, share
from helpers.credit import slip_limit

MOST: Final = 1000
"""More points than that for one of ours would be hard to read."""
Scale = Annotated[int, Field(ge=1, le=MOST, strict=True)] | None
"""How many points there stand for one of ours; None for the least that keeps every score exact."""
_ROUNDING: Final = Fraction(1, 10**DECIMALS)
"""More than points in a result can be off, since they are rounded."""
Part = tuple[str, str]
"""Id of a task and tier: checks that are shown or hidden together."""


def share_by_tier(assignment: Assignment, plan: Sequence[PlannedTest]) -> dict[Part, Fraction]:
    """Return what public and hidden checks of each task are worth, in the order of the tasks."""
    points = share(plan, assignment)
    found: dict[Part, Fraction] = {}
    for task in assignment.tasks:
        for tier in ("public", "hidden"):
            members = [test.id for test in plan if (test.task, test.tier) == (task.id, tier)]
            if members:
                found[task.id, tier] = sum((points[id] for id in members), Fraction())
    return found


def choose_scale(assignment: Assignment, plan: Sequence[PlannedTest], chosen: int | None, where: str) -> int:
    """Return how many points there stand for one of ours, so that every score of an assignment is whole.

    Scores are sums of what tests are worth, and of what a slip costs at most (`helpers.credit`).

    Parameters
    ----------
    chosen : int or None
        What the course has chosen.
    where : str
        What to name in messages.

    Raises
    ------
    ConfigError
        As `find_scale` does.
    """
    worth = share(plan, assignment).values()
    return find_scale([*worth, *(slip_limit(task.points) for task in assignment.tasks)], chosen, where)


def find_scale(points: Iterable[Fraction], chosen: int | None, where: str) -> int:
    """Return the factor that makes points whole, or the one that the course has chosen.

    Raises
    ------
    ConfigError
        The factor that was chosen leaves fractions although a smaller one would not, or there is none up to
        `MOST` and none was chosen.

    Examples
    --------
    >>> find_scale([Fraction(12, 5), Fraction(1, 2)], None, "scale")
    10
    """
    least = math.lcm(*(one.denominator for one in points))
    if chosen is None and least > MOST:
        found = f"points there are whole numbers, and ours are only when multiplied by {least}"
        remedy = (
            f"choose weights and points that need at most {MOST}, or have scores rounded: scale = 100 below "
            "the server's table in course.toml"
        )
        raise ConfigError(where, found, remedy)
    if chosen is not None and least <= MOST and chosen % least:
        found = f"is {chosen}, and points there are whole numbers"
        raise ConfigError(where, found, f"choose a multiple of {least}, or leave it out")
    return chosen or least


def to_whole(points: float, scale: int) -> int:
    """Return points on a server; a fraction that is left is dropped.

    Examples
    --------
    >>> to_whole(3.3333, 3), to_whole(2.4, 5), to_whole(0.75, 1)
    (10, 12, 0)
    """
    return math.floor(_unround(points, scale))


def sum_whole(points: Iterable[float], scale: int) -> int:
    """Return what some checks have earned together there, rounded once.

    Examples
    --------
    >>> sum_whole([0.3333, 0.3333], scale=3)
    2
    """
    return round(sum(_unround(one, scale) for one in points))


def _unround(points: float, scale: int) -> Fraction:
    """Return points on a server as they were before a result rounded them."""
    exact = Fraction(points) * scale
    nearest = round(exact)
    return Fraction(nearest) if abs(exact - nearest) <= scale * _ROUNDING else exact
