"""Submissions made from an assignment itself: reference, stub, the reference with one function changed."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass

from autograder.course.assignment import Assignment
from autograder.intake import Submission
from autograder.release import markers
from autograder.release.stripper import stub_module

REFERENCE, STUB = "(reference)", "(stub)"


@dataclass(frozen=True)
class StudentFunction:
    """A function of which students write at least a line.

    Attributes
    ----------
    file : str
        Such as ``knn.py``.
    name : str
        With its class: ``KnnClassifier.predict``.
    body : range
        Lines of the body after the docstring, counted from 0.
    indent : int
        Spaces before a line of the body.
    """

    file: str
    name: str
    body: range
    indent: int


def reference(assignment: Assignment) -> Submission:
    """Return the reference solution as a submission, with the weights that belong to it."""
    return _submission(assignment, REFERENCE, sources(assignment), _weights(assignment))


def stub(assignment: Assignment) -> Submission:
    """Return what students receive as a submission."""
    stubs = {name: stub_module(text, name, assignment.name) for name, text in sources(assignment).items()}
    return _submission(assignment, STUB, stubs)


def sources(assignment: Assignment) -> dict[str, str]:
    """Return the files of the reference, by name."""
    names = [f"{module}.py" for module in assignment.modules]
    return {name: (assignment.folder / name).read_text(encoding="utf-8") for name in names}


def find_student_functions(assignment: Assignment) -> list[StudentFunction]:
    """Return the functions and methods that students complete, in the order of the files."""
    return [one for file, text in sources(assignment).items() for one in _find_student_functions(file, text)]


def with_body(assignment: Assignment, function: StudentFunction, body: str) -> Submission:
    """Return the reference with another body of one function; the submission has the function's name."""
    files = sources(assignment)
    lines = files[function.file].split("\n")
    new = textwrap.indent(body, " " * function.indent).split("\n")
    lines[function.body.start : function.body.stop] = new
    changed = files | {function.file: "\n".join(lines)}
    return _submission(assignment, function.name, changed, _weights(assignment))


def solution_lines(text: str, file: str) -> set[int]:
    """Return the lines, counted from 0, that stand between solution markers."""
    found = markers.regions(text, file, "code")
    return {line for region in found for line in range(region.first, region.last + 1)}


def _find_student_functions(file: str, text: str) -> list[StudentFunction]:
    inside = solution_lines(text, file)
    found = []
    for name, node in _functions(ast.parse(text).body):
        documented = ast.get_docstring(node, clean=False) is not None
        statements = node.body[1:] if documented else node.body
        if not statements or statements[-1].end_lineno is None:
            continue
        first = (node.body[0].end_lineno or 0) if documented else statements[0].lineno - 1
        body = range(first, statements[-1].end_lineno)
        if inside & set(body) and node.lineno - 1 not in inside:
            found.append(StudentFunction(file, name, body, statements[0].col_offset))
    return found


def _functions(statements: list[ast.stmt], prefix: str = "") -> list[tuple[str, ast.FunctionDef]]:
    """Return functions and methods with their names, but no functions inside of functions."""
    found: list[tuple[str, ast.FunctionDef]] = []
    for node in statements:
        if isinstance(node, ast.FunctionDef):
            found.append((prefix + node.name, node))
        elif isinstance(node, ast.ClassDef):
            found.extend(_functions(node.body, f"{prefix}{node.name}."))
    return found


def _weights(assignment: Assignment) -> dict[str, bytes]:
    return {name: (assignment.folder / name).read_bytes() for name in assignment.weights}


def _submission(
    assignment: Assignment, student: str, files: dict[str, str], weights: dict[str, bytes] | None = None
) -> Submission:
    coded = {name: text.encode() for name, text in files.items()}
    return Submission(student, assignment.folder, coded | (weights or {}))
