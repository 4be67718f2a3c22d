"""Tools for writing suites and public tests: checks, rules about source, evidence, replaced functions.

A test file imports from here alone::

    from helpers.testing import Hint, checks, measure, require, substituted

Names are looked up when they are used, so that a module that needs one of them does not import the rest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from helpers.seeds import public_generator
    from helpers.testing.backend import Measurement
    from helpers.testing.constraints import obeys, require, require_any_device
    from helpers.testing.conventions import convention, regularization_causes
    from helpers.testing.evidence import measure
    from helpers.testing.failures import CheckFailure
    from helpers.testing.hints import Hint, passes_in_part
    from helpers.testing.strides import scattered
    from helpers.testing.substitute import constructor, substituted
    from helpers.testing.tolerances import Operation
    from helpers.testing.untrained import Untrained
    from helpers.testing.weights import load_weights

__all__ = [
    "CheckFailure",
    "Hint",
    "Measurement",
    "Operation",
    "Untrained",
    "constructor",
    "convention",
    "load_weights",
    "measure",
    "obeys",
    "passes_in_part",
    "public_generator",
    "regularization_causes",
    "require",
    "require_any_device",
    "scattered",
    "substituted",
]

HOMES: Final = {
    "CheckFailure": "helpers.testing.failures",
    "Hint": "helpers.testing.hints",
    "passes_in_part": "helpers.testing.hints",
    "Measurement": "helpers.testing.backend",
    "Operation": "helpers.testing.tolerances",
    "Untrained": "helpers.testing.untrained",
    "constructor": "helpers.testing.substitute",
    "convention": "helpers.testing.conventions",
    "load_weights": "helpers.testing.weights",
    "measure": "helpers.testing.evidence",
    "obeys": "helpers.testing.constraints",
    "public_generator": "helpers.seeds",
    "regularization_causes": "helpers.testing.conventions",
    "require": "helpers.testing.constraints",
    "require_any_device": "helpers.testing.constraints",
    "scattered": "helpers.testing.strides",
    "substituted": "helpers.testing.substitute",
}
"""Name to the module that defines it."""


def __getattr__(name: str) -> Any:
    """Return one of the names above, or of a module of this package that is not imported yet."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(HOMES[name]), name)
