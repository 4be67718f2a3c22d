"""Points as whole numbers, for servers that know no others."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, Final

from pydantic import Field

from autograder.errors import ConfigError
from autograder.scoring import DECIMALS

Scale = Annotated[int, Field(ge=1, le=1000, strict=True)] | None
"""How many points there stand for one of ours; None for the least that leaves no fraction."""
_MOST: Final = 1000
_ROUNDING: Final = Fraction(1, 10**DECIMALS)
"""More than points in a result can be off, since they are rounded."""


def find_scale(points: Iterable[Fraction], chosen: int | None, where: str) -> int:
    """Return the factor that makes points whole.

    Parameters
    ----------
    chosen : int or None
        What the course has chosen.
    where : str
        The setting, for messages.

    Raises
    ------
    ConfigError
        The factor that was chosen leaves fractions, or the least that does not is too large.

    Examples
    --------
    >>> find_scale([Fraction(12, 5), Fraction(1, 2)], None, "scale")
    10
    """
    least = math.lcm(*(one.denominator for one in points))
    if chosen is not None and chosen % least:
        found = f"is {chosen}, and points there are whole numbers"
        raise ConfigError(where, found, f"choose a multiple of {least}, or leave it out")
    if least > _MOST:
        found = f"points there are whole numbers, and ours are only when multiplied by {least}"
        raise ConfigError(where, found, "give the tests of a task weights that share its points more evenly")
    return chosen or least


def to_whole(points: float, scale: int) -> int:
    """Return points on a server; a fraction that is left is dropped.

    Examples
    --------
    >>> to_whole(3.3333, 3), to_whole(2.4, 5), to_whole(0.75, 1)
    (10, 12, 0)
    """
    exact = Fraction(points) * scale
    nearest = round(exact)
    return nearest if abs(exact - nearest) <= scale * _ROUNDING else math.floor(exact)
