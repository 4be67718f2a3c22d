"""Random generators for hidden tests, which only the holder of the course's secret can repeat."""

from __future__ import annotations

import torch

from autograder import course
from helpers import seeds


def hidden_generator(*names: str) -> torch.Generator:
    """Return the generator of the current course under these names.

    It is the same for every student and for a regrade, and another one in every course.

    Parameters
    ----------
    *names : str
        What the numbers are for, such as the suite and the test.

    Raises
    ------
    ConfigError
        If the course's secret cannot be read or made.
    """
    return seeds.generator(_key(), *names)


def _key() -> bytes:
    """Return the secret of the current course."""
    return course.current().secret()
