"""Names of modules of other course kits, and what of this kit stands for them.

Files that were written for such a kit say ``from eecs598 import Solver``. They are imported as they are: the
tables here, and ``[imports]`` in ``course.toml``, say what each name means. A file of that name that was
handed in goes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Names = Mapping[str, Any]
"""Name to the dotted name of something in `helpers`, or to such a table."""

_SOLVER: Final = {"Solver": "helpers.training.solver.Solver"}
_SEEDS: Final = {"reset_seed": "helpers.training.randomness.reset_seed"}
_LOSSES: Final = {name: f"helpers.training.losses.{name}" for name in ("softmax_loss", "svm_loss")}
_BATCHES: Final = {"sample_batch": "helpers.training.batches.sample_batch"}
_GRADIENTS: Final = {
    name: f"helpers.training.gradients.{name}"
    for name in ("compute_numeric_gradient", "grad_check_sparse", "rel_error")
}
_LAYERS: Final = {
    name: f"helpers.training.layers.{name}"
    for name in ("Linear", "ReLU", "Linear_ReLU", "sgd", "sgd_momentum", "rmsprop", "adam")
}
_HELPER: Final = {**_LOSSES, **_BATCHES, **_SOLVER, **_SEEDS, **_GRADIENTS}
"""A file of helpers beside an assignment, as ``a3_helper.py``."""
_HELPERS: Final = [
    f"{start}{number}_{end}"
    for start in ("a", "p", "ps")
    for number in range(1, 7)
    for end in ("helper", "helpers")
]
_PACKAGE: Final = {
    **_SOLVER,
    **_SEEDS,
    "solver": _SOLVER,
    "grad": _GRADIENTS,
    "utils": {**_SEEDS, **_GRADIENTS},
    "data": "helpers.data",
    **dict.fromkeys(("helper", "helpers", *_HELPERS), _HELPER),
}
"""A package of helpers, as ``eecs598``."""

PACKAGES: Final = ("eecs598", "eecs498", "rob599", "rob498", "deeprob", "cs6476", "usgd")
"""Kits that are packages. Where one was handed in and cannot be imported here, this kit stands for it too."""
DEFAULT: Final[dict[str, Names]] = {
    **dict.fromkeys((*PACKAGES, "common", "libs"), _PACKAGE),
    **dict.fromkeys(("helper", *_HELPERS), _HELPER),
    "coutils": {**_PACKAGE, **_GRADIENTS, "fix_random_seed": _SEEDS["reset_seed"]},
    "linear_classifier": _BATCHES,
    "fully_connected_networks": {**_LAYERS, **_SOLVER, **_LOSSES},
}
"""Module of another kit, or of an earlier assignment, to what can be imported from it."""

_tables: dict[str, Names] = dict(DEFAULT)


def use(imports: Mapping[str, str | Names]) -> None:
    """Let a course's ``[imports]`` hold in this process, besides `DEFAULT`.

    Parameters
    ----------
    imports : mapping
        Module name to a table of names, to a module of `DEFAULT` that has what it has, or to the dotted name
        of a module in `helpers`.
    """
    _tables.clear()
    _tables.update(DEFAULT)
    for module, names in imports.items():
        _tables[module] = DEFAULT.get(names, {"*": names}) if isinstance(names, str) else names


def table(module: str) -> Names | None:
    """Return what can be imported from a module of another kit, or None if nothing stands for it.

    Examples
    --------
    >>> table("eecs598.solver"), table("torch")
    ({'Solver': 'helpers.training.solver.Solver'}, None)
    """
    found = _walk(module)
    return found if isinstance(found, Mapping) else {"*": found} if found else None


def current_name(dotted: str) -> str:
    """Return the dotted name of what stands for something; any other name as it is.

    Examples
    --------
    >>> current_name("eecs598.Solver.sgd"), current_name("a3_helper"), current_name("torch.nn")
    ('helpers.training.solver.Solver.sgd', 'helpers', 'torch.nn')
    """
    found = _walk(dotted)
    if found is None:
        return dotted
    return "helpers" if isinstance(found, Mapping) else found


def _walk(dotted: str) -> str | Names | None:
    """Return what a dotted name leads to: a name of this kit, or a table of names."""
    first, *rest = dotted.split(".")
    found: str | Names | None = _tables.get(first)
    for part in rest:
        if isinstance(found, Mapping):
            found = f"{found['*']}.{part}" if "*" in found else found.get(part)
        elif found is not None:
            found = f"{found}.{part}"
    return found
