"""What each check of a task earns: one rule for the notebook and the grader.

A mistake costs what it is worth:

- A check that passes earns its points.
- A check whose answer shows one *slip*, and is right otherwise, may fail together with many others. All of
  them that have the same cause cost at most a quarter of their task, once.
- An exception shows nothing of the answer. But where a third of the points for values is earned, of all and
  of hidden checks, the line that raises it is a slip as well, in however many checks it does.
- A constraint such as "no loop" is kept to by a stub as well, so it counts only when at least half of the
  points for the values of its task are earned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Literal

MOST = Fraction(1, 4)
"""Share of a task that one slip costs at most."""
STEP = Fraction(1, 2)
"""What a slip costs at most is rounded down to a multiple of this, if it is that much."""
RIGHT = Fraction(1, 2)
"""Share of the points for values from which on constraints count."""
ENOUGH = Fraction(1, 3)
"""Share of them from which on a line that raises is a slip. A function that answers rightly in fewer checks
may be wrong as a whole, or know no more than the public checks show."""
WAITS = "it counts once half of the points for right values in this task are earned"
"""Why a constraint was not judged."""
ONCE = "One mistake costs at most a quarter of its task, however many checks it fails."
"""Why a check that failed keeps points."""


@dataclass(frozen=True)
class Judged:
    """One check of a task and how it ended.

    Attributes
    ----------
    id, task : str
        Its name, and the task that it belongs to.
    kind : str
        ``"value"``, or ``"constraint"``.
    points : Fraction
        What it is worth.
    passed : bool
        Whether it passed.
    slip : str or None
        If it failed because of a single slip, the cause; empty where the answer is nearly right and nobody
        knows why. None if it passed, or more is wrong.
    raised : str or None
        The line of the student's code that raised an exception, if it did; None if that is work not done.
    hidden : bool
        Whether students cannot see the check.
    """

    id: str
    task: str
    kind: Literal["value", "constraint"]
    points: Fraction
    passed: bool
    slip: str | None = None
    raised: str | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Credit:
    """What a check earns.

    Attributes
    ----------
    points : Fraction
        From zero to what it is worth.
    counts : bool
        False for a constraint that waits until the values of its task are right.
    """

    points: Fraction
    counts: bool = True


def assign_credit(checks: Iterable[Judged], worth: Mapping[str, Fraction] | None = None) -> dict[str, Credit]:
    """Return what each check earns, by its id.

    Parameters
    ----------
    checks : iterable of Judged
        All checks that are run, in the order of the suite: where several fail by one slip, the first bear
        what it costs.
    worth : mapping of str to Fraction, optional
        The points of whole tasks. By default those of `checks` together, which are fewer where only some
        checks of a task are run.

    Examples
    --------
    >>> checks = [Judged(name, "loss", "value", Fraction(4), False, "not averaged") for name in "abc"]
    >>> [str(credit.points) for credit in assign_credit(checks).values()]
    ['1', '4', '4']
    """
    found: dict[str, Credit] = {}
    for task, group in groupby(sorted(checks, key=lambda check: check.task), key=lambda check: check.task):
        members = list(group)
        points = (worth or {}).get(task, sum((check.points for check in members), Fraction()))
        found |= _assign_in_task(members, slip_limit(points))
    return found


def _assign_in_task(checks: Sequence[Judged], limit: Fraction) -> dict[str, Credit]:
    values = [check for check in checks if check.kind == "value"]
    found = {check.id: Credit(check.points if check.passed else Fraction()) for check in checks}
    found |= {id: Credit(points) for id, points in _charge(values, limit).items()}
    # Rules count by the checks that are run, of which one slip may fail all.
    own = _charge(values, slip_limit(sum((check.points for check in checks), Fraction())))
    earned = sum(own.values(), Fraction())
    if earned < RIGHT * sum((check.points for check in values), Fraction()) or not earned:
        found |= {check.id: Credit(Fraction(), counts=False) for check in checks if check.kind != "value"}
    return found


def _charge(values: Sequence[Judged], limit: Fraction) -> dict[str, Fraction]:
    """Return what checks of values earn if one slip costs so much at most."""
    found = {check.id: check.points if check.passed else Fraction() for check in values}
    slips = _name_slips(values)
    at_stake: dict[str, Fraction] = {}
    for check in values:
        if slip := slips.get(check.id):
            at_stake[slip] = at_stake.get(slip, Fraction()) + check.points
    # An answer that is nearly right shows the slip that other checks can name; of several, the one that costs
    # most already, or a student could lose points by passing one more check.
    named = max(at_stake, key=lambda slip: at_stake[slip], default="")
    left = dict.fromkeys([*at_stake, named], limit)
    for check in values:
        if check.id in slips:
            cause = slips[check.id] or named
            cost = min(check.points, left[cause])
            left[cause] -= cost
            found[check.id] = check.points - cost
    return found


def _name_slips(values: Sequence[Judged]) -> dict[str, str]:
    """Return the slips that checks show, by their ids: causes, and lines that raise where enough is right."""
    groups = values, [check for check in values if check.hidden]
    enough = all(_add_up(group, passed=True) >= ENOUGH * _add_up(group) for group in groups)
    found = {}
    for check in values:
        if check.slip is not None:
            found[check.id] = check.slip
        elif check.raised is not None and enough and not check.passed:
            found[check.id] = check.raised
    return found


def _add_up(checks: Sequence[Judged], *, passed: bool = False) -> Fraction:
    """Return what checks are worth, or those of them that passed."""
    return sum((check.points for check in checks if check.passed or not passed), Fraction())


def slip_limit(points: Fraction) -> Fraction:
    """Return what one slip costs at most in a task of so many points."""
    share = MOST * points
    return share if share < STEP else share // STEP * STEP
