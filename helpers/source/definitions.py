"""What each definition in a source file contains: loops, names, changes to arguments, other definitions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from helpers.source.scopes import Scope, ScopeTree

LOOPING_CALLS = frozenset(
    {
        *("map", "filter", "functools.reduce", "torch.vmap", "torch.func.vmap", "functorch.vmap"),
        *("numpy.vectorize", "numpy.frompyfunc", "numpy.fromiter", "numpy.apply_along_axis"),
        *("numpy.apply_over_axes", ".apply_", ".map_", ".map2_"),
    }
)
COMPUTED_GETATTR = "getattr with a computed name"
MODULE = "<module>"
Mark = tuple[str, int]


@dataclass
class Unit:
    """One definition: a function, method or class, or a name that a module or class assigns.

    Attributes
    ----------
    name : str
        Qualified name, as Python's ``__qualname__``.
    line : int
        Where it begins.
    loops, uses, in_place : list of (str, int)
        What was seen there and on which line: kinds of loops; dotted names; operations on arguments.
    calls : dict of str to None
        Other units that it names, or that run where it does, in order.
    parts : dict of str to None
        Units defined inside it.
    """

    name: str
    line: int
    loops: list[Mark] = field(default_factory=list)
    uses: list[Mark] = field(default_factory=list)
    in_place: list[Mark] = field(default_factory=list)
    calls: dict[str, None] = field(default_factory=dict)
    parts: dict[str, None] = field(default_factory=dict)


class Scanner(ast.NodeVisitor):
    """Walk a module and fill a `Unit` for each definition."""

    def __init__(self, tree: ast.Module, package: str = "") -> None:
        self._tree = ScopeTree(tree, package)
        self._scope = self._tree.module
        self._unit = Unit(MODULE, 1)
        self._runs_at_import = True
        self._conditional = 0
        self._arguments: set[str] = set()
        self.units: dict[str, Unit] = {MODULE: self._unit}
        self.generic_visit(tree)

    @property
    def aliases(self) -> Aliases:
        """What the names of the module may stand for."""
        names = {name: sorted(known) for name, known in self._tree.module.names.items() if known}
        return names | ({"*": sorted(set(self._tree.stars))} if self._tree.stars else {})

    def _define(self, name: str, line: int, *, replace: bool) -> Unit:
        """Return the unit of a definition: a new one, or the one that it may or may not take the place of."""
        name = self._scope.prefix + name
        if name not in self.units or (replace and not self._conditional and self._scope.kind != "function"):
            self.units[name] = Unit(name, line)
        self._unit.parts[name] = None
        return self.units[name]

    @contextmanager
    def _inside(
        self, unit: Unit, scope: Scope | None = None, *, at_import: bool | None = None
    ) -> Iterator[None]:
        """Give what is visited to a unit, in a scope."""
        before = (self._unit, self._scope, self._runs_at_import, self._conditional, self._arguments)
        self._unit, self._scope = unit, scope or self._scope
        if at_import is not None:
            self._runs_at_import, self._conditional = at_import, 0
        yield
        self._unit, self._scope, self._runs_at_import, self._conditional, self._arguments = before

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        unit, scope = self._define(node.name, node.lineno, replace=True), self._tree.of[node]
        if self._runs_at_import:
            self._visit_all(node.decorator_list)
        with self._inside(unit):
            self._visit_all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        with self._inside(unit, scope, at_import=False):
            self._arguments = _constant_parameters(node)
            self._visit_all(node.body)

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Count a lambda's body to the unit around it, as code that runs later."""
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        with self._inside(self._unit, self._tree.of[node], at_import=False):
            self.visit(node.body)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Make a unit of a class; its methods become its parts."""
        unit = self._define(node.name, node.lineno, replace=True)
        if self._runs_at_import:
            self._unit.calls[unit.name] = None
        with self._inside(unit):
            self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        with self._inside(unit, self._tree.of[node], at_import=self._runs_at_import):
            self._visit_all(node.body)

    def _branch(self, node: ast.AST) -> None:
        self._conditional += 1
        self.generic_visit(node)
        self._conditional -= 1

    visit_If = visit_Try = visit_TryStar = visit_Match = visit_With = _branch

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self._see_loop("while loop" if isinstance(node, ast.While) else "for loop", node)
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self._bindings([node.target], node.iter)
        self._branch(node)

    visit_For = visit_AsyncFor = visit_While = _loop

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        for _ in node.generators:
            self._see_loop("comprehension", node)
        with self._inside(self._unit, self._tree.of[node]):
            self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _see_loop(self, kind: str, node: ast.stmt | ast.expr) -> None:
        if not self._runs_at_import:
            self._unit.loops.append((kind, node.lineno))

    def _bindings(self, targets: list[ast.expr], value: ast.expr) -> bool:
        """Make a unit of every name that a module or class binds; return whether there was one."""
        if self._scope.kind not in ("module", "class"):
            return False
        names = [node for target in targets for node in _targets(target)]
        self._visit_all(node for node in names if isinstance(node, ast.Attribute))
        for node in names:
            label = node.id if isinstance(node, ast.Name) else f".{node.attr}"
            unit = self._define(label, node.lineno, replace=False)
            self._unit.calls[unit.name] = None
            known = len(unit.loops)
            with self._inside(unit):
                self.visit(value)
            if isinstance(value, (ast.Name, ast.Attribute)):
                # A mere alias, such as g = map: it is resolved, and counted, where it is used.
                del unit.loops[known:]
        return bool(names)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Make units of assigned names, and note changes to arguments."""
        for target in node.targets:
            if not isinstance(target, ast.Name):
                self._see_in_place(target, "assignment to an entry of")
        if not self._bindings(node.targets, node.value):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Make a unit of an annotated name; the annotation computes nothing."""
        if node.value is not None and not self._bindings([node.target], node.value):
            self._visit_all([node.target, node.value])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Note a change to an argument."""
        self._see_in_place(node.target, "assignment with an operator to")
        if not self._bindings([node.target], node.value):
            self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """Leave annotations out: they compute nothing."""

    def visit_Call(self, node: ast.Call) -> None:
        """Note changes to arguments, and read ``getattr`` with a constant name as an attribute."""
        if isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name.endswith("_") and not name.endswith("__"):
                self._see_in_place(node.func.value, f".{name}() of")
        for keyword in node.keywords:
            if keyword.arg == "out":
                self._see_in_place(keyword.value, "out=")
        if "getattr" not in self._tree.dotted_names(node.func, self._scope):
            self.generic_visit(node)
            return
        constant = self._tree.constant_getattr(node, self._scope)
        names = {COMPUTED_GETATTR} if constant is None else self._tree.dotted_names(node, self._scope)
        self._use(names, node)
        if constant is not None:
            self._follow(node.args[0], constant)
        self._visit_all([*node.args, *node.keywords])

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note a dotted name or the attributes of an unknown object."""
        self._use(self._tree.dotted_names(node, self._scope), node)
        self._follow(node.value, node.attr)
        base = node.value
        while isinstance(base, ast.Attribute):
            # A longer known name says all; of an unknown object every attribute counts on its own.
            self._use({f".{base.attr}"}, base)
            self._follow(base.value, base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            self._refer(base)
        else:
            self.visit(base)

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name that is read."""
        if isinstance(node.ctx, ast.Load):
            self._use(self._tree.dotted_names(node, self._scope), node)
            self._refer(node)

    def _use(self, names: set[str], node: ast.expr) -> None:
        """Note dotted names, and the loop that some of them are."""
        for name in sorted(names):
            self._unit.uses.append((name, node.lineno))
            if name in LOOPING_CALLS:
                # Also at import: what torch.vmap(f) returns there loops whenever it is called.
                self._unit.loops.append((name.removeprefix("."), node.lineno))

    def _refer(self, node: ast.Name) -> None:
        """Note that a unit of this file is named."""
        owner = self._scope.owner(node.id)
        if owner is None or owner.kind in ("lambda", "comprehension"):
            return
        name = owner.prefix + node.id
        if not (self._runs_at_import and name == self._unit.name):
            self._unit.calls[name] = None

    def _follow(self, value: ast.expr, name: str) -> None:
        """Note the unit that an attribute may be: ``Class.method``, ``self.method``, a patched attribute."""
        self._unit.calls[f".{name}"] = None
        if isinstance(value, ast.Name) and (owner := self._scope.owner(value.id)) is not None:
            self._unit.calls[f"{owner.prefix}{value.id}.{name}"] = None
            if owner.receiver == value.id and owner.parent is not None:
                self._unit.calls[owner.parent.prefix + name] = None

    def _see_in_place(self, target: ast.expr, how: str) -> None:
        """Note a change to an argument, through any chain of attributes, entries and method calls."""
        base: ast.AST = target
        while isinstance(base, (ast.Attribute, ast.Subscript, ast.Call)):
            base = base.func if isinstance(base, ast.Call) else base.value
        if isinstance(base, ast.Name) and base.id in self._arguments:
            self._unit.in_place.append((f"{how} {base.id}", target.lineno))


def _targets(target: ast.expr) -> Iterator[ast.Name | ast.Attribute]:
    """Yield the names and attributes that an assignment to a target binds."""
    for node in ast.walk(target):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            yield node


def _constant_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the parameters that the function never gives another value, its receiver left out."""
    args = node.args
    names = {arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign):
            bound = [part for target in inner.targets for part in _targets(target)]
            names -= {part.id for part in bound if isinstance(part, ast.Name)}
    return names - {"self", "cls"}


Aliases = dict[str, list[str]]
"""Name in a module to the dotted names that it may stand for; ``*`` to modules that all is imported from."""


def units(tree: ast.Module, package: str = "") -> tuple[dict[str, Unit], Aliases]:
    """Return all units of a module by name, their calls limited to units that exist, and its aliases.

    Parameters
    ----------
    package : str
        The package that the module's relative imports start from.
    """
    scanner = Scanner(tree, package)
    found = scanner.units
    for unit in found.values():
        unit.calls = {name: None for name in unit.calls if name in found}
    return found, scanner.aliases
