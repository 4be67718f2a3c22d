"""Facts about a source file, including those of the submitted files that it imports.

A loop in `utils.py` counts where the task calls it. What another module of the assignment was given to define
does not: the layers that a network is made of are judged by their own tasks.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace

from helpers.source.decoding import parse
from helpers.source.facts import ModuleFacts
from helpers.source.references import is_looping
from helpers.source.scopes import ConstraintError
from helpers.source.units import MODULE, OWN, RESULT, Unit

MAX_NAMES = 500
"""Dotted names that one name may lead to by way of several files."""


def link(
    facts: Mapping[str, ModuleFacts], start: str, given: Mapping[str, Container[str]] | None = None
) -> ModuleFacts:
    """Return the facts of one module, including those of the files that it imports.

    Parameters
    ----------
    facts : mapping of str to ModuleFacts
        Module to facts, of all files of the hand-in.
    start : str
        The module to judge.
    given : mapping of str to container of str, optional
        Other modules to the names that the assignment has them define; these are judged there.

    Raises
    ------
    ConstraintError
        If names lead through too many others.
    """
    links = _Links(facts, start, given or {})
    units = {
        unit.name: unit
        for module in links.reached
        for unit in _rename_units(facts[module], links.prefix(module))
    }
    for module in links.reached:
        for unit in facts[module].units.values():
            links.connect(units[links.prefix(module) + unit.name], module, units)
    return ModuleFacts(
        units,
        facts[start].aliases,
        links.find_elsewhere(units),
        start,
        frozenset(facts),
        links.own_classes(),
        links.tasks(),
    )


def released_names(modules: Sequence[str], released: Mapping[str, str]) -> dict[str, Container[str]]:
    """Return the names that each module of an assignment defines as it is released.

    Parameters
    ----------
    modules : sequence of str
        The modules that are handed in.
    released : mapping of str to str
        Module to its text as released; of one that is not there, all names count as released.
    """
    return {
        module: _defined_names(released[module]) if module in released else _Everything()
        for module in modules
    }


class _Everything(Container[str]):
    def __contains__(self, name: object) -> bool:
        return True


def _defined_names(text: str) -> frozenset[str]:
    """Return the names that a text defines at its top level."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in parse(text).body if isinstance(node, kinds))


def definitions(text: str) -> Iterator[str]:
    """Yield the functions and classes that a text defines at its top level, and the classes' methods.

    Examples
    --------
    >>> list(definitions("def f(): pass"))
    ['f']
    """
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in parse(text).body:
        if isinstance(node, (*functions, ast.ClassDef)):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{inner.name}" for inner in node.body if isinstance(inner, functions))


def _rename_units(facts: ModuleFacts, prefix: str) -> Iterator[Unit]:
    """Yield copies of the units of a file, by the names that they have beside those of others."""
    for unit in facts.units.values():
        yield replace(
            unit,
            name=prefix + unit.name,
            loops=list(unit.loops),
            uses=list(unit.uses),
            values=[(_prefix(what, prefix), line) for what, line in unit.values],
            stores=[(_prefix(what, prefix), line) for what, line in unit.stores],
            loose={_prefix_result(name, prefix): None for name in unit.loose},
            calls={prefix + name: None for name in unit.calls},
            parts={prefix + name: None for name in unit.parts},
        )


def _prefix(what: str, prefix: str) -> str:
    """Return the name of a value as other files know it."""
    return f"{OWN}{prefix}{what.removeprefix(OWN)}" if what.startswith(OWN) else what


def _prefix_result(name: str, prefix: str) -> str:
    return f"{RESULT}{prefix}{name.removeprefix(RESULT)}" if name.startswith(RESULT) else name


class _Links:
    """What names in the files of one hand-in lead to in its other files."""

    def __init__(
        self, facts: Mapping[str, ModuleFacts], start: str, given: Mapping[str, Container[str]]
    ) -> None:
        self._facts = facts
        self._start = start
        self._given = given
        self._known: dict[str, tuple[list[str], list[str]]] = {}
        self._imported = {module: self._imports(module) for module in facts}
        self.reached = [start]
        for module in self.reached:
            self.reached += [other for other in self._imported[module] if other not in self.reached]

    def prefix(self, module: str) -> str:
        """Return what stands before the names of a module's units."""
        return "" if module == self._start else f"{module}:"

    def connect(self, unit: Unit, module: str, units: Mapping[str, Unit]) -> None:
        """Add what a unit names in other files to its calls, and what those names stand for to its uses."""
        for what, line in list(unit.uses):
            for name in self._attribute(what.rpartition(".")[2], module, units):
                unit.calls[name] = None
            calls, names = self._lookup(what)
            unit.calls.update(dict.fromkeys(call for call in calls if call in units and call != unit.name))
            unit.uses += [(name, line) for name in names]
            unit.loops += [(name.removeprefix("."), line) for name in names if is_looping(name)]
        for what, line in [one for one in unit.values if not one[0].startswith(OWN)]:
            for name in self._lookup(what)[0]:
                if name in units and units[name].kind != "value":
                    unit.values.append((OWN + name, line))
        if unit.name == self.prefix(module) + MODULE:
            unit.calls.update(dict.fromkeys(self.prefix(other) + MODULE for other in self._imported[module]))

    def own_classes(self) -> frozenset[str]:
        """Return the classes that the assignment has the hand-in define; each is judged by its own task."""
        found = set()
        for module in self.reached:
            names = (name for name, unit in self._facts[module].units.items() if unit.kind == "class")
            found |= {self.prefix(module) + name for name in names if name in self._given.get(module, ())}
        return frozenset(found)

    def tasks(self) -> frozenset[str]:
        """Return the functions and classes that the assignment has the hand-in define."""
        return frozenset(
            self.prefix(module) + name
            for module in self.reached
            for name in self._facts[module].units
            if name in self._given.get(module, ())
        )

    def find_elsewhere(self, units: Mapping[str, Unit]) -> dict[str, str]:
        """Return the names of the module to judge that other files define."""
        found = {}
        for name, targets in self._facts[self._start].aliases.items():
            for target in targets:
                if name == "*" and target in self._facts:
                    others = {one: f"{self.prefix(target)}{one}" for one in self._facts[target].units}
                    found.update({one: key for one, key in others.items() if one not in found})
                calls = [call for call in self._lookup(target)[0] if call in units]
                if name != "*" and calls:
                    found[name] = calls[0]
        return {name: key for name, key in found.items() if key in units}

    def _attribute(self, name: str, module: str, units: Mapping[str, Unit]) -> list[str]:
        """Return what other files assign to attributes of a name, of whatever object."""
        keys = (f"{self.prefix(other)}.{name}" for other in self.reached if other != module)
        return [key for key in keys if key in units]

    def _imports(self, module: str) -> list[str]:
        """Return the other modules that a module imports anywhere."""
        names = [name for known in self._facts[module].aliases.values() for name in known]
        names += [what for unit in self._facts[module].units.values() for what, _ in unit.uses]
        found = dict.fromkeys(filter(None, map(self._module_of, names)))
        return [other for other in found if other != module]

    def _module_of(self, dotted: str) -> str | None:
        """Return the module of the hand-in that a dotted name lies in."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            if ".".join(parts[:length]) in self._facts:
                return ".".join(parts[:length])
        return None

    def _lookup(self, dotted: str) -> tuple[list[str], list[str]]:
        """Return the units that a dotted name leads to, and the other names that it stands for."""
        if dotted not in self._known:
            self._known[dotted] = self._follow(dotted)
        return self._known[dotted]

    def _follow(self, dotted: str) -> tuple[list[str], list[str]]:
        calls: dict[str, None] = {}
        seen, waiting = {dotted: None}, [dotted]
        while waiting:
            name = waiting.pop()
            module = self._module_of(name)
            if module is None:
                continue
            rest = name[len(module) + 1 :]
            if module != self._start and rest.partition(".")[0] in self._given.get(module, ()):
                continue
            calls.update(dict.fromkeys(self._units(module, rest)))
            new = [other for other in self._aliases(module, rest) if other not in seen]
            seen.update(dict.fromkeys(new))
            waiting += new
            if len(seen) > MAX_NAMES:
                raise ConstraintError(f"the name {dotted[:60]} leads to more than {MAX_NAMES} others")
        return list(calls), [name for name in seen if name != dotted]

    def _units(self, module: str, rest: str) -> Iterator[str]:
        """Yield the units that a name in a module means; all of them where the module itself is meant."""
        units, prefix = self._facts[module].units, self.prefix(module)
        if not rest:
            given = self._given.get(module, ()) if module != self._start else ()
            known = (name for name in units if name != MODULE and name.partition(".")[0] not in given)
            yield from (prefix + name for name in known)
        parts = rest.split(".")
        for length in range(len(parts), 0, -1):
            if ".".join(parts[:length]) in units:
                yield prefix + ".".join(parts[:length])
                return

    def _aliases(self, module: str, rest: str) -> Iterator[str]:
        """Yield what a name in a module stands for there."""
        if not rest:
            return
        first, dot, more = rest.partition(".")
        aliases = self._facts[module].aliases
        for target in aliases.get(first, ()):
            yield target + dot + more
        for star in aliases.get("*", ()):
            yield f"{star}.{rest}"
