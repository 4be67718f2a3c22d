"""An index of what students received, to tell later what became of it: functions, cells, questions."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nbformat import NotebookNode

from autograder.graded.answers import ANSWER
from autograder.release import gradecells
from autograder.scoring import PlannedTest

_STUB = re.compile(r'raise NotImplementedError\("\w+: ([\w.]+)"\)')
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def functions(
    stubs: Mapping[str, bytes], public_tests: str, plan: Sequence[PlannedTest]
) -> list[dict[str, str | None]]:
    """Return the functions that students write, with file and task of each.

    The task is the first one whose public tests name the function, or its class where none names the method
    itself; None where no public test names either.

    Parameters
    ----------
    stubs : mapping of str to bytes
        File name of each module to its stub.
    public_tests : str
        Source of the public tests.
    plan : sequence of PlannedTest
        The suite, in the order of the tasks.
    """
    tasks = _tasks_by_name(ast.parse(public_tests), plan)
    return [
        {"file": file, "name": name, "task": _task(tasks, file.removesuffix(".py"), name)}
        for file, content in stubs.items()
        for name in dict.fromkeys(_STUB.findall(content.decode()))
    ]


def cells(released: NotebookNode) -> list[dict[str, Any]]:
    """Return id and digest of each cell of a released notebook, and the question that it asks, if it does.

    A digest is the SHA-256 of the words, so that editors may change white space.
    """
    listed: list[dict[str, Any]] = []
    heading = ""
    for cell in released.cells:
        entry = describe(cell)
        if cell.cell_type == "markdown":
            heading = [heading, *_HEADING.findall(cell.source)][-1]
        if gradecells.is_question(cell):
            meta = cell.metadata.nbgrader
            entry["question"] = {
                "id": meta.grade_id,
                "title": heading,
                "points": meta.get("points", 0),
                "digest": digest(cell.source.replace(ANSWER, "")),
            }
        listed.append(entry)
    return listed


def describe(cell: NotebookNode) -> dict[str, Any]:
    """Return id and digest of a released cell."""
    return {"id": cell["id"], "digest": digest(cell.source)}


def digest(source: str) -> str:
    """Return the SHA-256 of the words of a cell."""
    return hashlib.sha256(" ".join(source.split()).encode()).hexdigest()


def _tasks_by_name(tree: ast.Module, plan: Sequence[PlannedTest]) -> dict[tuple[str, str], str]:
    """Return module and dotted name of what public tests use to the first task that uses it."""
    definitions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    modules = _modules(tree)
    tasks: dict[tuple[str, str], str] = {}
    for test in plan:
        function = definitions.get(test.id.partition("::")[2].partition("[")[0])
        if test.tier == "public" and function is not None:
            for used in _find_uses(function.body, definitions, modules, set()):
                tasks.setdefault(used, test.task)
    return tasks


def _modules(tree: ast.Module) -> dict[str, str]:
    """Return the names under which the tests import modules, as ``import convolutional_networks as cn``."""
    imports = [alias for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    return {alias.asname or alias.name: alias.name for alias in imports}


def _find_uses(
    body: Sequence[ast.AST],
    definitions: Mapping[str, ast.FunctionDef | ast.ClassDef],
    modules: Mapping[str, str],
    seen: set[str],
) -> Iterator[tuple[str, str]]:
    """Yield what code uses of modules, directly or through functions of the same file."""
    for node in (inner for statement in body for inner in ast.walk(statement)):
        if isinstance(node, ast.Attribute):
            module, _, name = ast.unparse(node).partition(".")
            if module in modules:
                yield modules[module], name
        elif isinstance(node, ast.Name) and node.id in definitions and node.id not in seen:
            seen.add(node.id)
            yield from _find_uses(definitions[node.id].body, definitions, modules, seen)


def _task(tasks: Mapping[tuple[str, str], str], module: str, name: str) -> str | None:
    if (module, name) in tasks:
        return tasks[module, name]
    owner = name.partition(".")[0]
    of_owner = (
        task for (where, used), task in tasks.items() if (where, used.partition(".")[0]) == (module, owner)
    )
    return next(of_owner, None)
