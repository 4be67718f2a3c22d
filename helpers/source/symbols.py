"""The names of a module without running it: what it defines, what it uses, and which files it imports."""

from __future__ import annotations

import ast
import builtins
import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+(\w[\w., \t]*))", re.MULTILINE)


@dataclass(frozen=True)
class Symbols:
    """The names of a module.

    Attributes
    ----------
    defined : frozenset of str
        Functions, classes, their methods (``"KnnClassifier.predict"``), variables and imports.
    open : frozenset of str
        Classes that may have more methods than can be seen here, since they inherit them.
    used : frozenset of str
        Global names that its functions look up, and that neither it nor Python defines.
    stars : bool
        Whether it imports ``*``, so that it may define anything.
    """

    defined: frozenset[str]
    open: frozenset[str]
    used: frozenset[str]
    stars: bool

    def lacks(self, name: str) -> bool:
        """Tell whether a function or method is certainly not there."""
        owner, _, method = name.partition(".")
        if self.stars or name in self.defined:
            return False
        return owner not in self.defined or (bool(method) and owner not in self.open)

    def similar(self, name: str, known: Collection[str]) -> str | None:
        """Return the name of a function that looks like another one, renamed; `known` are not meant."""
        depth = name.count(".")
        owner = name.rpartition(".")[0]
        own = [
            other
            for other in sorted(self.defined - set(known))
            if other.count(".") == depth and other.rpartition(".")[0] == owner
        ]
        close = difflib.get_close_matches(name, own, n=1, cutoff=0.75)
        return close[0] if close else None


def read(source: str) -> Symbols | None:
    """Return the names of a module, or None if it is not Python."""
    try:
        tree = ast.parse(source)
        code = compile(tree, "<module>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    defined = frozenset(_defined_names(tree.body, ""))
    stars = any(isinstance(node, ast.ImportFrom) and node.names[0].name == "*" for node in ast.walk(tree))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    inheriting = frozenset(node.name for node in classes if node.bases or node.keywords)
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not _is_read(node)}
    declared = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    known = defined | assigned | declared | set(dir(builtins)) | {"__file__", "__annotations__"}
    # A class that something else than a definition made, such as a decorator, may have anything.
    made = frozenset(name for name in defined if name not in {node.name for node in classes})
    decorated = frozenset(node.name for node in classes if node.decorator_list)
    return Symbols(
        defined,
        inheriting | made | decorated,
        frozenset(name for name in _global_names(code) if name not in known and not name.startswith("__")),
        stars,
    )


def imported_modules(source: str) -> set[str]:
    r"""Return the modules whose import statements stand in a source, whether it is Python or not.

    Examples
    --------
    >>> sorted(imported_modules("import numpy as np, utils\nfrom nets.blocks import x\ndef f(:"))
    ['nets', 'numpy', 'utils']
    """
    found = set()
    for module, modules in _IMPORT.findall(source):
        parts = [module] if module else modules.split(",")
        found |= {part.strip().partition(" ")[0].partition(".")[0] for part in parts}
    return found - {""}


def _defined_names(body: Sequence[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _defined_names(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (prefix + (alias.asname or alias.name.partition(".")[0]) for alias in node.names)
        else:
            # What stands under `if` or `try`, and variables, which may hold functions.
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and not _is_read(inner):
                    yield prefix + inner.id
                elif isinstance(inner, ast.stmt) and inner is not node:
                    yield from _defined_names([inner], prefix)


def _is_read(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Load)


def _global_names(code: CodeType) -> Iterator[str]:
    """Yield the names that code looks up among globals, its functions included."""
    import dis

    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _global_names(inner)
