"""Stubs compile, say what is missing, keep their docstrings, and equal what nbgrader makes of the module."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import ReleaseError
from autograder.release.stripper import functions, later_line, stub_line, stub_module
from tests.support.oracle import cleared

ROOT = Path(__file__).parents[3]

NAMES = st.sampled_from(["f", "gé", "_h", "__init__", "predict"])
STATEMENTS = st.lists(
    st.sampled_from(
        [
            "x = 1",
            "return x",
            "for i in range(3):\n    x += i",
            "text = '''\n  ### not a marker\n'''",
            "def inner():\n    '''Nested.'''\n    return 2",
            "if x:\n    pass\nelse:\n    y = [1,\n2]",
            "# a comment\nx = {}",
        ]
    ),
    min_size=1,
    max_size=3,
).map("\n".join)


@st.composite
def function(draw: st.DrawFn) -> str:
    lines = [f"{draw(st.sampled_from(['', 'async ']))}def {draw(NAMES)}(self=0, x=0):"]
    indent = draw(st.sampled_from(["    ", "  ", "\t"]))
    body = draw(st.sampled_from(["", '"""Say what it does.\n\nShapes: (N, D)."""\n']))
    body += draw(st.sampled_from(["", "x = 0\n"]))
    for _ in range(draw(st.integers(1, 2))):
        marks = draw(st.sampled_from(["###", "#", "####"]))
        body += f"{marks} BEGIN SOLUTION\n{draw(STATEMENTS)}\n{marks} END SOLUTION\n"
        body += draw(st.sampled_from(["", "z = 3\n", "\n"]))
    return "\n".join(lines) + "\n" + textwrap.indent(body, indent)


@st.composite
def module(draw: st.DrawFn) -> str:
    parts = ['"""A module."""', "import math", "async def g(): ..."]
    for _ in range(draw(st.integers(1, 3))):
        text = draw(function())
        if draw(st.booleans()):
            text = f'class C:\n    """A class."""\n\n    size = 3\n\n{textwrap.indent(text, "    ")}'
        parts.append(text)
    return "\n\n".join(parts)


@given(module())
def test_stubs_of_any_module_are_those_of_nbgrader(text: str) -> None:
    stub = stub_module(text, "m.py", "m")
    starts = ("raise NotImpl", "pass  # here")
    stubs = [line.strip() for line in stub.split("\n") if line.lstrip().startswith(starts)]
    assert stub == cleared(text, "code", stubs)
    compile(stub, "m.py", "exec")
    named = {name for name, _ in functions(ast.parse(stub))}
    for line in stubs:
        assert line in {form for name in named for form in (stub_line("m", name), later_line(name))}


def test_a_function_can_be_written_part_by_part() -> None:
    part = "    ### BEGIN SOLUTION\n    {} = 1\n    ### END SOLUTION\n"
    stub = stub_module(
        f"def f():\n{part.format('x')}    y = 2\n{part.format('y')}    return x, y\n", "m.py", "m"
    )
    assert stub.count("raise NotImplementedError") == 1
    space: dict[str, Any] = {}
    exec(stub.replace('raise NotImplementedError("m: f")', "x = 1"), space)
    assert space["f"]() == (1, 2)


def test_the_stub_of_knn_names_every_function_that_is_to_be_written() -> None:
    path = ROOT / "solutions" / "knn" / "knn.py"
    tree = ast.parse(stub_module(path.read_text(), str(path), "knn"))
    for name, node in functions(tree):
        assert ast.get_docstring(node)
        assert ast.unparse(node.body[-1]) == f"raise NotImplementedError('knn: {name}')"


def test_a_stub_reads_like_this() -> None:
    text = '''
class Table:
    """A table."""

    def add(self, row):
        """Add a row."""
        assert row
        ### BEGIN SOLUTION
        self.rows.append(row)
        ### END SOLUTION

    @property
    def size(self):
        """Count."""
        ### BEGIN SOLUTION
        return len(self.rows)
        ### END SOLUTION

    @size.setter
    def size(self, value):
        ### BEGIN SOLUTION
        raise ValueError
        ### END SOLUTION
'''
    assert (
        stub_module(text, "tables.py", "tables")
        == '''
class Table:
    """A table."""

    def add(self, row):
        """Add a row."""
        assert row
        raise NotImplementedError("tables: Table.add")

    @property
    def size(self):
        """Count."""
        raise NotImplementedError("tables: Table.size")

    @size.setter
    def size(self, value):
        raise NotImplementedError("tables: Table.size")
'''
    )


REFUSED = {
    "no solution region": ("def f():\n    return 1\n", ""),
    "outside every function": ("import torch\n### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n", ":2"),
    "a solution outside": (
        "class C:\n    ### BEGIN SOLUTION\n    def f(self):\n        return 1\n    ### END SOLUTION\n",
        ":2",
    ),
    "continues after the end of f": (
        "def f():\n    ### BEGIN SOLUTION\n    return 1\n\ndef g():\n    return 2\n    ### END SOLUTION\n",
        ":2",
    ),
    "no code between": ("def f():\n    x = 1\n    ### BEGIN SOLUTION\n    # ?\n    ### END SOLUTION\n", ":3"),
    "inside a string": (
        'def f():\n    """A.\n    ### BEGIN SOLUTION\n    more\n    ### END SOLUTION\n    """\n    x = 1\n',
        ":3",
    ),
    "loses its docstring": (
        'def f():\n    ### BEGIN SOLUTION\n    """Text."""\n    return 1\n    ### END SOLUTION\n',
        ":1",
    ),
    "does not compile": (
        "def f():\n    x = 1\n### BEGIN SOLUTION\n    return x\n### END SOLUTION\n    return 2\n",
        ":6",
    ),
    "not valid Python": ("def f(:\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n", ":1"),
    "looks like": ("def f():\n    ### begin solution\n    return 1\n    ### END SOLUTION\n", ":2"),
}


@pytest.mark.parametrize("says", REFUSED)
def test_what_makes_no_stub_is_refused_with_its_line(says: str) -> None:
    text, place = REFUSED[says]
    with pytest.raises(ReleaseError, match=says) as caught:
        stub_module(text, "m.py", "m")
    assert caught.value.where == f"m.py{place}"
    assert "\n" not in str(caught.value)


def test_comments_for_tools_are_not_for_students() -> None:
    solution = "    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
    text = f"def f(\n    n: int = 2,  # noqa: PT028\n):\n{solution}\n\n"
    text += 'f.x = "# noqa"  # type: ignore[attr-defined]  # an attribute\n'
    text += "# ruff: noqa: E501\n# Noise is added here.\n"
    assert stub_module(text, "toy.py", "toy") == (
        'def f(\n    n: int = 2,\n):\n    raise NotImplementedError("toy: f")\n\n\n'
        'f.x = "# noqa"  # an attribute\n\n# Noise is added here.\n'
    )
