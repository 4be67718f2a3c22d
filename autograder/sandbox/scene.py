"""Escapes, and the scene they find: the things they could reach."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.sandbox.limits import Limits
from autograder.sandbox.plan import SandboxPlan


class Held(Exception):
    """The state that a layer promises is in force."""


@dataclass(frozen=True)
class Scene:
    """What there is to reach, made ready by the parent."""

    plan: SandboxPlan
    uid: int | None
    budget: Limits
    parent: int
    port: int | None
    """Where the parent listens on the loopback interface; None where there is none."""
    outside: Path
    """A file that everybody may read, in a folder that everybody may write to."""
    beside: str
    """The name of a file to make in the working folder."""
    hidden: tuple[Path, ...]
    """What the course must hide: suites, solutions, the secret."""
    descriptor: int
    """A descriptor that the child inherits."""
    kept: frozenset[int]
    """The descriptors it may keep."""


@dataclass(frozen=True)
class Escape:
    """One thing to try."""

    name: str
    layer: str
    run: Callable[[Scene], str]
    """Returns, in words, what it reached; raises OSError when refused, or `Held`."""
    expected: frozenset[int] = frozenset({errno.EPERM})
    """The errors that show it was this layer that refused."""
    control: Literal["must work", "may work", "skip"] = "must work"
    """What is asked of the same deed without confinement, so that its failure proves something."""
