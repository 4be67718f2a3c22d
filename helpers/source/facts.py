"""Facts about a source file, by which rules are judged.

They are plain data, so that one process can read a file and another judge it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from helpers.source.decoding import parse
from helpers.source.definitions import units
from helpers.source.graph import Graph
from helpers.source.scopes import ConstraintError
from helpers.source.units import MODULE, OWN, Aliases, Sighting, Unit, file_of, local, sightings

MAX_SOURCE = 1_000_000
MARKS = ("loops", "uses", "in_place", "constructs", "values", "stores")
NAMES = ("calls", "parts", "loose")
"""Fields of a unit, in the order in which they are written as plain data."""


@dataclass(frozen=True)
class FunctionFacts:
    """What a function contains, together with everything in its file that it names.

    Attributes
    ----------
    name : str
        Qualified name of the function.
    line : int
        Where it begins.
    loops : tuple of Sighting
        ``for loop``, ``while loop``, ``comprehension`` (one for each ``for`` in it), ``recursion``, and calls
        that loop, such as ``map`` or ``torch.vmap``.
    uses : tuple of Sighting
        Dotted names, aliases resolved; ``.norm`` is an attribute or method of an unknown object.
    in_place : tuple of Sighting
        Operations that change an argument.
    constructs : tuple of Sighting
        Statements and expressions that have to be known to be understood.
    values : tuple of Sighting
        Names that are passed on instead of called; functions of the hand-in as ``own:name``.
    stores : tuple of Sighting
        Attributes that are set: ``self.x``, ``torch.Tensor.x``, ``own:f.x``, or ``.x`` of an unknown object.
    at_import : tuple of Sighting
        Dotted names that the file uses while it is imported.
    stores_at_import : tuple of Sighting
        Attributes that it sets then.
    in_file : tuple of Sighting
        Dotted names that the file uses anywhere.
    attributes : frozenset of str
        Names of attributes, methods and fields that the hand-in makes.
    modules : frozenset of str
        The modules that are handed in.
    tasks : frozenset of str
        Functions and classes that the assignment has the hand-in define, as ``"utils:helper"`` where that is
        another file.
    """

    name: str
    line: int
    loops: tuple[Sighting, ...]
    uses: tuple[Sighting, ...]
    in_place: tuple[Sighting, ...]
    constructs: tuple[Sighting, ...] = ()
    values: tuple[Sighting, ...] = ()
    stores: tuple[Sighting, ...] = ()
    at_import: tuple[Sighting, ...] = ()
    stores_at_import: tuple[Sighting, ...] = ()
    in_file: tuple[Sighting, ...] = ()
    attributes: frozenset[str] = frozenset()
    modules: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ModuleFacts:
    """What each definition of a source file contains.

    Attributes
    ----------
    units : dict of str to Unit
        Qualified name to definition. Where `helpers.source.links` followed imports, also those of other
        files, as ``"utils:helper"``.
    aliases : dict of str to list of str
        What the names of the module may stand for.
    elsewhere : dict of str to str
        Names of the module to the definitions in other files that they stand for.
    module : str
        Its name.
    modules : frozenset of str
        The modules that are handed in, as far as they are known.
    judged_elsewhere : frozenset of str
        Classes that other tasks are about: an unknown object is not taken for one of theirs.
    tasks : frozenset of str
        Functions and classes that the assignment has the hand-in define.
    """

    units: dict[str, Unit]
    aliases: Aliases = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    module: str = ""
    modules: frozenset[str] = frozenset()
    judged_elsewhere: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()

    @functools.cached_property
    def _graph(self) -> Graph:
        return Graph(self.units, self.judged_elsewhere, self.tasks)

    def function(self, name: str) -> FunctionFacts:
        """Return the facts of one function, method or class, followed through the whole file.

        A method that a class inherits is that of its base, if the file defines it. What the file assigns to
        attributes of the method's name, of whatever object, counts as well.

        Raises
        ------
        ConstraintError
            If the file defines nothing of that name.
        """
        name = self._definition_of(name)
        graph = self._graph
        reached, by_value = graph.reach(name, *self._assigned_units(name), replaced=self._is_replaced(name))
        at_import = self._at_import()
        loops = [mark for unit in reached for mark in sightings(unit, unit.loops)]
        for unit in graph.recursive(reached, name):
            loops += sightings(unit, [("recursion", unit.line)])
        uses = [mark for unit in reached for mark in sightings(unit, unit.uses)]
        if by_value:
            uses += graph.dotted_values(reached)
        return FunctionFacts(
            local(name),
            self.units[name].line,
            tuple(loops),
            tuple(uses),
            _all(reached, "in_place"),
            _all(reached, "constructs"),
            _all(reached, "values"),
            _all(reached, "stores"),
            _all(at_import, "uses"),
            _all(at_import, "stores"),
            _all(self.units.values(), "uses"),
            graph.attributes,
            self.modules,
            self.tasks,
        )

    def _definition_of(self, name: str) -> str:
        """Return the name under which the file defines something, which may be that of a base class."""
        if name in self.units:
            return name
        first, dot, rest = name.partition(".")
        if first in self.elsewhere:
            return self._definition_of(self.elsewhere[first] + dot + rest)
        owner, _, method = name.rpartition(".")
        seen = {owner: None}
        waiting = [owner] if owner in self.units else []
        while waiting:
            unit = self.units[waiting.pop(0)]
            if f"{unit.name}.{method}" in self.units:
                return f"{unit.name}.{method}"
            new = [other for other in unit.calls if other in self.units and other not in seen]
            seen.update(dict.fromkeys(new))
            waiting += new
        raise ConstraintError(f"the file defines no {name[:60]}")

    def _at_import(self) -> list[Unit]:
        """Return what runs while the module is imported, functions that it then calls included."""
        return self._graph.follow_calls(MODULE) if MODULE in self.units else []

    def _is_replaced(self, name: str) -> bool:
        """Tell whether an attribute of the same object or class may take the place of a method."""
        owner, _, method = name.rpartition(".")
        return bool(owner) and any(
            what == f"{OWN}{name}" or (what == f"self.{method}" and unit.name.startswith(f"{owner}."))
            for unit in self.units.values()
            for what, _ in unit.stores
        )

    def _assigned_units(self, name: str) -> list[str]:
        """Return the units of attributes that could take the place of a method, or of a function."""
        owner, _, method = local(name).rpartition(".")
        if owner:
            return [other for other in self.units if f".{local(other)}".endswith(f"..{method}")]
        home = name.partition(":")[0] if ":" in name else self.module
        patching = {file_of(unit.name) for unit in self.units.values() if _uses(unit, f"{home}.{method}")}
        return [other for other in self.units if local(other) == f".{method}" and file_of(other) in patching]

    def to_plain(self) -> list[Any]:
        """Return the facts as lists, strings and integers only."""
        entries = [
            [unit.name, unit.line, unit.kind]
            + [[list(mark) for mark in getattr(unit, name)] for name in MARKS]
            + [list(getattr(unit, name)) for name in NAMES]
            for unit in self.units.values()
        ]
        return [entries, [[name, list(known)] for name, known in self.aliases.items()]]

    @classmethod
    def from_plain(cls, plain: object) -> ModuleFacts:
        """Return the facts that `to_plain` wrote.

        Raises
        ------
        ConstraintError
            If `plain` is anything else.
        """
        try:
            entries, names = _list_of(plain, list)
            found = [_unit(*entry) for entry in _list_of(entries, list)]
            aliases = dict(_alias(*entry) for entry in _list_of(names, list))
        except (TypeError, ValueError):
            raise ConstraintError("these are not the facts of a module") from None
        return cls({unit.name: unit for unit in found}, aliases)


def scan(source: str, package: str = "") -> ModuleFacts:
    r"""Read a source file.

    Parameters
    ----------
    source : str
        The text of a Python module, hostile or not. It is parsed, never run.
    package : str
        The package that its relative imports start from.

    Raises
    ------
    SyntaxError
        If it is not Python.
    ConstraintError
        If it is longer than `MAX_SOURCE` characters, nested too deeply for the parser, or its aliases are too
        tangled.

    Examples
    --------
    >>> facts = scan("from torch import nn as n\ndef f(x):\n    return [n.functional.relu(a) for a in x]")
    >>> facts.function("f").loops
    (Sighting(what='comprehension', line=3, where='f', file=''),)
    >>> [use.what for use in facts.function("f").uses if "torch" in use.what]
    ['torch.nn.functional.relu']
    """
    if len(source) > MAX_SOURCE:
        raise ConstraintError(f"the file has {len(source)} characters; at most {MAX_SOURCE} are read")
    try:
        return ModuleFacts(*units(parse(source), package))
    except (RecursionError, MemoryError):
        raise ConstraintError("the source is nested too deeply to be read") from None
    except (ValueError, OverflowError) as error:
        if isinstance(error, ConstraintError):
            raise
        raise SyntaxError(str(error)) from None


def _all(reached: Iterable[Unit], kind: str) -> tuple[Sighting, ...]:
    """Return the marks of one kind of several units."""
    return tuple(mark for unit in reached for mark in sightings(unit, getattr(unit, kind)))


def _uses(unit: Unit, dotted: str) -> bool:
    return any(what == dotted for what, _ in unit.uses)


def _list_of(plain: object, kind: type) -> list[Any]:
    """Return a list after checking the types of its entries."""
    if type(plain) is not list or any(type(entry) is not kind for entry in plain):
        raise TypeError
    return plain


def _unit(name: object, line: object, kind: object, *lists: object) -> Unit:
    """Return a unit after checking every type."""
    if type(name) is not str or type(line) is not int or type(kind) is not str:
        raise TypeError
    if len(lists) != len(MARKS) + len(NAMES):
        raise ValueError
    marks = [_marks(plain) for plain in lists[: len(MARKS)]]
    names = [dict.fromkeys(_list_of(plain, str)) for plain in lists[len(MARKS) :]]
    fields = dict(zip((*MARKS, *NAMES), (*marks, *names), strict=True))
    return Unit(name, line, kind, **fields)  # type: ignore[arg-type]


def _alias(name: object, known: object) -> tuple[str, list[str]]:
    """Return an alias after checking its types."""
    if type(name) is not str:
        raise TypeError
    return name, _list_of(known, str)


def _marks(plain: object) -> list[tuple[str, int]]:
    """Return marks after checking every type."""
    return [_mark(*mark) for mark in _list_of(plain, list)]


def _mark(what: object, line: object) -> tuple[str, int]:
    """Return a mark after checking its types."""
    if type(what) is not str or type(line) is not int:
        raise TypeError
    return what, line
