"""What a module defines, uses and imports is read without running it."""

from __future__ import annotations

import pytest

from helpers.source import symbols

SOURCE = """\
import torch
from collections import Counter as counter

LIMIT = 3
mine = lambda x: x

if LIMIT:
    def inside():
        return LIMIT

try:
    import json
except ImportError:
    json = None


class Plain:
    size = 1

    def predict(self, x):
        return helper(x) + np.sum(x) + torch.tensor(LIMIT)


class Heir(Plain):
    pass


def predict_label(x):
    local = [y for y in x]
    global counted
    counted = len(local)
    return __name__, local
"""


def read(source: str = SOURCE) -> symbols.Symbols:
    found = symbols.read(source)
    assert found is not None
    return found


def test_what_is_defined() -> None:
    assert read().defined == {
        *("torch", "counter", "LIMIT", "mine", "inside", "json"),
        *("Plain", "Plain.size", "Plain.predict", "Heir", "predict_label"),
    }


def test_what_is_used_and_nowhere_defined() -> None:
    assert read().used == {"helper", "np"}


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("predict_labels", True),
        ("mine", False),
        ("inside", False),
        ("Plain.predict", False),
        ("Plain.fit", True),
        ("Heir.fit", False),
        ("Gone.fit", True),
        ("torch.fit", False),
    ],
)
def test_what_is_certainly_not_there(name: str, lacks: bool) -> None:
    assert read().lacks(name) is lacks
    assert not read("from utils import *").lacks(name)


def test_what_was_renamed() -> None:
    assert read().similar("predict_labels", []) == "predict_label"
    assert read().similar("predict_labels", ["predict_label"]) is None
    assert read().similar("Plain.predicts", []) == "Plain.predict"
    assert read().similar("something_else", []) is None


@pytest.mark.parametrize("source", ["def f(:", "x = '\0'", "(" * 3000])
def test_what_is_not_python(source: str) -> None:
    assert symbols.read(source) is None


def test_imports_of_a_file_that_is_not_python() -> None:
    source = "import utils as u, torch\n    from more.parts import x\nimport a.b\nx = 'import y'\ndef f(:"
    assert symbols.imported_modules(source) == {"utils", "torch", "more", "a"}
