"""Modules can be had by the names that notebooks use, and hand-ins of earlier releases still import."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

import helpers
from helpers import places
from helpers.submission import prefetch, python_files
from helpers.submission.importer import Importer
from helpers.testing.constraints import require
from helpers.testing.failures import CheckFailure

OF_EARLIER_RELEASES = """\
import helpers.layers
import helpers.losses as losses
from helpers import curves, data, gradients, maps, solver
from helpers.layers import Linear
from helpers.solver import Solver
from helpers.tabletop import CLASSES

def linear(x): return Linear.forward(x)
def whole(x): return helpers.layers.Linear.forward(x)
"""


@pytest.fixture
def importer() -> Iterator[list[Importer]]:
    """Return a list; the importers that a test puts into it are removed."""
    made: list[Importer] = []
    yield made
    for one in made:
        one.remove()


def loaded(made: list[Importer], **sources: str) -> object:
    files = {f"{name}.py": text.encode() for name, text in sources.items()}
    read = python_files.read(files, ["knn"], ())
    made.append(Importer(read.code, ["knn"], (), read.errors, files))
    made[0].facts_of = read.facts
    made[0].install()
    return made[0].load("knn")


def test_every_place_is_a_module() -> None:
    for name, place in places.PLACES.items():
        assert getattr(helpers, name) is importlib.import_module(f"helpers.{place}")


def test_notebooks_have_short_names() -> None:
    from helpers import check, colab, data, plots, submit

    assert callable(check)
    assert [one.__name__ for one in (colab, data, plots, submit)] == [
        *("helpers.notebook.colab", "helpers.data", "helpers.figures.plots", "helpers.notebook.submit"),
    ]


def test_a_name_that_is_nowhere_is_an_ordinary_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'nowhere'"):
        from helpers import nowhere  # noqa: F401
    with pytest.raises(AttributeError, match="module 'helpers' has no attribute 'nowhere'"):
        helpers.nowhere  # noqa: B018


def test_a_hand_in_of_an_earlier_release_imports(importer: list[Importer]) -> None:
    knn = vars(loaded(importer, knn=OF_EARLIER_RELEASES))
    assert knn["Solver"] is importlib.import_module("helpers.training.solver").Solver
    assert knn["maps"].__name__ == "helpers.figures.feature_maps"
    assert knn["losses"].__name__ == "helpers.training.losses"
    assert knn["helpers"].layers.Linear is knn["Linear"]


def test_what_is_called_helpers_in_a_hand_in_goes_first(importer: list[Importer]) -> None:
    text = "from helpers.layers import Linear\nfrom helpers import mine, plots\nimport helpers.solver\n"
    knn = vars(loaded(importer, knn=text + "s = helpers.solver.Solver", helpers="mine = 1"))
    assert knn["mine"] == 1
    assert knn["s"].__module__ == "helpers.training.solver"


def test_a_module_of_a_students_package_goes_before_a_former_name(importer: list[Importer]) -> None:
    files = {
        "knn.py": b"from helpers.layers import mine",
        "helpers/__init__.py": b"",
        "helpers/layers.py": b"mine = 1",
    }
    read = python_files.read(files, ["knn"], ())
    importer.append(Importer(read.code, ["knn"], (), read.errors, files))
    importer[0].install()
    assert vars(importer[0].load("knn"))["mine"] == 1


@pytest.mark.parametrize("function", ["linear", "whole"])
def test_rules_know_every_name_of_a_module(importer: list[Importer], function: str) -> None:
    knn = vars(loaded(importer, knn=OF_EARLIER_RELEASES))
    with pytest.raises(CheckFailure, match=r"uses helpers\.training\.layers, which this task does not allow"):
        require(knn[function], banned=["helpers.training.layers"])


def test_what_takes_long_is_imported_once_by_any_name() -> None:
    now, before = (
        prefetch.select_modules([name], ()) for name in ("helpers.data.pictures", "helpers.tabletop")
    )
    assert now == before == ["helpers.data.pictures"]
    assert prefetch.select_modules(["helpers.data"], ()) == ["helpers.data", "sklearn.datasets"]
