"""What each definition in a source file contains: loops, names, changes to arguments, other definitions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from helpers.source.constructs import is_special
from helpers.source.imports import NOT_IMPORTED
from helpers.source.references import References
from helpers.source.scopes import Scope
from helpers.source.units import FIELD, OBJECT, OWN, PROGRAM, Aliases, Unit

_SIMPLE = (
    *(ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple),
    *(ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context),
)
_ARITHMETIC = (ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.Mult, ast.Add, ast.Sub, ast.FloorDiv)


class Scanner(References):
    """Walk a module and fill a `Unit` for each definition."""

    def __init__(self, tree: ast.Module, package: str = "") -> None:
        super().__init__(tree, package)
        self._conditional = 0
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

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        unit, scope = self._define(node.name, node.lineno, replace=True), self._tree.of[node]
        unit.kind = "function"
        self._bind_elsewhere(node.name, node.lineno, unit.name)
        self._see_decorators(node, unit)
        if self._runs_at_import:
            self._visit_all(node.decorator_list)
        with self._inside(unit):
            self._visit_all([*node.decorator_list, *node.args.defaults, *node.args.kw_defaults])
        with self._inside(unit, scope, at_import=False):
            self._arguments = _constant_parameters(node)
            self._visit_all(node.body)

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def _see_decorators(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, unit: Unit
    ) -> None:
        """Note that a function is passed on to a decorator of this file."""
        for one in node.decorator_list:
            if not self._tree.dotted_names(one.func if isinstance(one, ast.Call) else one, self._scope):
                unit.values.append((f"{OWN}{unit.name}", node.lineno))

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Make a unit of a lambda, whose body runs later."""
        unit = self._lambda_unit(f"<lambda {node.lineno}-{node.col_offset}>", node)
        if id(node) not in self._roles:
            self._unit.values.append((f"{OWN}{unit.name}", node.lineno))

    def _lambda_unit(self, name: str, node: ast.Lambda) -> Unit:
        """Return the unit of a lambda, which counts as called where it stands."""
        unit = self._define(name, node.lineno, replace=True)
        unit.kind = "function"
        self._unit.calls[unit.name] = None
        self._visit_all([*node.args.defaults, *node.args.kw_defaults])
        with self._inside(unit, self._tree.of[node], at_import=False):
            self.visit(node.body)
        return unit

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Make a unit of a class; its methods become its parts."""
        unit = self._define(node.name, node.lineno, replace=True)
        unit.kind = "class"
        self._bind_elsewhere(node.name, node.lineno, unit.name)
        bases = (name for base in node.bases for name in sorted(self._tree.dotted_names(base, self._scope)))
        unit.constructs += [(f"a class of {name}", node.lineno) for name in bases]
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

    visit_Try = visit_TryStar = visit_Match = visit_With = _branch

    def visit_If(self, node: ast.If) -> None:
        """Leave out what runs only where the file is the program, unless the file says that it is."""
        guard = ast.unparse(node.test) in NOT_IMPORTED if self._scope is self._tree.module else False
        if not guard or "__name__" in self._tree.module.names:
            self._conditional += 1
            self._read_branches(node)
            self._conditional -= 1
            return
        main = self.units.setdefault(PROGRAM, Unit(PROGRAM, node.lineno))
        with self._inside(main, at_import=False):
            self._conditional = 1
            self._visit_all(node.body)
        self._visit_all(node.orelse)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        if not (isinstance(node, ast.For) and _multiplies_lengths(node)):
            self._see_loop("while loop" if isinstance(node, ast.While) else "for loop", node)
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self._bindings([node.target], node.iter)
        self._branch(node)

    visit_For = visit_AsyncFor = visit_While = _loop

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        for _ in () if _over_dimensions(node) else node.generators:
            self._see_loop("comprehension", node)
        with self._inside(self._unit, self._tree.of[node]):
            self.generic_visit(node)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _bindings(self, targets: list[ast.expr], value: ast.expr) -> bool:
        """Make a unit of every name that a module or class binds; return whether there was one."""
        if self._scope.kind not in ("module", "class"):
            return False
        names = [node for target in targets for node in _targets(target)]
        self._visit_all(node for node in names if isinstance(node, ast.Attribute))
        for node in names:
            label = node.id if isinstance(node, ast.Name) else f".{node.attr}"
            unit = self._define(label, node.lineno, replace=False)
            if is_special(label) and self._scope.kind == "class":
                unit.constructs.append((f"the method {label}", node.lineno))
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
        if self._bindings(node.targets, node.value):
            return
        target = node.targets[0]
        if isinstance(node.value, ast.Lambda) and len(node.targets) == 1 and isinstance(target, ast.Name):
            unit = self._lambda_unit(target.id, node.value)
            self._bind_elsewhere(target.id, node.lineno, unit.name)
        elif len(node.targets) == 1 and isinstance(target, ast.Name):
            self._alias(target, node.value)
            self.generic_visit(node)
        else:
            self.generic_visit(node)

    def _alias(self, target: ast.Name, value: ast.expr) -> None:
        """Note that a variable of a function is another name of functions of this file."""
        names = (
            [value]
            if isinstance(value, ast.Name)
            else [getattr(value, "body", None), getattr(value, "orelse", None)]
        )
        for one in names:
            owner = self._scope.owner(one.id) if isinstance(one, ast.Name) else None
            if isinstance(one, ast.Name) and owner is not None and one.id in owner.functions:
                full = f"{self._scope.elsewhere.get(target.id, self._scope).prefix}{target.id}"
                unit = self.units.setdefault(full, Unit(full, target.lineno))
                if unit.name != owner.prefix + one.id:
                    unit.calls[owner.prefix + one.id] = None

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Make a unit of an annotated name; the annotation computes nothing."""
        if node.value is None:
            if self._scope.kind == "class" and isinstance(node.target, ast.Name):
                self._unit.stores.append((FIELD + node.target.id, node.lineno))
        elif not self._bindings([node.target], node.value):
            self._visit_all([node.target, node.value])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Note a change to an argument."""
        self._see_in_place(node.target, "assignment with an operator to")
        if not self._bindings([node.target], node.value):
            self.generic_visit(node)


def _over_dimensions(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> bool:
    """Tell whether a comprehension computes with numbers of dimensions or lengths of a shape, and no data."""
    first = node.generators[0]
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    if len(node.generators) > 1 or first.is_async or not isinstance(first.target, ast.Name):
        return False
    if not all(_is_simple(part) for part in (*parts, *first.ifs)):
        return False
    if isinstance(first.iter, ast.Call) and isinstance(first.iter.func, ast.Name):
        counts = first.iter.args if first.iter.func.id == "range" else []
        return bool(counts) and all(_is_dimension(count) for count in counts)
    return _is_shape(first.iter)


def _multiplies_lengths(node: ast.For) -> bool:
    """Tell whether a loop over a shape does nothing but arithmetic on variables, as in ``size *= length``."""
    if node.orelse or not isinstance(node.target, ast.Name) or not _is_shape(node.iter):
        return False
    for step in node.body:
        targets = step.targets if isinstance(step, ast.Assign) else [getattr(step, "target", None)]
        if not isinstance(step, (ast.Assign, ast.AugAssign)) or not isinstance(targets[0], ast.Name):
            return False
        parts = [*ast.walk(step.value), *([step.op] if isinstance(step, ast.AugAssign) else ())]
        if len(targets) > 1 or not all(isinstance(part, _ARITHMETIC) for part in parts):
            return False
    return True


def _is_simple(node: ast.expr) -> bool:
    """Tell whether an expression calls nothing and takes nothing from tensors but their shapes."""
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop()
        if _is_shape(one):
            continue
        if not isinstance(one, _SIMPLE):
            return False
        waiting += ast.iter_child_nodes(one)
    return True


def _is_shape(node: ast.AST) -> bool:
    """Tell whether an expression is the shape of a variable, or a part of it."""
    if isinstance(node, ast.Subscript):
        return _is_shape(node.value)
    if isinstance(node, ast.Call) and not node.args and isinstance(node.func, ast.Attribute):
        return node.func.attr == "size" and isinstance(node.func.value, ast.Name)
    return isinstance(node, ast.Attribute) and node.attr == "shape" and isinstance(node.value, ast.Name)


def _is_dimension(node: ast.expr) -> bool:
    """Tell whether an expression is a number, or the number of dimensions of a variable."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.BinOp):
        plain = isinstance(node.op, (ast.Add, ast.Sub)) and not isinstance(node.left, ast.BinOp)
        return plain and _is_dimension(node.right) and _is_dimension(node.left)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int) and node.value < 10
    if isinstance(node, ast.Call):
        function, args = node.func, node.args
        if isinstance(function, ast.Name):
            return function.id == "len" and len(args) == 1 and _is_shape(args[0])
        node = function
        return isinstance(node, ast.Attribute) and node.attr in ("dim", "ndimension") and not args
    return isinstance(node, ast.Attribute) and node.attr == "ndim" and isinstance(node.value, ast.Name)


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


def units(tree: ast.Module, package: str = "") -> tuple[dict[str, Unit], Aliases]:
    """Return all units of a module by name, their calls limited to units that exist, and its aliases.

    Parameters
    ----------
    package : str
        The package that the module's relative imports start from.
    """
    scanner = Scanner(tree, package)
    found = scanner.units
    for unit, exact, name in scanner.candidates:
        if exact not in found:
            unit.loose[name] = None
    for unit, name, line in scanner.made:
        if name in found and found[name].kind == "class":
            unit.calls[f"{name}.__init__"] = None
            unit.constructs.append((OBJECT, line))
    for unit in found.values():
        unit.calls = {name: None for name in unit.calls if name in found}
        unit.values = [mark for mark in unit.values if _is_passed(mark[0], found)]
    return found, scanner.aliases


def _is_passed(name: str, found: dict[str, Unit]) -> bool:
    """Tell whether a value is a function or class of this file, or something from outside."""
    unit = found.get(name.removeprefix(OWN))
    return not name.startswith(OWN) or (unit is not None and unit.kind != "value")
