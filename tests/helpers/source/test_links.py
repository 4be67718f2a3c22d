"""Rules about source that follow imports into the other files of a hand-in."""

from __future__ import annotations

import pytest

from helpers.source import links
from helpers.source.facts import FunctionFacts
from helpers.submission import python_files

LOOP = "def looped(x):\n    return [a for a in x]\n"


def facts(name: str = "f", **files: str) -> FunctionFacts:
    content = {path.replace("__", "/") + ".py": text.encode() for path, text in files.items()}
    return python_files.read(content, ["knn"], ()).facts("knn").function(name)


@pytest.mark.parametrize(
    "knn",
    [
        "from utils import looped\ndef f(x): return looped(x)",
        "from utils import looped as g\ndef f(x): return g(x)",
        "import utils\ndef f(x): return utils.looped(x)",
        "import utils as u\nh = u.looped\ndef f(x): return h(x)",
        "from utils import *\ndef f(x): return looped(x)",
        "def f(x):\n    from utils import looped\n    return looped(x)",
        "def f(x):\n    import utils\n    return getattr(utils, 'looped')(x)",
        "import utils\ndef f(x): return apply(utils, x)\ndef apply(m, x): return m.looped(x)",
        "from middle import again\ndef f(x): return again(x)",
        "import middle\ndef f(x): return middle.utils.looped(x)",
        "from middle import Thing\ndef f(x): return Thing().work(x)",
        "import middle\nclass Own(middle.Thing): pass\ndef f(x): return Own().work(x)",
        "from utils import looped as f",
        "from middle import f",
        "from utils import *\nfrom middle import *",
    ],
)
def test_a_loop_is_found_wherever_it_is(knn: str) -> None:
    middle = (
        "import utils\nfrom utils import looped as again\nf = again\n"
        "class Thing:\n    def work(self, x): return again(x)\n"
    )
    found = facts(knn=knn, utils=LOOP, middle=middle)
    assert "comprehension" in {loop.what for loop in found.loops}
    assert {loop.file for loop in found.loops} == {"utils.py"}


def test_packages_and_relative_imports_are_followed() -> None:
    found = facts(
        knn="from nets import blocks\ndef f(x): return blocks.g(x)",
        nets__blocks="from .deep import looped as g\n",
        nets__deep=LOOP,
    )
    assert [(loop.what, loop.line, loop.where, loop.file) for loop in found.loops] == [
        ("comprehension", 2, "looped", "nets/deep.py")
    ]


@pytest.mark.parametrize(
    "utils",
    [
        "from torch import cdist as g",
        "import torch\ng = torch.cdist",
        "import torch as t\ndef g(*a): return t.cdist(*a)",
    ],
)
def test_a_name_is_known_by_way_of_another_file(utils: str) -> None:
    found = facts(knn="from utils import g\ndef f(x): return g(x, x)", utils=utils)
    assert "torch.cdist" in {use.what for use in found.uses}


def test_a_loop_that_another_file_names_counts() -> None:
    found = facts(knn="import utils\ndef f(x): return utils.g(len, x)", utils="g = map")
    assert "map" in {loop.what for loop in found.loops}


def test_what_a_file_does_as_it_is_imported_is_known() -> None:
    found = facts(knn="import utils\ndef f(x): return x", utils="import sys\nx = sys.modules")
    assert "sys.modules" in {use.what for use in found.at_import} & {use.what for use in found.in_file}


def test_a_function_that_another_file_replaces_is_not_taken_for_what_stands_there() -> None:
    found = facts(
        knn="import utils\ndef f(x): return x", utils=f"{LOOP}\nimport knn\nknn.f = lambda x: looped(x)"
    )
    assert "comprehension" in {loop.what for loop in found.loops}


def test_a_method_that_another_file_replaces_is_not_taken_for_what_stands_there() -> None:
    found = facts(
        "Net.f",
        knn="import utils\nclass Net:\n    def f(self, x): return x",
        utils=f"{LOOP}\nimport knn\nknn.Net.f = lambda self, x: looped(x)",
    )
    assert "comprehension" in {loop.what for loop in found.loops}


def test_files_that_are_not_imported_do_not_count() -> None:
    assert facts(knn="def f(x): return x", utils=LOOP).loops == ()


def test_modules_of_the_assignment_are_judged_by_their_own_tasks_for_what_they_were_given_to_define() -> None:
    files = {"knn.py": b"from layers import looped, own\ndef f(x): return looped(x)\ndef g(x): return own(x)"}
    files["layers.py"] = (LOOP + "def own(x):\n    return [a for a in x]\n").encode()
    read = python_files.read(files, ["knn", "layers"], ())
    given = links.released_names(["knn", "layers"], {"layers": "def looped(x): ..."})
    assert read.facts("knn", given).function("f").loops == ()
    assert len(read.facts("knn", given).function("g").loops) == 1
    assert read.facts("knn", links.released_names(["knn", "layers"], {})).function("g").loops == ()


def test_a_circle_of_names_ends() -> None:
    found = facts(knn="from utils import g\ndef f(x): return g(x)", utils="from knn import g\n")
    assert found.loops == ()
