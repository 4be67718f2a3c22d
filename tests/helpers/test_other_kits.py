"""Files that were written for other kits are imported, and rules know what they import."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from helpers import other_kits
from helpers.other_kits import Names
from helpers.submission import python_files, stand_ins
from helpers.submission.importer import Importer
from helpers.testing.constraints import require
from helpers.testing.failures import CheckFailure

BY_NAME = "from a3_helper import softmax_loss\ndef f(x, y): return softmax_loss(x, y)\n"
BY_STAR = "from a3_helper import *\ndef f(x, y): return softmax_loss(x, y)\n"
BY_MODULE = "import a3_helper as helper\ndef f(x, y): return helper.softmax_loss(x, y)\n"
LATE = "def f(x, y):\n    from a3_helper import softmax_loss\n    return softmax_loss(x, y)\n"


@pytest.fixture(autouse=True)
def _default() -> Iterator[None]:
    yield
    other_kits.use({})


def everything(names: Names) -> Iterator[str]:
    for place in names.values():
        if isinstance(place, Mapping):
            yield from everything(place)
        else:
            yield place


def loaded(source: str, allowed: tuple[str, ...] = (), **beside: str) -> Importer:
    files = {"net.py": source.encode()} | {f"{name}.py": text.encode() for name, text in beside.items()}
    read = python_files.read(files, ["net"], allowed)
    importer = Importer(read.code, ["net"], allowed, read.errors, files)
    importer.facts_of = read.facts
    return importer


@pytest.fixture
def importers() -> Iterator[list[Importer]]:
    """Return a list; the importers that a test puts into it are removed."""
    made: list[Importer] = []
    yield made
    for one in made:
        one.remove()


def run(made: list[Importer], source: str, allowed: tuple[str, ...] = (), **beside: str) -> dict[str, object]:
    made.append(loaded(source, allowed, **beside))
    made[-1].install()
    return vars(made[-1].load("net"))


@pytest.mark.parametrize("place", sorted({*everything(other_kits.DEFAULT)}))
def test_every_name_is_something_of_helpers(place: str) -> None:
    module, _, name = place.rpartition(".")
    found = importlib.import_module(place) if place == "helpers.data" else None
    assert found or callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("source", [BY_NAME, BY_STAR, BY_MODULE, LATE])
def test_rules_see_through_the_names(importers: list[Importer], source: str) -> None:
    names = run(importers, source)
    with pytest.raises(CheckFailure, match=r"uses helpers, which this task does not allow"):
        require(names["f"], banned=["helpers"])  # type: ignore[arg-type]
    require(names["f"], banned=["torch.nn"])  # type: ignore[arg-type]


REAL = [
    "from a3_helper import softmax_loss\nfrom eecs598 import Solver",
    "from eecs598 import Solver\nfrom a3_helper import svm_loss, softmax_loss\n"
    "from fully_connected_networks import *",
    "from a3_helper import softmax_loss\n"
    "from fully_connected_networks import Linear_ReLU, Linear, Solver, adam, ReLU, sgd_momentum, sgd",
    "from a3_helpers import softmax_loss\nfrom common import Solver",
    "from common.helpers import softmax_loss\nfrom common import Solver\n"
    "from fully_connected_networks import sgd_momentum, rmsprop, adam",
    "from a2_helper import softmax_loss\nfrom cs6476 import Solver",
    "from helper import softmax_loss\nfrom usgd import Solver",
    "from libs import Solver",
    "from ps2_helper import softmax_loss\n"
    "from fully_connected_networks import Linear_ReLU, Linear, Solver, adam, ReLU",
    "from a1_helper import softmax_loss",
    "from fully_connected_networks import Linear_ReLU, Linear, Solver, ReLU, softmax_loss",
    "from rob599.p4_helpers import *\nfrom rob599 import Solver",
    "from rob599 import reset_seed\nfrom rob599.grad import rel_error",
    "import eecs598\nfrom eecs598 import reset_seed, Solver",
    "import coutils\nfrom coutils import fix_random_seed, rel_error, compute_numeric_gradient, Solver",
    "from linear_classifier import sample_batch",
]
"""What public files of other courses import of their kits."""


@pytest.mark.parametrize("lines", REAL)
def test_what_real_files_import_is_there(importers: list[Importer], lines: str) -> None:
    names = run(importers, f"{lines}\n")
    taken = [one.strip() for line in lines.splitlines() for one in line.partition(" import ")[2].split(",")]
    assert all(callable(names[one]) for one in taken if one not in ("", "*"))


def test_what_students_are_given_in_their_own_file_is_not_theirs(importers: list[Importer]) -> None:
    source = (
        "import torch\nclass FastConv:\n    def forward(x): return torch.nn.Conv2d(1, 1, 1)(x)\n"
        "def f(x): return FastConv.forward(x)\ndef g(x): return torch.nn.ReLU()(FastConv.forward(x))\n"
    )
    names: dict[str, Any] = run(importers, source, ("torch",))
    require(names["f"], banned=["torch.nn"], given=["FastConv"])
    for function, given in ((names["f"], []), (names["g"], ["FastConv"])):
        with pytest.raises(CheckFailure, match=r"uses torch\.nn"):
            require(function, banned=["torch.nn"], given=given)


def test_a_file_that_was_handed_in_goes_first_and_is_read(importers: list[Importer]) -> None:
    own = "def softmax_loss(x, y):\n    return [a for a in x]\n"
    names = run(importers, BY_NAME, a3_helper=own)
    require(names["f"], banned=["helpers"])  # type: ignore[arg-type]
    with pytest.raises(CheckFailure, match="1 explicit loop"):
        require(names["f"], loops=0)  # type: ignore[arg-type]


def test_a_course_says_what_stands_for_its_names(importers: list[Importer]) -> None:
    gradients = "helpers.training.gradients"
    other_kits.use({"mine": "a3_helper", "old": gradients, "few": {"error": f"{gradients}.rel_error"}})
    names = run(
        importers, "from mine import svm_loss\nfrom old import rel_error\nimport old\nfrom few import error\n"
    )
    assert names["rel_error"] is names["error"] is importlib.import_module(gradients).rel_error
    assert names["svm_loss"] is importlib.import_module("helpers.training.losses").svm_loss
    assert other_kits.current_name("old.rel_error") == f"{gradients}.rel_error"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("from eecs598 import nothing", "cannot import name 'nothing': no file eecs598.py was handed in"),
        ("import eecs598.nothing", "has no nothing"),
        ("from linear_classifier import svm_loss_naive", "stands in for sample_batch, and has no svm"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(importers: list[Importer], source: str, says: str) -> None:
    with pytest.raises(ImportError, match=says):
        run(importers, source)


def test_python_and_packages_of_the_course_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    finders = [finder for finder in sys.meta_path if not isinstance(finder, stand_ins.Finder)]
    monkeypatch.setattr(sys, "meta_path", finders)  # one stays after tests of notebooks
    monkeypatch.delitem(sys.modules, "eecs598", raising=False)
    other_kits.use({"json": "a3_helper"})
    assert stand_ins.is_one("json")
    assert loaded("").import_for_student("json") is importlib.import_module("json")
    with pytest.raises(ModuleNotFoundError):
        loaded("", allowed=("eecs598",)).import_for_student("eecs598")


def test_a_notebook_finds_them_where_no_file_is(tmp_path: Path) -> None:
    (tmp_path / "rob599.py").write_text("mine = 1\n")
    program = (
        "from helpers.submission import stand_ins; stand_ins.install(); stand_ins.install()\n"
        "import eecs598.grad, rob599; from eecs598 import Solver; from eecs598.utils import reset_seed\n"
        "from a3_helper import *\n"
        "assert eecs598.Solver is Solver and eecs598.grad.rel_error and softmax_loss and rob599.mine == 1\n"
        "try:\n    from eecs598 import nothing\nexcept ImportError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "cannot import name 'nothing' from 'eecs598'" in done.stdout
