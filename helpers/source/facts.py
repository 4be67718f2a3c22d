"""Facts about a source file, by which rules are judged.

They are plain data, so that one process can read a file and another judge it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from helpers.source.decoding import parse
from helpers.source.definitions import MODULE, Aliases, Unit, units
from helpers.source.scopes import ConstraintError

MAX_SOURCE = 1_000_000


@dataclass(frozen=True)
class Sighting:
    """Something seen in the source: a kind of loop or a dotted name, its line, the definition around it.

    `file` is empty for the file that is judged; it names another one that this one imports.
    """

    what: str
    line: int
    where: str
    file: str = ""


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
    at_import : tuple of Sighting
        Dotted names that the file uses while it is imported.
    in_file : tuple of Sighting
        Dotted names that the file uses anywhere.
    """

    name: str
    line: int
    loops: tuple[Sighting, ...]
    uses: tuple[Sighting, ...]
    in_place: tuple[Sighting, ...]
    at_import: tuple[Sighting, ...] = ()
    in_file: tuple[Sighting, ...] = ()


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
    """

    units: dict[str, Unit]
    aliases: Aliases = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    module: str = ""

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
        reached = self._reachable_units(name, *self._assigned_units(name))
        recursive = {unit.name for unit in self._recursive_units(reached)}
        loops = [mark for unit in reached for mark in _sightings(unit, unit.loops)]
        for unit in reached:
            if unit.name in recursive:
                loops += _sightings(unit, [("recursion", unit.line)])
        return FunctionFacts(
            local(name),
            self.units[name].line,
            tuple(loops),
            tuple(mark for unit in reached for mark in _sightings(unit, unit.uses)),
            tuple(mark for unit in reached for mark in _sightings(unit, unit.in_place)),
            tuple(self._at_import()),
            tuple(mark for unit in self.units.values() for mark in _sightings(unit, unit.uses)),
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

    def _at_import(self) -> Iterable[Sighting]:
        """Yield what the module uses while it is imported, in functions that it then calls, too."""
        if MODULE not in self.units:
            return
        for unit in self._reachable_units(MODULE, parts=False):
            yield from _sightings(unit, unit.uses)

    def _assigned_units(self, name: str) -> list[str]:
        """Return the units of attributes that could take the place of a method, or of a function."""
        owner, _, method = local(name).rpartition(".")
        if owner:
            return [other for other in self.units if f".{local(other)}".endswith(f"..{method}")]
        home = name.partition(":")[0] if ":" in name else self.module
        patching = {_file(unit.name) for unit in self.units.values() if _uses(unit, f"{home}.{method}")}
        return [other for other in self.units if local(other) == f".{method}" and _file(other) in patching]

    def _reachable_units(self, *names: str, parts: bool = True) -> list[Unit]:
        """Return units and all that they name, and maybe contain, directly or not."""
        seen, waiting = dict.fromkeys(names), list(names)
        while waiting:
            unit = self.units[waiting.pop()]
            others = (*unit.calls, *unit.parts) if parts else unit.calls
            new = [other for other in others if other in self.units and other not in seen]
            seen.update(dict.fromkeys(new))
            waiting += new
        return [self.units[other] for other in seen]

    def _recursive_units(self, reached: list[Unit]) -> Iterable[Unit]:
        """Yield the units at which a chain of calls comes back to where it has been (depth first)."""
        done: set[str] = set()
        for start in reached:
            path: dict[str, None] = {}
            waiting: list[tuple[str, bool]] = [(start.name, True)]
            while waiting:
                name, entering = waiting.pop()
                if not entering:
                    del path[name]
                    done.add(name)
                elif name in path:
                    yield self.units[name]
                elif name not in done:
                    path[name] = None
                    waiting.append((name, False))
                    waiting += [(other, True) for other in self.units[name].calls if other in self.units]

    def to_plain(self) -> list[Any]:
        """Return the facts as lists, strings and integers only."""
        entries = [
            [
                unit.name,
                unit.line,
                *([list(mark) for mark in marks] for marks in (unit.loops, unit.uses, unit.in_place)),
                list(unit.calls),
                list(unit.parts),
            ]
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


def _sightings(unit: Unit, marks: Iterable[tuple[str, int]]) -> Iterable[Sighting]:
    """Yield the marks of a unit with its name and file."""
    return (Sighting(what, line, local(unit.name), _file(unit.name)) for what, line in marks)


def local(name: str) -> str:
    """Return the name of a unit within its file.

    Examples
    --------
    >>> local("nets.blocks:Block.forward"), local("f")
    ('Block.forward', 'f')
    """
    return name.rpartition(":")[2]


def _file(name: str) -> str:
    """Return the file of a unit; empty for the one that is judged."""
    module = name.rpartition(":")[0]
    return f"{module.replace('.', '/')}.py" if module else ""


def _uses(unit: Unit, dotted: str) -> bool:
    return any(what == dotted for what, _ in unit.uses)


def _list_of(plain: object, kind: type) -> list[Any]:
    """Return a list after checking the types of its entries."""
    if type(plain) is not list or any(type(entry) is not kind for entry in plain):
        raise TypeError
    return plain


def _unit(
    name: object, line: object, loops: object, uses: object, in_place: object, calls: object, parts: object
) -> Unit:
    """Return a unit after checking every type."""
    if type(name) is not str or type(line) is not int:
        raise TypeError
    named = [dict.fromkeys(_list_of(names, str)) for names in (calls, parts)]
    return Unit(name, line, _marks(loops), _marks(uses), _marks(in_place), *named)


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
