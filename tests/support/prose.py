"""What the source of a notebook says: its sentences, numbers, tables and matrices, and its cells of code."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

ROOT = Path(__file__).parents[2]
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CELL_OPTIONS = re.compile(r"^\+\+\+.*$", re.MULTILINE)
WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth")
MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
TYPED = str.maketrans({MINUS: "-", TIMES: "x"})
SLOTS = {"{}": r"(\S+?)", "{...}": r"(\S.{,60}?)"}
FRACTION = re.compile(r"\\t?frac(?:\{(\d+)\}|(\d))(?:\{(\d+)\}|(\d))")

NUMBER = re.compile(r"[0-9½]|\\tfrac")
NO_NUMBERS = re.compile(
    r"^## Task \d+"  # headings
    r"|^\d\. "  # items of a list
    r"|\(\d points, graded by a person\)"
    r"|\{\{\w+\}\}"  # what a release fills in
    r"|float(32|64)|[Ll][12]|[A-Za-z]_\d|\\beta_\d|\\lambda_\d"  # names
    r"|\\sum_i|\^2|\(N, 3, 32, 32\)|\(N, 1, 8, 8\)",  # formulas and shapes, without a value of their own
    re.MULTILINE,
)
"""What has digits and states no number."""


class Prose:
    """A notebook's source.

    Attributes
    ----------
    source : str
        All that stands below its title, as it is written.
    lines : list of str
        The lines that are not code, with minus and times as they are typed: - and x.
    text : str
        The same in one line, words separated by single spaces.
    cells : list of str
        The cells of code.
    """

    def __init__(self, name: str) -> None:
        file = ROOT / "solutions" / name / f"{name}.md"
        self.source = file.read_text(encoding="utf-8").split("\n---\n", 1)[1]
        self.cells: list[str] = CELL.findall(self.source)
        plain = CELL_OPTIONS.sub("", CELL.sub("", self.source)).translate(TYPED)
        self.lines = plain.splitlines()
        self.text = _join(plain)

    def find(self, pattern: str) -> tuple[str, ...]:
        """Return what stands in the slots of a sentence, or a part of one, that is there once.

        A slot ``{}`` stands for a word or a number, and ``{...}`` for a few; all else is literal.
        """
        parts = re.split(r"(\{\}|\{\.\.\.\})", pattern)
        expression = "".join(SLOTS.get(part) or re.escape(part) for part in parts)
        found = list(re.finditer(expression + r"(?!\w)", self.text))  # no number ends at its point
        assert len(found) == 1, f"{len(found)} places say: {pattern}"
        return found[0].groups()

    def says(self, sentence: str) -> bool:
        """Return whether a sentence, or a part of one, is there."""
        return " ".join(sentence.split()) in self.text

    def matrix(self, name: str, place: int = 0) -> list[list[Fraction]]:
        """Return the matrix behind a name and an equals sign in a formula; the first that is so named."""
        pattern = re.escape(name) + r"\s*=\s*(\S*frac\S*)?\s*\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}"
        factor, inner = list(re.finditer(pattern, self.text))[place].groups()
        return [[number(factor or "1") * one for one in row] for row in entries(inner)]

    def row(self, first: str) -> list[str]:
        """Return the other cells of the only row of a table that begins so."""
        (found,) = (line for line in self.lines if line.startswith(f"| {first} |"))
        return [cell.strip() for cell in found.strip("|").split("|")[1:]]

    def cell(self, text: str) -> str:
        """Return the only cell of code that contains a text."""
        (found,) = (cell for cell in self.cells if text in cell)
        return found

    def run(self, *texts: str, until: str = "", **names: Any) -> dict[str, Any]:
        """Run the code cells that contain these texts, and return all names.

        Parameters
        ----------
        until : str
            Where to leave off in each cell, such as ``"plots."``.
        """
        found: dict[str, Any] = {"torch": torch, **names}
        for text in texts:
            cell = self.cell(text)
            exec(cell.partition(until)[0] if until else cell, found)
        return found

    def require(self, sentences: Iterable[str]) -> None:
        """Require that the prose says each of these, and has no number besides."""
        text = _leave_numbers("\n".join(self.lines))
        wanted = [_leave_numbers(one.translate(TYPED)) for one in sentences]
        missing = [one for one in wanted if one not in text]
        assert not missing, "\n".join(["not in the text:", *missing])
        said = {
            place
            for one in wanted
            for found in re.finditer(re.escape(one), text)
            for place in range(found.start(), found.end())
        }
        left = [found.start() for found in NUMBER.finditer(text) if found.start() not in said]
        where = [text[max(0, place - 60) : place + 40] for place in left]
        assert not where, "\n".join(["numbers that no test computes:", *where])


def _leave_numbers(text: str) -> str:
    return _join(NO_NUMBERS.sub(" ", text))


def _join(text: str) -> str:
    return " ".join(text.split())


def entries(inner: str) -> list[list[Fraction]]:
    """Return the entries of a matrix as it stands between ``begin`` and ``end``."""
    return [[number(entry) for entry in row.split("&")] for row in inner.split(r"\\")]


def number(text: str) -> Fraction:
    """Return a number that is written as in prose or in a formula: in digits, as a fraction, or as a word."""
    text = text.translate(TYPED).strip().strip("*$").replace(",", "").replace("⅕", r"\frac15")
    if text.lower() in WORDS:
        return Fraction(WORDS.index(text.lower()))
    found = FRACTION.search(text)
    if not found:
        return Fraction(text)
    above, below = found[1] or found[2], found[3] or found[4]
    return Fraction(int(above), int(below)) * (-1 if text.startswith("-") else 1)


def numbers(text: str) -> list[Fraction]:
    """Return numbers that are separated by commas."""
    return [number(part) for part in text.strip("$ ").split(",")]


def load_reference(name: str) -> ModuleType:
    """Import the reference solution of an assignment, as a module of its own."""
    return load_module(ROOT / "solutions" / name / f"{name}.py")


def load_module(path: Path) -> ModuleType:
    """Import a file as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"loaded {path.parent.name} {path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_number(number: float | Tensor) -> str:
    r"""Write a multiple of 1/2 as formulas do.

    Examples
    --------
    >>> [write_number(number) for number in (2.0, -0.5, 3.5)]
    ['2', '-\\tfrac12', '3\\tfrac12']
    """
    exact = Fraction(float(number))
    sign, whole = "-" if exact < 0 else "", abs(exact) // 1
    assert exact % Fraction(1, 2) == 0, number
    return f"{sign}{whole or ''}\\tfrac12" if exact % 1 else f"{sign}{whole}"


def write_matrix(rows: Tensor) -> str:
    r"""Write a matrix as formulas do.

    Examples
    --------
    >>> write_matrix(torch.tensor([[1.0, -0.5], [0.0, 2.0]]))
    '\\begin{pmatrix} 1 & -\\tfrac12 \\\\ 0 & 2 \\end{pmatrix}'
    """
    lines = " \\\\ ".join(" & ".join(write_number(number) for number in row) for row in rows.tolist())
    return f"\\begin{{pmatrix}} {lines} \\end{{pmatrix}}"


def write_product(left: Tensor, right: Tensor, *added: Tensor) -> str:
    r"""Write a sum of products as formulas do.

    Examples
    --------
    >>> write_product(torch.tensor([1.0, 2.0]), torch.tensor([3.0, -1.0]), torch.tensor(0.5))
    '1 \\cdot 3 + 2 \\cdot (-1) + \\tfrac12'
    """
    terms = [f"{_in_brackets(a)} \\cdot {_in_brackets(b)}" for a, b in zip(left, right, strict=True)]
    return " + ".join([*terms, *map(write_number, added)])


def _in_brackets(number: Tensor) -> str:
    return f"({write_number(number)})" if number < 0 else write_number(number)
