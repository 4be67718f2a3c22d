"""Text as Python reads it, and lines that only notebooks understand."""

from __future__ import annotations

import subprocess
import sys

import pytest

from helpers.source import decoding


def text(content: str | bytes) -> str:
    return decoding.read(content if isinstance(content, bytes) else content.encode(), "knn.py").text


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("%matplotlib inline\nx = 1\n", "pass\nx = 1\n"),
        ("def f():\n    !ls\n    return 1\n", "def f():\n    pass\n    return 1\n"),
        ("files = !ls\nt = %timeit -o f()\n", "files = None\nt = None\n"),
        ("knn?\n?knn.fit\n", "pass\npass\n"),
        ("%%writefile knn.py\nx = 1\n", "pass\nx = 1\n"),
        ("x = 5 \\\n% 3\ny = (7\n% 4)\n", None),
        ('"""\n%matplotlib inline\n!ls\n"""\n', None),
        ("x = 1\r\ny = 2\r", "x = 1\ny = 2\n"),
    ],
)
def test_lines_that_only_notebooks_understand_do_nothing(source: str, plain: str | None) -> None:
    assert text(source) == (source if plain is None else plain)


def test_lines_keep_their_numbers() -> None:
    found = decoding.read(b"%a b\n\n!c\nx = 1\n", "knn.py")
    assert (found.magics, found.tree.body[-1].lineno) == ((1, 3), 4)


@pytest.mark.parametrize("line", ["% 3\n", "x = % 3\n", "!\n" * 300, "def f(:\n", "x = 1 !y\n"])
def test_what_is_no_magic_stays_an_error(line: str) -> None:
    with pytest.raises(SyntaxError):
        text(line)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-8", "shift_jis", "koi8-r"])
def test_coding_lines_are_those_of_python(encoding: str) -> None:
    name = {"shift_jis": "日", "koi8-r": "ж"}.get(encoding, "ä")
    source = f"# -*- coding: {encoding} -*-\nX = '{name}'\n"
    assert text(source.encode(encoding)) == source


@pytest.mark.parametrize(
    "encoding", ["utf-7", "unicode_escape", "raw_unicode_escape", "rot13", "base64", "hex", "utf-16"]
)
def test_a_coding_that_hides_code_is_refused(encoding: str) -> None:
    with pytest.raises(SyntaxError, match=r"not one to write programs in|unknown"):
        text(f"# coding: {encoding}\nx = 1\n")


@pytest.mark.parametrize(
    ("content", "says", "line"),
    [
        (b"x = 1\ny = '\xe4'\n", "not utf-8 text", 2),
        (b"\xe4", "not utf-8 text", 1),
        (b"\xff\xfex\0", "UTF-16", 1),
        (b"x = 1\ny = '\0'\n", "null bytes", 2),
        (b"x = 1\n%%bash\nls\n", "%%bash", 2),
        (b'{"cells": [{"cell_type": "code"}], "nbformat": 4}', "this is a notebook", 1),
        (b'{"cells": [{"cell_type": "code", "source"', "this is a notebook", 1),
        (b"(" * 5000, "too many nested|too deeply|never closed", 1),
    ],
)
def test_what_is_no_python_is_named(content: bytes, says: str, line: int) -> None:
    with pytest.raises(SyntaxError, match=says) as caught:
        text(content)
    assert (caught.value.filename, caught.value.lineno) == ("knn.py", line)


def test_another_python_can_be_asked() -> None:
    for content, status in ((b"%matplotlib inline\nx = 1\n", 0), (b"def f(:\n", 1)):
        command = [sys.executable, "-I", "-S", "-B", decoding.__file__]
        assert subprocess.run(command, input=content, check=False).returncode == status
