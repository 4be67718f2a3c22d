"""The import statements of a Python file, read without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NOT_IMPORTED = ("__name__ == '__main__'", "'__main__' == __name__")
"""Conditions that do not hold where a file is imported."""


@dataclass(frozen=True)
class Import:
    """One thing that a file imports.

    Attributes
    ----------
    module : str
        Dotted name, as of a module that is imported from anywhere: ``"nets.blocks"``.
    names : tuple of str
        What ``from module import`` names; empty for ``import module``.
    line : int
        Where the statement is.
    at_import : bool
        Whether it runs as soon as the file is imported, and not within a ``try``.
    """

    module: str
    names: tuple[str, ...]
    line: int
    at_import: bool


def find(tree: ast.Module, package: str = "") -> list[Import]:
    r"""Return what a file imports, in order.

    Parameters
    ----------
    package : str
        The package that the file belongs to, from which relative imports are resolved.

    Examples
    --------
    >>> [(one.module, one.names) for one in find(ast.parse("import a.b, c\nfrom .d import e"), "nets")]
    [('a.b', ()), ('c', ()), ('nets.d', ('e',))]
    """
    found = []
    for node, at_import in _walk(tree, True):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, (), node.lineno, at_import) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = make_absolute(node.module or "", node.level, package)
            if module:
                names = tuple(alias.name for alias in node.names)
                found.append(Import(module, names, node.lineno, at_import))
    return found


def make_absolute(module: str, level: int, package: str) -> str:
    """Return the dotted name that an import statement means, or an empty text where it means nothing.

    Examples
    --------
    >>> make_absolute("blocks", 1, "nets"), make_absolute("", 2, "nets.deep"), make_absolute("x", 1, "")
    ('nets.blocks', 'nets', '')
    """
    if not level:
        return module
    parts = package.split(".") if package else []
    if level > len(parts):
        return ""
    base = ".".join(parts[: len(parts) - level + 1])
    return f"{base}.{module}" if module else base


def module_of(path: str) -> str | None:
    """Return the name under which a file can be imported, or None.

    Examples
    --------
    >>> module_of("nets/blocks.py"), module_of("nets/__init__.py"), module_of("my file.py")
    ('nets.blocks', 'nets', None)
    """
    if not path.endswith(".py"):
        return None
    parts = path.removesuffix(".py").split("/")
    if len(parts) > 1 and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts) if all(part.isidentifier() for part in parts) else None


def is_package(path: str) -> bool:
    """Tell whether a file is that of a package."""
    return path.endswith("/__init__.py")


def package_of(path: str) -> str:
    """Return the package that a file's relative imports start from; empty for a file that is in none."""
    module = module_of(path) or ""
    return module if is_package(path) else module.rpartition(".")[0]


def follow(start: str, imports: Mapping[str, list[Import]]) -> list[str]:
    """Return the modules that one module imports, itself first, as far as they are in the mapping.

    Parameters
    ----------
    imports : mapping
        Module to its imports. Packages count as imported with what is in them.
    """
    seen, waiting = {start: None}, [start]
    while waiting:
        for one in imports.get(waiting.pop(), ()):
            for module in possible_modules(one):
                new = [name for name in with_packages(module) if name in imports and name not in seen]
                seen.update(dict.fromkeys(new))
                waiting += new
    return list(seen)


def possible_modules(one: Import) -> list[str]:
    """Return the modules that an import statement may load: the one it names, and those it takes from it."""
    return [one.module, *(f"{one.module}.{name}" for name in one.names)]


def with_packages(module: str) -> list[str]:
    """Return a module and the packages that it lies in, the outermost first.

    Examples
    --------
    >>> with_packages("nets.blocks")
    ['nets', 'nets.blocks']
    """
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


def _walk(node: ast.AST, at_import: bool) -> Iterator[tuple[ast.AST, bool]]:
    waiting = [(node, at_import)]
    while waiting:
        one, runs = waiting.pop()
        yield one, runs
        if isinstance(one, ast.If) and ast.unparse(one.test) in NOT_IMPORTED:
            waiting += [(child, runs) for child in reversed(one.orelse)]
            continue
        deferred = isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Try, ast.TryStar))
        children = [(child, runs and not deferred) for child in ast.iter_child_nodes(one)]
        waiting += reversed(children)


def first_loop(tree: ast.Module) -> int:
    r"""Return the line of the first loop that runs as the file is imported, or 0.

    Examples
    --------
    >>> first_loop(ast.parse("def f():\n    while f(): pass\n\nif True:\n    for x in f(): pass"))
    5
    """
    lines = [
        node.lineno for node, runs in _walk(tree, True) if runs and isinstance(node, (ast.For, ast.While))
    ]
    return min(lines, default=0)
