"""Messages of exceptions that hidden tests tell: those of Python and PyTorch, and nothing that was hidden."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from autograder.engine.messages import shown_message

SOURCE = """
def f(a, b): return a
class Layer:
    def forward(self, x): pass
cache, trian = {}, 0
"""
WORDS = frozenset(re.findall(r"[A-Za-z_]\w*", SOURCE)) | {"nope", "size"}
TOLD = {
    "nope": "name 'nope' is not defined",
    "f(1)": "f() missing 1 required positional argument: 'b'",
    "f(1, 2, 3)": "f() takes 2 positional arguments but 3 were given",
    "f(1, b=2, cache=3)": "f() got an unexpected keyword argument 'cache'",
    "Layer().forward()": "Layer.forward() missing 1 required positional argument: 'x'",
    "cache['trian']": "'trian'",
    "x.nope": "'Tensor' object has no attribute 'nope'",
    "None + x": "unsupported operand type(s) for +: 'NoneType' and 'Tensor'",
    "None[0]": "'NoneType' object is not subscriptable",
    "x @ x": "mat1 and mat2 shapes cannot be multiplied (?x? and ?x?)",
    "x + x.T": "The size of tensor a (?) must match the size of tensor b (?) at non-singleton dimension ?",
    "x.view(5, 5)": "shape '[?, ?]' is invalid for input of size ?",
    "x[:, 7]": "index ? is out of bounds for dimension ? with size ?",
    "x.sum(5)": "Dimension out of range (expected to be in range of [-?, ?], but got ?)",
    "bool(x)": "Boolean value of Tensor with more than one value is ambiguous",
    "x[x]": "tensors used as indices must be long, int, byte or bool tensors",
    "x @ x.double().T": "expected m1 and m2 to have the same dtype, but got: float != double",
    "x.long().sub_(0.5)": "result type Float can't be cast to the desired output type Long",
    "1 / 0": "division by zero",
}


@pytest.mark.parametrize(("code", "told"), TOLD.items(), ids=list(TOLD))
@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_messages_of_python_and_torch_are_told(code: str, told: str) -> None:
    space: dict[str, Any] = {"x": torch.ones(3, 4)}
    exec(SOURCE, space)
    with pytest.raises(Exception) as caught:  # noqa: PT011
        eval(code, space)
    assert shown_message(caught.type.__name__, str(caught.value), WORDS) == told


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ValueError", "the labels are 3, 1, 4"),
        ("NameError", "name 'x31337' is not defined"),
        ("KeyError", "'secret31337'"),
        ("KeyError", "31337"),
        ("TypeError", "f() takes 2 positional arguments but 31337 were given"),
        ("NameError", "name 'nope' is not defined; 31337"),
        ("AttributeError", "'Layer31337' object has no attribute 'x'"),
        ("TypeError", "unsupported operand type(s) for 313: 'int' and 'int'"),
    ],
)
def test_what_student_code_makes_up_is_not_told(name: str, message: str) -> None:
    assert shown_message(name, message, WORDS) == ""


@pytest.mark.parametrize(
    "message",
    [
        "mat1 and mat2 shapes cannot be multiplied (31337x4242 and 31337x7)",
        "shape '[31337, -1]' is invalid for input of size 4242",
        "index 31337 is out of bounds for dimension 4242 with size 7",
    ],
)
def test_numbers_that_could_be_anything_are_masked(message: str) -> None:
    shown = shown_message("RuntimeError", message, frozenset())
    assert shown
    assert not re.search(r"31337|4242|7", shown)
