"""Stubs: a module of the solution whose solution regions are gone and raise `NotImplementedError`."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from autograder.errors import ReleaseError
from autograder.release import markers
from autograder.release.markers import Region

_TOOLS = re.compile(r"#\s*(?:noqa\b|type:\s*ignore\b|ruff:|mypy:|pragma:|pylint:|fmt:)[^#]*")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def stub_line(module: str, name: str) -> str:
    """Return the statement that stands in a stub for the solution of ``name``."""
    return f'raise NotImplementedError("{module}: {name}")'


def later_line(name: str) -> str:
    """Return the statement for another solution in a function: it lets the part before it be tried."""
    return f"pass  # here {name} goes on"


def stub_module(text: str, where: str, module: str) -> str:
    """Return what students get of a module of the solution.

    Parameters
    ----------
    text : str
        The module, with its solution regions.
    where : str
        Its file, for messages.
    module : str
        Its name, which stubs mention.

    Raises
    ------
    ReleaseError
        The module is not Python, has no solution region or a malformed one, a region is not inside a
        function, takes a docstring away, or leaves something that does not compile.
    """
    found = markers.regions(text, where, "code")
    if not found:
        remedy = f"put {markers.MARKER!r} and '### {markers.END}' around the code that students are to write"
        raise ReleaseError(where, "no solution region, so the stub would be the solution", remedy)
    tree = _parse(text, where)
    _require_comments(text, where, found)
    homes = {region: _function(tree, region, where) for region in found}
    first = {node: region for region, (_, node) in reversed(homes.items())}

    def line_for(region: Region) -> str:
        name, node = homes[region]
        return stub_line(module, name) if first[node] is region else later_line(name)

    stub = _without_tools(markers.replace(text, found, line_for))
    _require_docstrings(tree, _compile(stub, where, found), where, found)
    return stub


def _without_tools(stub: str) -> str:
    """Return a stub without the comments that speak to linters and type checkers, not to students."""
    lines = stub.split("\n")
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(stub).readline))
    except (tokenize.TokenError, SyntaxError):  # what is wrong with it, compiling it says
        return stub
    for token in tokens:
        if token.type == tokenize.COMMENT and _TOOLS.search(token.string):
            row, column = token.start
            kept = _TOOLS.sub("", token.string)
            lines[row - 1] = (lines[row - 1][:column] + kept).rstrip()
    return "\n".join(lines)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Yield every function below ``tree`` with its qualified name, such as ``Table.add``."""
    for node in ast.iter_child_nodes(tree):
        inner = prefix
        if isinstance(node, Function):
            yield prefix + node.name, node
        if isinstance(node, Function | ast.ClassDef):
            inner = f"{prefix}{node.name}."
        yield from functions(node, inner)


def _parse(text: str, where: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise ReleaseError(f"{where}:{line}", f"not valid Python ({error})", "correct that line") from None


def _require_comments(text: str, where: str, found: tuple[Region, ...]) -> None:
    """Refuse a marker in a string, which nbgrader would take for one all the same."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {token.start[0] - 1 for token in tokens if token.type == tokenize.COMMENT}
    for region in found:
        for number in (region.first, region.last):
            if number not in comments:
                found_there = "a solution marker inside a string"
                raise ReleaseError(f"{where}:{number + 1}", found_there, "reword the text")


def _function(tree: ast.Module, region: Region, where: str) -> tuple[str, Function]:
    """Return the innermost function that holds a region, with its qualified name."""
    place = f"{where}:{region.first + 1}"
    if not region.code:
        raise ReleaseError(place, "no code between the markers", "put them around the solution")
    first, last = region.code[0] + 1, region.code[-1] + 1
    holding = [
        (name, node)
        for name, node in functions(tree)
        if node.lineno <= region.first and node.lineno < first <= (node.end_lineno or 0)
    ]
    if not holding:
        remedy = "move it into a function, or students could not import the module"
        raise ReleaseError(place, "a solution outside every function", remedy)
    name, node = max(holding, key=lambda pair: pair[1].lineno)
    if last > (node.end_lineno or 0):
        remedy = "end it there, and begin another in the next function"
        raise ReleaseError(place, f"a solution that continues after the end of {name}", remedy)
    return name, node


def _compile(stub: str, where: str, found: tuple[Region, ...]) -> ast.Module:
    try:
        tree = ast.parse(stub)
        compile(tree, where, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = _line_in_source(getattr(error, "lineno", None) or 1, found)
        remedy = "indent the markers as the code around them, and keep whole statements between them"
        raise ReleaseError(f"{where}:{line}", f"the stub does not compile ({error})", remedy) from None
    return tree


def _line_in_source(line: int, found: tuple[Region, ...]) -> int:
    """Return the line, counted from 1, of the solution that became ``line`` of the stub."""
    for region in found:
        if line - 1 > region.first:
            line += region.last - region.first
    return line


def _require_docstrings(
    solution: ast.Module, stub: ast.Module, where: str, found: tuple[Region, ...]
) -> None:
    removed = {number + 1 for region in found for number in range(region.first, region.last)}
    remaining = (pair for pair in functions(solution) if pair[1].lineno not in removed)
    for (name, before), (_, after) in zip(remaining, functions(stub), strict=True):
        if ast.get_docstring(before) != ast.get_docstring(after):
            remedy = "put the first marker below it, since it tells students what to write"
            raise ReleaseError(f"{where}:{before.lineno}", f"the stub of {name} loses its docstring", remedy)
