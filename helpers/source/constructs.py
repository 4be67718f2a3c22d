"""The statements and expressions of a file that are not understood by themselves, and where names stand.

`odd` names what a reader has to know about one node; `roles` tells of every name whether it is called, looked
at, or passed on as a value. Both look at each node once.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

PLAIN = (
    *(ast.Module, ast.FunctionDef, ast.ClassDef, ast.Return, ast.Delete, ast.Assign, ast.AugAssign),
    *(ast.AnnAssign, ast.For, ast.While, ast.If, ast.With, ast.Raise, ast.Try, ast.Assert, ast.Import),
    *(ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Expr, ast.Pass, ast.Break, ast.Continue, ast.BoolOp),
    *(ast.NamedExpr, ast.BinOp, ast.UnaryOp, ast.Lambda, ast.IfExp, ast.Dict, ast.Set, ast.ListComp),
    *(ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Yield, ast.YieldFrom, ast.Compare, ast.Call),
    *(ast.FormattedValue, ast.JoinedStr, ast.Constant, ast.Attribute, ast.Subscript, ast.Starred),
    *(ast.Name, ast.List, ast.Tuple, ast.Slice, ast.ExceptHandler, ast.Match, ast.MatchValue),
    *(ast.MatchSingleton, ast.MatchSequence, ast.MatchMapping, ast.MatchStar, ast.MatchAs, ast.MatchOr),
)
"""What every reader of Python takes for granted; anything else is written down under its name."""
PLAIN_DUNDERS = frozenset(
    {"__init__", "__post_init__", "__slots__", "__all__", "__doc__", "__version__", "__author__"}
)
COMPUTING = (
    *(ast.Call, ast.NamedExpr, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
    *(ast.Await, ast.Yield, ast.YieldFrom),
)

_SHOWING = frozenset({"print", "str", "repr", "format"})
_OF_TYPES = frozenset({"isinstance", "issubclass"})


def find_odd(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield what has to be known about a node, with its line.

    Examples
    --------
    >>> list(find_odd(ast.parse("async def f(): pass").body[0]))
    [('AsyncFunctionDef', 1)]
    """
    if not isinstance(node, (ast.stmt, ast.expr, ast.ExceptHandler, ast.pattern)):
        return
    if not isinstance(node, PLAIN):
        yield type(node).__name__, node.lineno
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield from _of_definition(node)
    elif isinstance(node, ast.AnnAssign) and computes(node.annotation):
        yield "a computation in an annotation", node.lineno


def computes(annotation: ast.expr | None) -> bool:
    """Tell whether an annotation does more than name a type."""
    return annotation is not None and any(isinstance(node, COMPUTING) for node in ast.walk(annotation))


def _of_definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.ClassDef):
        if node.keywords:
            yield "a class with keywords", node.lineno
        return
    args = node.args
    every = (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg)
    annotations = [arg.annotation for arg in every if arg is not None]
    if any(computes(annotation) for annotation in (*annotations, node.returns)):
        yield "a computation in an annotation", node.lineno
    if is_special(node.name):
        yield f"the method {node.name}", node.lineno


def is_special(name: str) -> bool:
    """Tell whether Python calls a method of this name by itself, other than when an object is made."""
    return name.startswith("__") and name.endswith("__") and name not in PLAIN_DUNDERS


def roles(tree: ast.AST) -> dict[int, str]:
    """Return the role of the expressions in a tree that are not plain values, by `id`.

    ``called``, ``type`` (what `isinstance` asks for), ``shown`` (compared or printed), ``alias`` (the whole
    right side of an assignment to a name), ``decorator``, ``base`` and ``off`` (set to False).
    """
    found: dict[int, str] = {}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        _give_roles(node, found)
        waiting += ast.iter_child_nodes(node)
    return found


def _give_roles(node: ast.AST, found: dict[int, str]) -> None:
    if isinstance(node, ast.Call):
        _give(found, "called", node.func)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _OF_TYPES:
            _give_types(found, *node.args[1:2])
        elif name in _SHOWING:
            _give(found, "shown", *node.args)
    elif isinstance(node, ast.Compare):
        _give(found, "shown", node.left, *node.comparators)
    elif isinstance(node, ast.Attribute):
        if node.attr in ("__name__", "__qualname__"):
            _give(found, "shown", node.value)
    elif isinstance(node, (ast.FormattedValue, ast.MatchValue)):
        _give(found, "shown", node.value)
    elif isinstance(node, ast.ExceptHandler):
        _give_types(found, node.type)
    elif isinstance(node, ast.Raise):
        _give_types(found, node.exc)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        _give(found, "decorator", *node.decorator_list)
        _give(found, "base", *(node.bases if isinstance(node, ast.ClassDef) else ()))
    elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        _give_assigned(node, found)
    elif isinstance(node, ast.IfExp) and id(node) in found:
        _give(found, found[id(node)], node.body, node.orelse)


def _give_assigned(node: ast.Assign | ast.AnnAssign | ast.NamedExpr, found: dict[int, str]) -> None:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        pairs = [(target, node.value)]
        if isinstance(target, (ast.Tuple, ast.List)) and isinstance(node.value, (ast.Tuple, ast.List)):
            pairs = list(zip(target.elts, node.value.elts, strict=False))
        for one, value in pairs:
            if isinstance(one, ast.Name):
                _give(found, "alias", value)
            if isinstance(value, ast.Constant) and value.value is False:
                _give(found, "off", one)


def _give(found: dict[int, str], role: str, *nodes: ast.AST | None) -> None:
    found.update((id(node), role) for node in nodes if node is not None)


def _give_types(found: dict[int, str], *nodes: ast.AST | None) -> None:
    for node in nodes:
        _give(found, "type", node)
        if isinstance(node, ast.Tuple):
            _give(found, "type", *node.elts)
