"""Operations of checks on student code at the other end of the wire."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any, Final

import numpy as np

from autograder.engine.link import StudentError
from helpers.source.facts import FunctionFacts
from helpers.testing.backend import Measurement
from helpers.testing.weights import Unloadable


class Remote:
    """Student code in the worker that serves the running test, by its proxies (`autograder.engine.proxy`)."""

    def facts(self, fn: Any) -> FunctionFacts:
        """Return what a worker said before student code ran: the only thing it says that is believed."""
        module, *names = fn._path
        facts: FunctionFacts = fn._session.facts[module].function(".".join(names))
        return facts

    def measure(self, fn: Any, args: Sequence[object], kwargs: Mapping[str, object]) -> Measurement:
        """Have the worker count; it could lie, so that rules about source stand beside it."""
        link = fn._link()
        found = _measurement(link.request("measure", fn, list(args), dict(kwargs)))
        if found is None:
            raise link.distrust("the worker returned no measurement")
        return found

    @contextlib.contextmanager
    def substitute(self, owner: Any, replacements: Mapping[str, object]) -> Iterator[None]:
        """Exchange attributes there; a worker that has ended meanwhile keeps none."""
        path = owner._path_of_module if isinstance(owner, ModuleType) else owner
        link = path._link()
        kept = {}
        try:
            for name, value in replacements.items():
                kept[name] = link.request("swap", path, name, value)
            yield
        finally:
            for name, value in kept.items() if link.ended is None else ():
                setattr(path, name, value)

    def blank(self, cls: Any) -> Any:
        """Have the worker make the object."""
        return cls._link().request("blank", cls)

    def weights(self, module: Any, name: str) -> Any:
        """Have the worker load them; this process never looks into them."""
        path = module._path_of_module
        content = path._session.weights.get(name)
        if content is None:
            raise FileNotFoundError(name)
        try:
            return path._link().request("weights", np.frombuffer(content, dtype=np.uint8).copy())
        except StudentError as error:
            raise Unloadable(str(error)) from None


REMOTE: Final = Remote()


def _measurement(found: Any) -> Measurement | None:
    """Return what a worker claims to have measured, or None if it does not have the form of that."""
    if type(found) is tuple and len(found) == 4:
        result, operations, largest, cpu_seconds = found
        if type(operations) is int and type(largest) is int and type(cpu_seconds) is float:
            return Measurement(result, operations, largest, cpu_seconds)
    return None
