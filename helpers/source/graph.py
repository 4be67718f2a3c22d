"""What code leads to: from a definition to those that it names, contains, or may call without naming them."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping

from helpers.source.units import (
    FIELD,
    MODULE,
    OWN,
    PARAMETER_CALL,
    READ,
    RESULT,
    VALUE_CALL,
    Sighting,
    Unit,
    local,
    sightings,
)

_ATTRIBUTE = "?"
"""Before the name of an attribute: what it may be, of an object that is not known."""
_DESCRIPTORS = ("property", "cached_property", "partialmethod", "singledispatchmethod")
"""What can make a function run where an attribute is merely read."""
_OF_TENSORS = frozenset({"dtype", "device", "shape", "ndim"})
"""What tensors have and networks store, too."""
_VALUES = "!"
"""Whatever is passed on as a value anywhere in the hand-in."""


class Graph:
    """The definitions of a hand-in, and which leads to which.

    Every step takes time in proportion to what is written down, however much of it leads to the same place.

    Parameters
    ----------
    units : mapping of str to Unit
        All definitions by name.
    closed : collection of str
        Classes whose methods an unknown object is not taken to have.
    tasks : collection of str
        Functions and classes that other tasks are about. A test of one task runs none of them, unless its own
        code does, so what they pass on is not there to be called; nor is what is passed on by functions that
        only they name.
    """

    def __init__(
        self, units: Mapping[str, Unit], closed: Collection[str], tasks: Collection[str] = ()
    ) -> None:
        self._units = units
        self._tasks = frozenset(tasks)
        self._methods: dict[str, list[str]] = {}
        for unit in units.values():
            owner, _, name = unit.name.rpartition(".")
            is_method = unit.kind == "function" and owner in units and units[owner].kind == "class"
            if is_method and owner not in closed:
                self._methods.setdefault(name, []).append(unit.name)
        stored = {what.rpartition(".")[2] for unit in units.values() for what, _ in unit.stores}
        self._stored = frozenset(stored)
        plain = not any(
            what.rpartition(".")[2] in _DESCRIPTORS for unit in units.values() for what, _ in unit.uses
        )
        marks = [what for unit in units.values() for what, _ in unit.stores]
        others = {what.rpartition(".")[2] for what in marks if not what.startswith(("self.", FIELD))}
        kept = {what.rpartition(".")[2] for what in marks if what.startswith("self.")} - _OF_TENSORS
        self._may_run = frozenset(stored if not plain else others | kept)
        self.attributes = frozenset(stored | {local(name).rpartition(".")[2] for name in units})

    def _find_running(self, tops: Collection[str]) -> list[Unit]:
        """Return all definitions but those of tasks that are not among these, and what only those name."""
        start = [name for name in self._units if _top(name) in tops]
        asleep = self._of_tasks.difference(tops, map(_top, self._walk(start, (), replaced=False)))
        return [
            unit
            for name, unit in self._units.items()
            if _top(name) not in asleep or (name in self._at_import and not _is_of_class(unit))
        ]

    @functools.cached_property
    def _of_tasks(self) -> frozenset[str]:
        """What tasks are about, and what that names."""
        start = [name for name in self._units if _top(name) in self._tasks]
        return frozenset(map(_top, self._walk(start, (), replaced=False)))

    def _find_passed(self, units: Iterable[Unit]) -> list[str]:
        names = (what.removeprefix(OWN) for unit in units for what, _ in unit.values)
        return list(dict.fromkeys(name for name in names if name in self._units))

    def dotted_values(self, reached: Iterable[Unit]) -> list[Sighting]:
        """Return what comes from outside and is passed on as a value anywhere, where something is reached."""
        tops = {_top(name) for name in (*(unit.name for unit in reached), *self._called_at_import)}
        return [
            mark
            for unit in self._find_running(tops)
            for mark in sightings(unit, [one for one in unit.values if not one[0].startswith(OWN)])
        ]

    def _next(self, name: str, roots: Collection[str], values: Collection[str]) -> Iterator[str]:
        """Yield what one definition leads to without naming it: by attributes, and by calls of values."""
        if name == _VALUES:
            yield from values
        elif name.startswith(RESULT):
            maker = self._units.get(name.removeprefix(RESULT))
            yield from (self._find_passed([maker]) if maker is not None else ()) or [_VALUES]
        elif name.startswith(_ATTRIBUTE):
            attribute = name[1:].removeprefix(READ)
            yield from self._methods.get(attribute, ())
            if attribute in (self._may_run if name[1:].startswith(READ) else self._stored):
                yield _VALUES
        elif name in self._units:
            unit = self._units[name]
            yield from (one if one.startswith(RESULT) else _ATTRIBUTE + one for one in unit.loose)
            kinds = {what for what, _ in unit.constructs}
            if VALUE_CALL in kinds or (PARAMETER_CALL in kinds and name not in roots):
                yield _VALUES

    def reach(self, *roots: str, replaced: bool = False) -> tuple[list[Unit], bool]:
        """Return all that some definitions lead to, and whether anything passed on may be called there.

        Parameters
        ----------
        replaced : bool
            Whether what is passed on may be what is called in the first place.
        """
        tops = {_top(name) for name in (*roots, *self._called_at_import)}
        while True:
            seen = self._walk(roots, self._find_passed(self._find_running(tops)), replaced=replaced)
            found = {_top(name) for name in seen if name in self._units}
            if found <= tops:
                return [self._units[name] for name in seen if name in self._units], _VALUES in seen
            tops |= found

    def _walk(self, roots: Collection[str], values: Collection[str], *, replaced: bool) -> dict[str, None]:
        seen = dict.fromkeys([*roots, *([_VALUES] if replaced else [])])
        waiting = list(seen)
        while waiting:
            name = waiting.pop()
            unit = self._units.get(name)
            others = [*unit.calls, *unit.parts] if unit is not None else []
            others = [other for other in others if other in self._units]
            new = [other for other in (*others, *self._next(name, roots, values)) if other not in seen]
            seen.update(dict.fromkeys(new))
            waiting += new
        return seen

    @functools.cached_property
    def _at_import(self) -> dict[str, Unit]:
        """What runs while the file is imported; of a class that is its body, without its methods."""
        return {unit.name: unit for unit in self.follow_calls(MODULE)} if MODULE in self._units else {}

    @property
    def _called_at_import(self) -> list[str]:
        return [name for name, unit in self._at_import.items() if unit.kind == "function"]

    def follow_calls(self, start: str) -> list[Unit]:
        """Return what one definition names, directly or not; what is merely inside does not run."""
        seen, waiting = {start: None}, [start]
        while waiting:
            calls = self._units[waiting.pop()].calls
            new = [other for other in calls if other in self._units and other not in seen]
            seen.update(dict.fromkeys(new))
            waiting += new
        return [self._units[name] for name in seen]

    def recursive(self, reached: Collection[Unit], *roots: str) -> list[Unit]:
        """Return the definitions at which a chain of calls comes back to where it has been (depth first)."""
        of_module = [unit for unit in self._units.values() if unit.kind == "value"]
        values = self._find_passed([*reached, *of_module])
        done: set[str] = set()
        found: dict[str, None] = {}
        for start in reached:
            path: dict[str, None] = {}
            waiting: list[tuple[str, bool]] = [(start.name, True)]
            while waiting:
                name, entering = waiting.pop()
                if not entering:
                    del path[name]
                    done.add(name)
                elif name in path:
                    found.update(dict.fromkeys(self._first(name, path)))
                elif name not in done:
                    path[name] = None
                    waiting.append((name, False))
                    waiting += [(other, True) for other in self._callees(name, roots, values)]
        return [self._units[name] for name in found]

    def _callees(self, name: str, roots: Collection[str], values: Collection[str]) -> Iterator[str]:
        if name in self._units:
            yield from (other for other in self._units[name].calls if other in self._units)
        yield from self._next(name, roots, values)

    def _first(self, name: str, path: Iterable[str]) -> list[str]:
        """Return the definition where a circle begins that closes at `name`."""
        if name in self._units:
            return [name]
        return [one for one in path if one in self._units][-1:]


def _top(name: str) -> str:
    """Return the function or class at the top of a file that a definition is, or lies in.

    Examples
    --------
    >>> _top("nets.blocks:Block.forward"), _top("f")
    ('nets.blocks:Block', 'f')
    """
    file, colon, inner = name.rpartition(":")
    return f"{file}{colon}{inner.partition('.')[0]}"


def _is_of_class(unit: Unit) -> bool:
    """Tell whether a definition is a value that a class holds, which is had by way of the class."""
    return unit.kind == "value" and "." in local(unit.name)
