"""Submissions in which one function answers badly: nothing, NaN, wrong shape or dtype, an exception."""

from __future__ import annotations

import ast
from typing import Literal, get_args

from autograder.course.assignment import Assignment
from autograder.grading import specimens
from autograder.grading.specimens import StudentFunction
from autograder.intake import Submission

Kind = Literal["raises", "none", "nan", "shape", "dtype"]
KINDS: tuple[Kind, ...] = get_args(Kind)
RAISES = 'raise ValueError("spoiled")'
SPOIL = {
    "nan": "value * float('nan') if value.is_floating_point() else value",
    "shape": "value[None]",
    "dtype": "value.to(torch.float32 if value.dtype == torch.float64 else torch.float64)",
}
NUMBERS = {"nan": "float('nan')", "shape": "torch.full((2,), value)", "dtype": "str(value)"}
WRAPPER = """
def spoil(value):
    if type(value) is torch.Tensor:
        return {tensor}
    if type(value) is float:
        return {number}
    if type(value) is dict:
        return dict(zip(value, map(spoil, value.values())))
    if type(value) in (tuple, list):
        return type(value)((spoil(value[0]), *value[1:]))
    return value

return spoil(answer({arguments}))
"""


def submission(chosen: Assignment, function: StudentFunction, kind: Kind) -> Submission:
    """Return the reference with one function that answers badly; only the first of several results is bad."""
    if kind == "raises":
        return specimens.with_body(chosen, function, RAISES)
    if kind == "none":
        return specimens.with_body(chosen, function, "return None")
    lines = specimens.sources(chosen)[function.file].split("\n")
    inner = "\n".join(line[function.indent :] for line in lines[function.body.start : function.body.stop])
    head = _definition(chosen, function)
    names = [arg.arg for arg in [*head.args.posonlyargs, *head.args.args, *head.args.kwonlyargs]]
    body = "\n".join("    " + line if line else "" for line in inner.split("\n"))
    wrapper = WRAPPER.format(tensor=SPOIL[kind], number=NUMBERS[kind], arguments=", ".join(names))
    return specimens.with_body(chosen, function, f"def answer({', '.join(names)}):\n{body}\n{wrapper}")


def _definition(chosen: Assignment, function: StudentFunction) -> ast.FunctionDef:
    """Return the function's syntax tree."""
    nodes: list[ast.stmt] = ast.parse(specimens.sources(chosen)[function.file]).body
    found: ast.stmt | None = None
    for part in function.name.split("."):
        found = next(node for node in nodes if getattr(node, "name", None) == part)
        nodes = getattr(found, "body", [])
    assert isinstance(found, ast.FunctionDef)
    return found
