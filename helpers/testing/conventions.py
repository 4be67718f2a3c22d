"""Conventions of an assignment that courses differ in, such as a factor 1/2 in the regularizer.

`assignment.toml` states them. Whatever runs a suite says which hold, before it imports the tests.
"""

from __future__ import annotations

from collections.abc import Mapping

Convention = float | int | bool | str

_current: dict[str, Convention] = {}


def use_conventions(stated: Mapping[str, Convention]) -> None:
    """Have `convention` in this process answer for an assignment."""
    _current.clear()
    _current.update(stated)


def convention(name: str) -> Convention:
    """Return what the assignment that is checked states under `[conventions]`.

    Parameters
    ----------
    name : str
        The key, such as ``"regularization"``.

    Raises
    ------
    LookupError
        If it states nothing of that name.

    Examples
    --------
    >>> use_conventions({"regularization": 0.5})
    >>> convention("regularization")
    0.5
    """
    if name not in _current:
        stated = ", ".join(_current) or "nothing"
        raise LookupError(f"[conventions] of assignment.toml states {stated}, and no {name!r}")
    return _current[name]


def regularization_causes() -> tuple[str, str]:
    """Return the likely causes of a regularization that is half, and of one that is twice, what it should be.

    Public and hidden tests both say so. The assignment states the factor as its convention "regularization".

    Raises
    ------
    LookupError
        If it states none.

    Examples
    --------
    >>> use_conventions({"regularization": 0.5})
    >>> regularization_causes()[1]
    'the regularization is twice what it should be: its factor REGULARIZATION is 0.5 here'
    """
    factor = f"its factor REGULARIZATION is {float(convention('regularization')):g} here"
    return (
        f"the regularization is half of what it should be: {factor}, and the gradient of w ** 2 is 2 * w",
        f"the regularization is twice what it should be: {factor}",
    )
