"""The interface between checks and a grader: requests to student code in another process.

What a suite holds is then no function or class but a proxy, whose type names its backend as ``__backend__``.
Everything else in `helpers` works on plain Python objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from helpers.source.facts import FunctionFacts


@dataclass(frozen=True)
class Measurement:
    """The result of one call and what it took.

    Attributes
    ----------
    result : object
        What the call returned.
    operations : int
        Tensor operations that reached PyTorch's dispatcher; the same on every run.
    largest : int
        Bytes of the largest storage that an operation made anew; views of an argument are not counted.
    cpu_seconds : float
        CPU time of the process during the call. It varies: compare ratios, with a wide margin.
    """

    result: Any
    operations: int
    largest: int
    cpu_seconds: float


class Backend(Protocol):
    """Operations on student code other than calling it, in whichever process it lives."""

    def facts(self, fn: Any) -> FunctionFacts:
        """Return the facts of a function's source, found before any of it ran."""

    def measure(self, fn: Any, args: Sequence[object], kwargs: Mapping[str, object]) -> Measurement:
        """Call a function and count what it does."""

    def substitute(self, owner: Any, replacements: Mapping[str, object]) -> AbstractContextManager[None]:
        """Replace attributes of a module or class, and restore them however the block ends."""

    def blank(self, cls: Any) -> Any:
        """Return an object of a class without a call of ``__init__``."""

    def weights(self, module: Any, name: str) -> Any:
        """Return the weights that lie beside a module.

        Raises
        ------
        FileNotFoundError
            If there are none of that name.
        helpers.testing.weights.Unloadable
            If they are damaged, or hold more than tensors.
        """


def backend_of(thing: object) -> Backend | None:
    """Return the backend of a proxy; None for student code of this process."""
    backend: Backend | None = getattr(type(thing), "__backend__", None)
    return backend
