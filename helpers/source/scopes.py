"""Which dotted names a name in a source file may stand for.

Imports, assignments, default arguments and constant ``getattr`` are followed, in any order of execution: a
name that may stand for `torch.cdist` in one branch does so everywhere in its scope.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterable

from helpers.source.imports import make_absolute

MAX_ALIASES = 32
MAX_PARTS = 10
ROUNDS = 8
BUILTINS = frozenset(dir(builtins))


class ConstraintError(ValueError):
    """The source cannot be judged: too long, nested too deeply, too tangled, or not there."""


class Scope:
    """The names bound in a module, class, function, lambda or comprehension.

    Attributes
    ----------
    prefix : str
        Put before a name, it gives the qualified name of what is defined here.
    names : dict of str to set of str
        Bound name to the dotted names that it may stand for; empty where they are unknown.
    functions, parameters : set of str
        Names that may stand for functions or classes of this file; names of parameters.
    """

    def __init__(self, kind: str, parent: Scope | None, prefix: str) -> None:
        self.kind = kind
        self.parent = parent
        self.prefix = prefix
        self.names: dict[str, set[str]] = {}
        self.elsewhere: dict[str, Scope] = {}
        self.receiver: str | None = None
        self.functions: set[str] = set()
        self.parameters: set[str] = set()

    def bind(self, name: str, stands_for: Iterable[str] = ()) -> None:
        """Note that a name is bound here, or where ``global`` or ``nonlocal`` says."""
        known = self.elsewhere.get(name, self).names.setdefault(name, set())
        known.update(dotted for dotted in stands_for if dotted.count(".") < MAX_PARTS)
        if len(known) > MAX_ALIASES:
            raise ConstraintError(f"the name {name[:60]} stands for more than {MAX_ALIASES} different things")

    def owner(self, name: str) -> Scope | None:
        """Return the scope that a name used here is bound in, by Python's rules."""
        if name in self.elsewhere:
            return self.elsewhere[name]
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names and (scope is self or scope.kind != "class"):
                return scope
            scope = scope.parent
        return None

    def enclosing_scope(self) -> Scope:
        """Return the scope that ``:=`` binds in: a comprehension's is the one around it."""
        return self.parent.enclosing_scope() if self.kind == "comprehension" and self.parent else self


class ScopeTree(ast.NodeVisitor):
    """All scopes of a module, with the aliases in them resolved.

    Attributes
    ----------
    of : dict of ast.AST to Scope
        The scope that each module, class, function, lambda and comprehension opens.
    stars : list of str
        The modules of which everything is imported.
    """

    def __init__(self, tree: ast.Module, package: str = "") -> None:
        self._package = package
        self.module = Scope("module", None, "")
        self.of: dict[ast.AST, Scope] = {tree: self.module}
        self._scope = self.module
        self.stars: list[str] = []
        self._aliases: list[tuple[Scope, str, ast.expr]] = []
        self._values: dict[tuple[int, str], list[ast.expr]] = {}
        self._stores: Counter[tuple[int, str]] = Counter()
        self.generic_visit(tree)
        for _ in range(ROUNDS):
            for scope, name, value in self._aliases:
                scope.bind(
                    name, (dotted for dotted in self.dotted_names(value, scope) if not dotted.startswith("."))
                )
                if self.is_function(value, scope):
                    scope.functions.add(name)

    def is_function(self, node: ast.expr, scope: Scope) -> bool:
        """Tell whether an expression may be a function or class that this file defines."""
        if isinstance(node, ast.IfExp):
            return self.is_function(node.body, scope) or self.is_function(node.orelse, scope)
        if not isinstance(node, ast.Name):
            return isinstance(node, ast.Lambda)
        owner = scope.owner(node.id)
        return owner is not None and node.id in owner.functions

    def makers(self, name: str, owner: Scope) -> list[str] | None:
        """Return the functions of this file whose results a variable holds, or None if it may hold others."""
        values = self._values.get((id(owner), name), [])[:MAX_ALIASES]
        if name in owner.parameters or not values or len(values) < self._stores[id(owner), name]:
            return None
        found = []
        for value in values:
            function = value.func if isinstance(value, ast.Call) else None
            home = owner.owner(function.id) if isinstance(function, ast.Name) else None
            if not isinstance(function, ast.Name) or home is None or function.id not in home.functions:
                return None
            found.append(home.prefix + function.id)
        return found

    def keys(self, node: ast.expr, scope: Scope) -> list[str] | None:
        """Return the keys of a dict that is written out, here or where its name is assigned, or None."""
        if isinstance(node, ast.Dict):
            constants = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            texts = [text for text in constants if isinstance(text, str)]
            return texts if len(texts) == len(node.keys) else None
        if isinstance(node, ast.Call) and self.dotted_names(node.func, scope) == {"dict"} and not node.args:
            names = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
            return names if len(names) == len(node.keywords) else None
        owner = scope.owner(node.id) if isinstance(node, ast.Name) else None
        if not isinstance(node, ast.Name) or owner is None or node.id in owner.parameters:
            return None
        values = self._values.get((id(owner), node.id), [])
        few = values[:MAX_ALIASES]
        known = [self.keys(value, owner) for value in few if not isinstance(value, ast.Name)]
        if not known or None in known or len(known) < len(values):
            return None
        return [key for keys in known if keys is not None for key in keys]

    def dotted_names(self, node: ast.AST | None, scope: Scope) -> set[str]:
        """Return the dotted names that an expression may stand for; ``.name`` belongs to the unknown."""
        if isinstance(node, ast.Name):
            return self._names_of(node.id, scope)
        if isinstance(node, ast.Attribute):
            return self._attribute(node.value, node.attr, scope)
        if isinstance(node, ast.Call) and (name := self.constant_getattr(node, scope)) is not None:
            return self._attribute(node.args[0], name, scope)
        if isinstance(node, ast.IfExp):
            return self.dotted_names(node.body, scope) | self.dotted_names(node.orelse, scope)
        if isinstance(node, ast.BoolOp):
            return set[str]().union(*(self.dotted_names(value, scope) for value in node.values))
        if isinstance(node, ast.NamedExpr):
            return self.dotted_names(node.value, scope)
        return set()

    def constant_getattr(self, node: ast.Call, scope: Scope) -> str | None:
        """Return ``"name"`` for a call ``getattr(x, "name")``, else None."""
        if "getattr" not in self.dotted_names(node.func, scope) or len(node.args) < 2:
            return None
        name = node.args[1]
        return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else None

    def _names_of(self, name: str, scope: Scope) -> set[str]:
        owner = scope.owner(name)
        if owner is not None:
            return owner.names.get(name, set())
        found = {f"{module}.{name}" for module in self.stars}
        return found | {name} if name in BUILTINS or name.startswith("__") else found

    def _attribute(self, value: ast.expr, name: str, scope: Scope) -> set[str]:
        bases = {base for base in self.dotted_names(value, scope) if not base.startswith(".")}
        return {f"{base}.{name}" for base in bases} or {f".{name}"}

    def _open(self, node: ast.AST, kind: str, name: str = "") -> Scope:
        """Make the scope of a node; lambdas and comprehensions define nothing, so they keep the prefix."""
        around = self._scope.prefix
        prefix = {"class": f"{around}{name}.", "function": f"{around}{name}.<locals>."}.get(kind, around)
        parent = self._scope
        self.of[node] = scope = Scope(kind, parent, prefix)
        return scope

    def _inside(self, scope: Scope, nodes: Iterable[ast.AST | None]) -> None:
        around, self._scope = self._scope, scope
        for node in nodes:
            if node is not None:
                self.visit(node)
        self._scope = around

    def _define(self, name: str) -> None:
        self._scope.bind(name)
        self._scope.elsewhere.get(name, self._scope).functions.add(name)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._define(node.name)
        scope = self._open(node, "function", node.name)
        if self._scope.kind == "class":
            positional = node.args.posonlyargs + node.args.args
            scope.receiver = positional[0].arg if positional else None
        self._parameters(node.args, scope)
        self._inside(self._scope, node.decorator_list)
        self._inside(scope, node.body)

    visit_FunctionDef = visit_AsyncFunctionDef = _function

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Open the scope of a lambda."""
        scope = self._open(node, "lambda")
        self._parameters(node.args, scope)
        self._inside(scope, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Bind the class and open its scope."""
        self._define(node.name)
        self._inside(self._scope, [*node.decorator_list, *node.bases, *node.keywords])
        self._inside(self._open(node, "class", node.name), node.body)

    def _comprehension(self, node: ast.AST) -> None:
        self._inside(self._open(node, "comprehension"), ast.iter_child_nodes(node))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _parameters(self, args: ast.arguments, scope: Scope) -> None:
        """Bind parameters; a default is one thing that its parameter may stand for."""
        positional = args.posonlyargs + args.args
        for arg in (*positional, *args.kwonlyargs, args.vararg, args.kwarg):
            if arg is not None:
                scope.bind(arg.arg)
                scope.parameters.add(arg.arg)
        defaults = zip(positional[len(positional) - len(args.defaults) :], args.defaults, strict=True)
        for arg, default in (*defaults, *zip(args.kwonlyargs, args.kw_defaults, strict=True)):
            if default is not None:
                self._alias(scope, arg.arg, default)
                self.visit(default)

    def _alias(self, scope: Scope, name: str, value: ast.expr) -> None:
        """Note an assignment. Its value is read in the current scope, which `scope` can see as well."""
        scope.bind(name)
        owner = scope.elsewhere.get(name, scope)
        self._aliases.append((owner, name, value))
        self._values.setdefault((id(owner), name), []).append(value)

    def _sources(self, name: str) -> list[ast.expr]:
        """Return the list of what a name of the current scope is assigned."""
        owner = self._scope.elsewhere.get(name, self._scope)
        return self._values.setdefault((id(owner), name), [])

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._alias(self._scope, target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            several = isinstance(value, (ast.Tuple, ast.List))
            values = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value] * len(target.elts)
            for one, other in zip(target.elts, values, strict=False):
                if several:
                    self._assign(one, other)
                elif isinstance(one, ast.Name):
                    self._sources(one.id).append(other)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Note what is assigned to plain names."""
        for target in node.targets:
            self._assign(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Note what is assigned to an annotated name."""
        if node.value is not None:
            self._assign(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Note what ``:=`` assigns."""
        self._alias(self._scope.enclosing_scope(), node.target.id, node.value)
        self.visit(node.value)

    def visit_Name(self, node: ast.Name) -> None:
        """Bind a name that is stored to or deleted."""
        if not isinstance(node.ctx, ast.Load):
            self._scope.bind(node.id)
            self._stores[id(self._scope.elsewhere.get(node.id, self._scope)), node.id] += 1

    def visit_Global(self, node: ast.Global) -> None:
        """Send names to the module's scope."""
        self._scope.elsewhere.update(dict.fromkeys(node.names, self.module))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Send names to the enclosing function's scope."""
        for name in node.names:
            owner = self._scope.parent.owner(name) if self._scope.parent else None
            self._scope.elsewhere[name] = owner or self.module

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Bind the name of a caught exception."""
        if node.name is not None:
            self._scope.bind(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """Bind the name of a captured pattern."""
        if node.name is not None:
            self._scope.bind(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """Bind the name of a starred pattern."""
        if node.name is not None:
            self._scope.bind(node.name)

    def visit_Import(self, node: ast.Import) -> None:
        """Bind modules to their dotted names."""
        for alias in node.names:
            first = alias.name.partition(".")[0]
            self._scope.bind(alias.asname or first, {alias.name if alias.asname else first})

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Bind imported names to their dotted names."""
        module = make_absolute(node.module or "", node.level, self._package)
        for alias in node.names:
            if alias.name == "*":
                self.stars.append(module)
            else:
                plain = {alias.name} if module == "builtins" else {f"{module}.{alias.name}"}
                known = plain if module else set()
                self._scope.bind(alias.asname or alias.name, known)
