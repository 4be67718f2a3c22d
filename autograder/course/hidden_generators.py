"""Random generators for hidden tests, which only the holder of the course's secret can repeat."""

from __future__ import annotations

import torch

from autograder.errors import ConfigError
from helpers import seeds

_current: bytes | None = None


def hidden_generator(*names: str) -> torch.Generator:
    """Return the generator of the assignment that is graded under these names.

    It is the same for every student and for a regrade, and another one in every course.

    Parameters
    ----------
    *names : str
        What the numbers are for, such as the suite and the test.

    Raises
    ------
    ConfigError
        If no assignment is being graded.
    """
    return seeds.generator(_key(), *names)


def use_key(key: bytes) -> None:
    """Have generators in this process derive from the key of an assignment; see `Course.key`."""
    global _current
    _current = key


def _key() -> bytes:
    if _current is None:
        found, remedy = "hidden numbers are drawn outside of grading", "try `autograder check`"
        raise ConfigError("suite", found, remedy)
    return _current
