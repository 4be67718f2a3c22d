"""The outline of a source is what Python sees at the left margin, found in linear time."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.source import outline

ROOT = Path(__file__).parents[3]
SOURCES = sorted([*(ROOT / "solutions").rglob("*.py"), *(ROOT / "helpers").rglob("*.py")])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_definitions_are_those_that_python_finds(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    nodes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    expected = [node.name for node in ast.parse(text).body if isinstance(node, nodes)]
    blocks = outline.blocks(text)
    assert [block.names[0] for block in blocks if block.kind == "definition"] == expected
    assert len(blocks) == len(ast.parse(text).body)


def test_blocks_hold_what_belongs_to_them() -> None:
    text = (
        '"""Doc."""\nimport os, sys as s\nfrom a.b import (c,\n  d as e)\n\nX: int = 3\n'
        '@wraps\n@x(1)\ndef f(a,\nb):\n    """\ndef g(): in a string\n"""\n    return a  # def h\n'
        "if X:\n    y = 1\nelse:\n    y = 2\nz = (\n1,\n)\nq, w = 1, 2\n"
    )
    found = [(block.kind, block.names) for block in outline.blocks(text)]
    assert found == [
        ("other", ()),
        ("import", ("os", "s")),
        ("import", ("c", "e")),
        ("assignment", ("X",)),
        ("definition", ("f",)),
        ("conditional", ("y",)),
        ("assignment", ("z",)),
        ("assignment", ("q", "w")),
    ]
    assert outline.blocks(text)[4].text.startswith("@wraps\n@x(1)\ndef f")


def test_what_a_conditional_may_bind_in_any_of_its_parts() -> None:
    text = (
        "try:\n    import numpy as np\nexcept ImportError:\n    np = None\n"
        "if np:\n    a, b = 1, 2\nelif 'c = 3': c = 4\nelif 1:\n    def d(x):\n        return x\n"
        "else:\n    from e import f, g as h\n"
        "with open('g') as g:\n    i: int = 4\nfor j in k:\n    l = 5\n"
    )
    assert [set(block.names) for block in outline.blocks(text)] == [
        {"np"},
        {"a", "b", "c", "d", "f", "h"},
        {"g", "i"},
        set(),
    ]


def test_comments_docstrings_and_layout_do_not_matter() -> None:
    one = outline.blocks('def f(a):\n    """Doc."""\n    return a + 1  # more\n')
    other = outline.blocks("def f( a ):\r\n\r\n  return a+1\r\n")
    assert one[0].bare == other[0].bare
    assert outline.blocks("x = 'a'\n")[0].bare != outline.blocks("x = 'b'\n")[0].bare
    assert outline.is_blank('# nothing\n"""Later."""\n')


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="def (x):\n\t'\"#\\@[]{}=class", max_size=200))
def test_any_text_has_an_outline(text: str) -> None:
    blocks = outline.blocks(text)
    assert sum(len(block.text) for block in blocks) <= len(text)
    for block in blocks:
        assert isinstance(block.bare, str)
        assert block.uses >= set()


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        (
            "def f(a, *b, c: Tensor = ZERO, **d) -> int:\n    return a + g(b, key=c).size + d[K]\n",
            "Tensor ZERO g K int",
        ),
        ("def f():\n    loss, (dW, n) = g()\n    for i, j in h(loss):\n        loss += i\n", "g h"),
        ("def f():\n    global COUNT\n    COUNT = n == 2\n    from a import q as r\n    r()\n", "COUNT n a"),
        (
            "class C(Base):\n    s = BIG\n\n    def f(self, x):\n        y\n    def m(self, y):\n        x\n",
            "Base BIG y x",
        ),
        ("total = f(loss=other)\n", "f other"),
    ],
)
def test_names_that_a_statement_looks_up(text: str, uses: str) -> None:
    words = {"def", "return", "class", "for", "in", "global", "from", "import", "as"}
    assert outline.blocks(text)[0].uses - words - {"self"} == set(uses.split())


@pytest.mark.parametrize(
    "part", ["for ", "for,", " a,\n", "def f(", "()", "a=", ": a", "import ", "f'", "(", " ", "a:"]
)
def test_names_of_hostile_text_are_found_in_one_pass(part: str) -> None:
    block = outline.Block("definition", ("f",), "def f(a):\n    " + part * 200_000)
    assert len(block.uses) < 10
    assert len(block.uses_at_once) < 10
