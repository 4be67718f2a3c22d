"""Aliases of modules: short names for notebooks, and names from earlier releases.

Work that was begun with an earlier release still says ``from helpers.solver import Solver``.
"""

from __future__ import annotations

from typing import Final

PLACES: Final = {
    "checks": "testing.checks",
    "colab": "notebook.colab",
    "curves": "figures.curves",
    "devices": "training.devices",
    "diagrams": "figures.diagrams",
    "fitting": "figures.accuracies",
    "gradients": "training.gradients",
    "layers": "training.layers",
    "losses": "training.losses",
    "maps": "figures.feature_maps",
    "photographs": "data.photographs",
    "plots": "figures.plots",
    "solver": "training.solver",
    "splits": "data.splits",
    "submit": "notebook.submit",
    "tabletop": "data.pictures",
}
"""Maps a name in the package `helpers` to its module."""


def current_name(dotted: str) -> str:
    """Return the dotted name that something in `helpers` has in this release; any other name as it is.

    Examples
    --------
    >>> current_name("helpers.solver.Solver"), current_name("helpers.seeds"), current_name("solver.Solver")
    ('helpers.training.solver.Solver', 'helpers.seeds', 'solver.Solver')
    """
    package, _, rest = dotted.partition(".")
    module, dot, inside = rest.partition(".")
    if package != "helpers" or module not in PLACES:
        return dotted
    return f"{package}.{PLACES[module]}{dot}{inside}"
