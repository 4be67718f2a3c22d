"""What a piece of source code refers to: names, attributes and calls, noted for the unit around them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from helpers.source import constructs
from helpers.source.constructs import is_special
from helpers.source.scopes import Scope, ScopeTree
from helpers.source.units import (
    BY_NAME,
    FIELD,
    MODULE,
    OBJECT,
    OWN,
    PARAMETER_CALL,
    READ,
    RESULT,
    VALUE_CALL,
    Unit,
)

LOOPING_CALLS = frozenset(
    {
        *("map", "filter", "functools.reduce", "torch.vmap", "torch.func.vmap", "functorch.vmap"),
        *("numpy.vectorize", "numpy.frompyfunc", "numpy.fromiter", "numpy.apply_along_axis"),
        *("numpy.apply_over_axes", ".apply_", ".map_", ".map2_"),
    }
)
_LOOPING_MODULE = "itertools."
COMPUTED_GETATTR = "getattr with a computed name"
GRADIENTS = "torch.autograd.requires_grad"
"""What asks PyTorch to work out gradients: a keyword, an attribute, or the text of either."""
_ASKS = "requires_grad"
ON_GPU = '"cuda"'
"""A text that names a GPU, other than one that something is compared with."""
GPU = re.compile(r"cuda(:\d*)?")
"""The name of a GPU, or the beginning of one to which a number is added."""
_WITH_KEY = frozenset({"max", "min", "sorted", ".sort"})
_MAKERS = frozenset({".new_zeros", ".new_ones", ".new_full", ".new_empty", ".new_tensor"})
_STREAMS = frozenset({"sys.stdout", "sys.stderr"})
_PLAIN_FACTORIES = frozenset({"list", "int", "float", "dict", "set", "tuple", "str", "bool"})
_FACTORIES = frozenset({"dict_factory", "tuple_factory"})
_CALLING = ("key", "file", *_FACTORIES)
"""Names of arguments that may be called once for each of many."""
_CALLING_FIRST = frozenset({"map", "filter", "functools.reduce", "torch.vmap", "torch.func.vmap"})
"""What calls its first argument."""
_WITH_FIELDS = frozenset({"types.SimpleNamespace", "argparse.Namespace"})


def is_looping(name: str) -> bool:
    """Tell whether what has this dotted name calls something for each of many values."""
    return name in LOOPING_CALLS or name.startswith(_LOOPING_MODULE)


def _names_gpu(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(GPU.fullmatch(node.value))


def _compares_with_gpu(test: ast.expr, how: type[ast.cmpop]) -> bool:
    """Tell whether a condition is that something is, or is not, the name of a GPU."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return False
    return isinstance(test.ops[0], how) and any(map(_names_gpu, (test.left, *test.comparators)))


class References(ast.NodeVisitor):
    """Note names, attributes and calls; where definitions begin and end is for a subclass to say."""

    def __init__(self, tree: ast.Module, package: str) -> None:
        self._tree = ScopeTree(tree, package)
        self._roles = constructs.roles(tree)
        self._scope: Scope = self._tree.module
        self._unit = Unit(MODULE, 1)
        self._runs_at_import = True
        self._arguments: set[str] = set()
        self.units: dict[str, Unit] = {MODULE: self._unit}
        self.candidates: list[tuple[Unit, str, str]] = []
        self.made: list[tuple[Unit, str, int]] = []

    def visit(self, node: ast.AST) -> None:
        """Note what is odd about a node, then visit it."""
        self._unit.constructs += constructs.find_odd(node)
        getattr(self, f"visit_{type(node).__name__}", self.generic_visit)(node)

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        """Leave annotations out: they compute nothing."""

    def visit_Constant(self, node: ast.Constant) -> None:
        """Note a text by which a keyword can be given without being written as one."""
        if node.value == _ASKS:
            self._unit.uses.append((GRADIENTS, node.lineno))
        elif _names_gpu(node):
            self._unit.uses.append((ON_GPU, node.lineno))

    def visit_Compare(self, node: ast.Compare) -> None:
        """Leave out the name of a GPU that something is compared with: that moves nothing there."""
        self._visit_all(one for one in (node.left, *node.comparators) if not _names_gpu(one))

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Read both values."""
        self._read_branches(node)

    def _read_branches(self, node: ast.If | ast.IfExp) -> None:
        """Read a condition and what follows; who was given a GPU by name does not ask for one."""
        self.visit(node.test)
        for nodes, given in ((node.body, ast.Eq), (node.orelse, ast.NotEq)):
            uses = self._unit.uses
            before = len(uses)
            self._visit_all(nodes if isinstance(nodes, list) else [nodes])
            if _compares_with_gpu(node.test, given):
                uses[before:] = [use for use in uses[before:] if use[0] not in (ON_GPU, ".cuda")]

    def visit_Call(self, node: ast.Call) -> None:
        """Note changes to arguments, and read ``getattr`` with a constant name as an attribute."""
        if isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name.endswith("_") and not name.endswith("__"):
                self._see_in_place(node.func.value, f".{name}() of")
        for keyword in node.keywords:
            if keyword.arg == "out":
                self._see_in_place(keyword.value, "out=")
        self._see_call(node)
        if "getattr" not in self._tree.dotted_names(node.func, self._scope):
            self.generic_visit(node)
            return
        constant = self._tree.constant_getattr(node, self._scope)
        names = {COMPUTED_GETATTR} if constant is None else self._tree.dotted_names(node, self._scope)
        self._use(names, node)
        if constant is not None:
            self._follow(node.args[0], constant)
        self._visit_all([*node.args, *node.keywords])

    def _see_call(self, node: ast.Call) -> None:
        """Note what is called if that is a mere value, and arguments that call something."""
        names = self._tree.dotted_names(node.func, self._scope)
        if not names:
            self._see_value_call(node.func)
        if isinstance(node.func, ast.Attribute):
            self._see_method_call(node.func, node)
        for keyword in node.keywords:
            self._see_keyword(keyword, node, names)
        if "iter" in names and len(node.args) > 1:
            self._see_loop("iter with a function", node)
        if "type" in names and (len(node.args) != 1 or node.keywords):
            self._unit.constructs.append(("a class made by a call", node.lineno))
        if "type" in names and self._roles.get(id(node)) not in ("shown", "type"):
            self._unit.constructs.append(("a type as a value", node.lineno))
        if names & _CALLING_FIRST and node.args and not self._tree.dotted_names(node.args[0], self._scope):
            self._see_value_call(node.args[0])
        first = self._tree.dotted_names(node.args[0], self._scope) if node.args else _PLAIN_FACTORIES
        if "collections.defaultdict" in names and not first & _PLAIN_FACTORIES:
            self._see_loop("defaultdict with a function", node)
        if names & _WITH_FIELDS:
            self._unit.constructs.append((OBJECT, node.lineno))
            self._unit.stores += [(f".{one.arg}", node.lineno) for one in node.keywords if one.arg]
        if "collections.namedtuple" in names:
            texts = (one for arg in node.args[1:] for one in getattr(arg, "elts", [arg]))
            values = [one.value for one in texts if isinstance(one, ast.Constant)]
            fields = (name for text in values if isinstance(text, str) for name in text.split())
            self._unit.stores += [(FIELD + name.strip(","), node.lineno) for name in fields]

    def _see_method_call(self, function: ast.Attribute, node: ast.Call) -> None:
        """Note methods that do more than compute."""
        if function.attr == "format" and not isinstance(function.value, ast.Constant):
            self._unit.constructs.append(("a format that is computed", node.lineno))
        off = [arg for arg in node.args if isinstance(arg, ast.Constant) and arg.value is False]
        if function.attr == f"{_ASKS}_" and not off:
            self._unit.uses.append((GRADIENTS, node.lineno))

    def _see_value_call(self, function: ast.expr) -> None:
        """Note the call of what may be any function."""
        kind = VALUE_CALL
        if isinstance(function, ast.Name):
            owner = self._scope.owner(function.id)
            if owner is None:
                return
            if function.id in owner.functions:
                self.made.append((self._unit, owner.prefix + function.id, function.lineno))
                return
            makers = self._tree.makers(function.id, owner)
            if makers is not None:
                self._unit.loose.update(dict.fromkeys(RESULT + maker for maker in makers))
                return
            kind = PARAMETER_CALL if function.id in owner.parameters else kind
        if not isinstance(function, ast.Lambda):
            self._unit.constructs.append((kind, function.lineno))

    def _see_keyword(self, keyword: ast.keyword, node: ast.Call, names: set[str]) -> None:
        """Note what an argument may do that is given by name, or by the names in a dict."""
        if keyword.arg is not None:
            self._see_named(keyword.arg, keyword.value, node, names)
            return
        keys = self._tree.keys(keyword.value, self._scope)
        for key in _CALLING if keys is None else keys:
            self._see_named(key, keyword.value, node, names)
        if keys is None and any(not name.startswith(".") or name in _MAKERS for name in names):
            self._unit.constructs.append((BY_NAME, node.lineno))

    def _see_named(self, name: str, value: ast.expr, node: ast.Call, names: set[str]) -> None:
        """Note what the argument of a name may do."""
        if isinstance(value, ast.Constant) and not value.value:
            return
        keyed = names & _WITH_KEY
        if name == "key" and keyed:
            self._see_loop(f"{min(keyed).removeprefix('.')} with a key", node)
        elif name in _FACTORIES and any(one.startswith("dataclasses.") for one in names):
            self._see_loop(f"{min(names)} with a function", node)
        elif name == _ASKS:
            self._unit.uses.append((GRADIENTS, node.lineno))
        elif name == "file" and any(one == "print" or one.startswith("tqdm.") for one in names):
            streams = self._tree.dotted_names(value, self._scope) & _STREAMS
            self._unit.constructs += [] if streams else [("print to a file", node.lineno)]

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Note a dotted name or the attributes of an unknown object."""
        names = self._tree.dotted_names(node, self._scope)
        self._use(names, node)
        if isinstance(node.ctx, ast.Load):
            self._pass_on(node, names)
        else:
            self._store(node, names)
        if node.attr == f"{_ASKS}_" and self._roles.get(id(node)) != "called":
            self._unit.uses.append((GRADIENTS, node.lineno))
        self._follow(node.value, node.attr, called=self._roles.get(id(node)) == "called")
        base = node.value
        while isinstance(base, ast.Attribute):
            # A longer known name says all; of an unknown object every attribute counts on its own.
            if any(name.startswith(".") for name in self._tree.dotted_names(base, self._scope)):
                self._use({f".{base.attr}"}, base)
            self._follow(base.value, base.attr, called=False)
            base = base.value
        if isinstance(base, ast.Name):
            self._refer(base)
        else:
            self.visit(base)

    def visit_Name(self, node: ast.Name) -> None:
        """Note a name that is read, or bound where ``global`` or ``nonlocal`` says."""
        if isinstance(node.ctx, ast.Load):
            names = self._tree.dotted_names(node, self._scope)
            self._use(names, node)
            self._pass_on(node, names)
            self._refer(node)
        else:
            self._bind_elsewhere(node.id, node.lineno)

    def _bind_elsewhere(self, name: str, line: int, function: str | None = None) -> None:
        """Note what a name of another scope may stand for: what runs here, or a function."""
        owner = self._scope.elsewhere.get(name)
        if owner is not None:
            full = owner.prefix + name
            unit = self.units.setdefault(full, Unit(full, line))
            unit.parts[self._unit.name] = None
            if function is not None:
                unit.calls[function] = None

    def _use(self, names: set[str], node: ast.expr) -> None:
        """Note dotted names, and the loop that some of them are."""
        for name in sorted(names):
            self._unit.uses.append((name, node.lineno))
            if is_looping(name):
                # Also at import: what torch.vmap(f) returns there loops whenever it is called.
                self._unit.loops.append((name.removeprefix("."), node.lineno))

    def _pass_on(self, node: ast.Name | ast.Attribute, names: set[str]) -> None:
        """Note names that are neither called nor merely looked at."""
        role = self._roles.get(id(node))
        if role is not None and role != "decorator":
            return
        if role is None:
            self._unit.values += [(name, node.lineno) for name in sorted(names) if not name.startswith(".")]
        found = node if isinstance(node, ast.Name) else node.value
        owner = self._scope.owner(found.id) if isinstance(found, ast.Name) else None
        if owner is None or not isinstance(found, ast.Name):
            return
        if isinstance(node, ast.Name):
            if node.id in owner.functions:
                self._unit.values.append((f"{OWN}{owner.prefix}{node.id}", node.lineno))
        elif owner.receiver == found.id and owner.parent is not None:
            self._unit.values.append((f"{OWN}{owner.parent.prefix}{node.attr}", node.lineno))
        elif found.id in owner.functions:
            self._unit.values.append((f"{OWN}{owner.prefix}{found.id}.{node.attr}", node.lineno))

    def _store(self, node: ast.Attribute, names: set[str]) -> None:
        """Note an attribute that is set or deleted."""
        owner = self._scope.owner(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(node.value, ast.Name) and owner is not None and owner.receiver == node.value.id:
            labels = {f"self.{node.attr}"}
        elif isinstance(node.value, ast.Name) and owner is not None and node.value.id in owner.functions:
            labels = {f"{OWN}{owner.prefix}{node.value.id}.{node.attr}"}
        else:
            labels = names
        self._unit.stores += [(label, node.lineno) for label in sorted(labels)]
        if node.attr == _ASKS and self._roles.get(id(node)) != "off":
            self._unit.uses.append((GRADIENTS, node.lineno))

    def _refer(self, node: ast.Name) -> None:
        """Note that a unit of this file is named."""
        owner = self._scope.owner(node.id)
        if owner is None or owner.kind in ("lambda", "comprehension"):
            return
        name = owner.prefix + node.id
        if not (self._runs_at_import and name == self._unit.name):
            self._unit.calls[name] = None

    def _follow(self, value: ast.expr, name: str, *, called: bool = True) -> None:
        """Note the unit that an attribute may be: ``Class.method``, ``self.method``, a patched attribute."""
        self._unit.calls[f".{name}"] = None
        owner = self._scope.owner(value.id) if isinstance(value, ast.Name) else None
        exact = None
        if isinstance(value, ast.Name) and owner is not None:
            self._unit.calls[f"{owner.prefix}{value.id}.{name}"] = None
            if value.id in owner.functions:
                exact = f"{owner.prefix}{value.id}.{name}"
            elif owner.receiver == value.id and owner.parent is not None:
                exact = owner.parent.prefix + name
                self._unit.calls[exact] = None
        loose = name if called else READ + name
        if exact is not None and not is_special(name):
            self.candidates.append((self._unit, exact, loose))
        elif not is_special(name) and not self._is_from_outside(value):
            self._unit.loose[loose] = None

    def _is_from_outside(self, value: ast.expr) -> bool:
        return any(not name.startswith(".") for name in self._tree.dotted_names(value, self._scope))

    def _see_loop(self, kind: str, node: ast.stmt | ast.expr) -> None:
        if not self._runs_at_import:
            self._unit.loops.append((kind, node.lineno))

    def _see_in_place(self, target: ast.expr, how: str) -> None:
        """Note a change to an argument, through any chain of attributes, entries and method calls."""
        base: ast.AST = target
        while isinstance(base, (ast.Attribute, ast.Subscript, ast.Call)):
            base = base.func if isinstance(base, ast.Call) else base.value
        if isinstance(base, ast.Name) and base.id in self._arguments:
            self._unit.in_place.append((f"{how} {base.id}", target.lineno))
