"""Hints: what to tell a student whose answer shows a typical mistake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from helpers.testing.comparison import REALS, Tolerance, difference, form_difference, has_type


@dataclass(frozen=True)
class Hint:
    """A typical mistake: the value it would return, and what to tell the student.

    Attributes
    ----------
    expected : object
        The value that the mistake gives. Where there is none, as of a mistake with random numbers, a function
        that takes the tensor or number that came, and returns whether it looks like the mistake.
    says : str
        The mistake, in words for students.
    slip : bool, optional
        Whether the function is right but for this mistake, which then costs a part of its task only
        (`helpers.credit`). By default true of mistakes with a value.

    Examples
    --------
    >>> from helpers.testing import checks
    >>> Hint(torch.tensor([3.0, 4.0]), says="the square root was taken; return squared distances").says
    'the square root was taken; return squared distances'
    >>> checks.close(2.0, 1.0, what="the mean", hints=[Hint(lambda mean: mean > 1, says="the sum was taken")])
    Traceback (most recent call last):
        ...
    helpers.testing.failures.CheckFailure: the mean: wrong value
      expected: 1
      found: 2
      likely cause: the sum was taken
    """

    expected: object
    says: str
    slip: bool | None = None

    @property
    def is_slip(self) -> bool:
        """Whether everything else in the answer is right."""
        return not callable(self.expected) if self.slip is None else self.slip

    def explains(self, actual: object, right: object, tolerance: Tolerance) -> bool:
        """Return whether a wrong value is the one that the mistake gives in place of the right one."""
        if callable(self.expected):
            same_form = not isinstance(right, torch.Tensor) or (
                form_difference(actual, tuple(right.shape), None) is None
            )
            return same_form and self.recognizes(actual)
        # Where a mistake makes no difference to the value, something else is wrong.
        return _fits(actual, self.expected, tolerance) and not _fits(self.expected, right, tolerance)

    def recognizes(self, actual: object) -> bool:
        """Return whether a mistake without a value of its own shows in a plain tensor or number."""
        if type(actual) is torch.Tensor:
            actual = actual.detach()
        elif not has_type(actual, REALS):
            return False
        look: Callable[[Any], bool] = self.expected  # type: ignore[assignment]
        return bool(look(actual))


def passes_in_part(given: torch.Tensor, shut: torch.Tensor) -> Callable[[torch.Tensor], bool]:
    """Return what recognizes a tensor that lets the same part of `given` pass wherever it should hold zeros.

    Parameters
    ----------
    given : Tensor
        What passes whole elsewhere.
    shut : Tensor
        A bool for each entry: whether nothing may pass there. Some of `given` there must differ from 0.

    Examples
    --------
    >>> x = torch.tensor([-2.0, -1.0, 3.0])
    >>> leaks = passes_in_part(x, x < 0)
    >>> leaks(torch.tensor([-0.2, -0.1, 3.0])), leaks(torch.tensor([-0.2, 0.0, 3.0])), leaks(x.clamp(min=0))
    (True, False, False)
    """
    blocked = shut & (given != 0)

    def recognize(found: torch.Tensor) -> bool:
        parts = found[blocked] / given[blocked]
        same = bool((parts - parts[0]).abs().max() <= 1e-3 * parts[0].abs())
        return same and bool(parts[0] != 0) and torch.equal(found[~shut], given[~shut])

    return recognize


Hints = Sequence[Hint] | Callable[[], Sequence[Hint]]
"""Typical mistakes, or a function that works them out where an answer is wrong; most answers are right."""


def all_of(hints: Hints) -> Sequence[Hint]:
    """Return the hints, worked out if they were not."""
    return hints() if callable(hints) else hints


def _fits(actual: object, value: object, tolerance: Tolerance) -> bool:
    """Return whether two values agree; one that is not finite agrees with nothing."""
    try:
        return difference(actual, value, tolerance) is None
    except ValueError:
        return False
