"""The reference with its calls spelled in other legal ways, as the signatures of the stub allow.

What a suite puts in the place of a function or a class of the student's has to take every call that the real
one takes: arguments by name, by position, with defaults written out, a static method through an object.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

HOW = ("by name", "by position", "defaults written out", "through an object")
Functions = Mapping[str, ast.arguments]


@dataclass
class Signatures:
    """What the stub of an assignment lets a student call.

    Attributes
    ----------
    functions : dict of str to ast.arguments
        Functions of the module, and parameters that stand for one of them.
    makers : dict of str to ast.arguments
        Classes, with the signature of their constructor, `self` left out.
    static, methods : dict of str to ast.arguments
        Static methods as ``Class.method``; methods of objects by their bare name, `self` left out.
    """

    functions: dict[str, ast.arguments] = field(default_factory=dict)
    makers: dict[str, ast.arguments] = field(default_factory=dict)
    static: dict[str, ast.arguments] = field(default_factory=dict)
    methods: dict[str, ast.arguments] = field(default_factory=dict)


def signatures(source: str, stand_for: Mapping[str, str]) -> Signatures:
    """Return the signatures in a source; `stand_for` maps a parameter to the function that it stands for."""
    found = Signatures()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found.functions[node.name] = node.args
        elif isinstance(node, ast.ClassDef):
            _add_class(node, found)
    found.functions |= {name: found.functions[function] for name, function in stand_for.items()}
    return found


def _add_class(node: ast.ClassDef, found: Signatures) -> None:
    for method in node.body:
        if not isinstance(method, ast.FunctionDef):
            continue
        if any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in method.decorator_list):
            found.static[f"{node.name}.{method.name}"] = method.args
        elif method.name == "__init__":
            found.makers[node.name] = _without_self(method.args)
        else:
            found.methods[method.name] = _without_self(method.args)


def _without_self(args: ast.arguments) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[],
        args=args.args[1:],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=args.defaults,
    )


class Respelling(ast.NodeTransformer):
    """Rewrite calls of what the stub defines; those with `*` or `**` stay as they are."""

    def __init__(self, known: Signatures, how: str) -> None:
        self._known = known
        self._how = how
        self.count = 0

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """Rewrite a call, and those in its arguments."""
        self.generic_visit(node)
        args = self._signature(node.func)
        names = [keyword.arg for keyword in node.keywords]
        if args is None or None in names or not {arg.arg for arg in args.args}.issuperset(names):
            return node
        if any(isinstance(one, ast.Starred) for one in node.args):
            return node
        given = {arg.arg: value for arg, value in zip(args.args, node.args, strict=False)}
        given |= {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg is not None}
        order = [arg.arg for arg in args.args]
        if not set(order[: len(order) - len(args.defaults)]) <= given.keys():
            return node  # another method of that name
        self.count += 1
        return self._written(node.func, args, given)

    def _signature(self, function: ast.expr) -> ast.arguments | None:
        known = self._known
        if isinstance(function, ast.Name):
            return known.functions.get(function.id) or known.makers.get(function.id)
        if not isinstance(function, ast.Attribute):
            return None
        owner = function.value.id if isinstance(function.value, ast.Name) else ""
        if owner == "torch":
            return None
        static = known.static.get(f"{owner}.{function.attr}")
        return static or known.methods.get(function.attr)

    def _written(self, function: ast.expr, args: ast.arguments, given: dict[str, ast.expr]) -> ast.Call:
        order = [arg.arg for arg in args.args]
        defaults = dict(zip(order[len(order) - len(args.defaults) :], args.defaults, strict=True))
        every = {name: given[name] if name in given else copy.deepcopy(defaults[name]) for name in order}
        last = max((order.index(name) for name in given), default=-1)
        if self._how == "by position":
            return ast.Call(function, [every[name] for name in order[: last + 1]], [])
        if self._how == "through an object":
            return ast.Call(self._through_object(function), [every[name] for name in order[: last + 1]], [])
        chosen = every if self._how == "defaults written out" else given
        return ast.Call(function, [], [ast.keyword(name, value) for name, value in reversed(chosen.items())])

    def _through_object(self, function: ast.expr) -> ast.expr:
        """Return ``Linear().forward`` for ``Linear.forward``."""
        if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
            return function
        if f"{function.value.id}.{function.attr}" not in self._known.static:
            return function
        made = ast.Call(ast.Name(function.value.id, ast.Load()), [], [])
        return ast.Attribute(made, function.attr, ast.Load())


def respelled(source: str, how: str, stand_for: Mapping[str, str]) -> tuple[str, int]:
    """Return a source with other spellings of its calls, and how many it has.

    Examples
    --------
    >>> text = "def f(x, y=2): return x" + chr(10) + "def g(z): return f(z)"
    >>> respelled(text, "defaults written out", {})[0].splitlines()[-1].strip()
    'return f(y=2, x=z)'
    """
    tree = ast.parse(source)
    rewriting = Respelling(signatures(source, stand_for), how)
    tree = ast.fix_missing_locations(rewriting.visit(tree))
    return ast.unparse(tree), rewriting.count
