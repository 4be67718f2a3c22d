"""What an assignment states of things in which courses differ, such as a factor 1/2 in the regularizer."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PlainValidator

from autograder.errors import ConfigError

Convention = float | int | bool | str
RESERVED = frozenset({"repository", "tag", "course", "assignment"})
"""What `{{...}}` in a notebook means without any convention."""


def require_same(path: Path, modules: Iterable[Path], stated: Mapping[str, Convention]) -> None:
    """Check that modules of the reference state the same as the settings, in constants of the same names.

    Parameters
    ----------
    path : Path
        The settings file, for messages.
    modules : iterable of Path
        Files of the reference. One that is not valid Python is left to whoever imports it.
    stated : mapping of str to Convention
        Key to value, such as ``regularization`` to 1.0. The constant is ``REGULARIZATION``.

    Raises
    ------
    ConfigError
        A module assigns another value to a constant.
    """
    constants = {name.upper(): name for name in stated}
    for module in modules if stated else ():
        for node in _statements(module):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                name = constants.get(target.id) if isinstance(target, ast.Name) else None
                if name is not None and node.value is not None and not _is(node.value, stated[name]):
                    found = f"{name.upper()} is {ast.unparse(node.value)}"
                    remedy = f"{path.name} says {name} = {_toml(stated[name])}; change one of them"
                    raise ConfigError(f"{module}:{node.lineno}", found, remedy)


def _statements(module: Path) -> list[ast.Assign | ast.AnnAssign]:
    try:
        body = ast.parse(module.read_text(encoding="utf-8")).body
    except (SyntaxError, ValueError):
        return []
    return [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]


def _is(node: ast.expr, value: Convention) -> bool:
    """Tell whether an expression is this value, written out."""
    try:
        there = ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    same_kind = isinstance(there, str | bool) == isinstance(value, str | bool)
    return bool(same_kind and there == value)


def _toml(value: Convention) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(value: object) -> Convention:
    if isinstance(value, Decimal) and value.is_finite():
        return float(value)
    if isinstance(value, bool | int | str):
        return value
    raise ValueError("expected a number, a text, true or false")


def _name(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"expected another name: {{{{{name}}}}} has a meaning in notebooks")
    return name


Conventions = dict[
    Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$"), AfterValidator(_name)],
    Annotated[Convention, PlainValidator(_value)],
]
"""The table `[conventions]` of ``assignment.toml``."""
