"""What the source of a notebook says: its sentences, tables and matrices, and its cells of code."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).parents[2]
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WORDS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
TYPED = str.maketrans({"\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "x"})
SLOTS = {"{}": r"(\S+?)", "{...}": r"(\S.{,60}?)"}
FRACTION = re.compile(r"\\t?frac(?:\{(\d+)\}|(\d))(?:\{(\d+)\}|(\d))")


class Prose:
    """A notebook's source.

    Attributes
    ----------
    lines : list of str
        The lines that are not code, with minus and times as they are typed: - and x.
    text : str
        The same in one line, words separated by single spaces.
    cells : list of str
        The cells of code.
    """

    def __init__(self, name: str) -> None:
        source = (ROOT / "solutions" / name / f"{name}.md").read_text(encoding="utf-8")
        self.cells = CELL.findall(source)
        self.lines = CELL.sub("", source).translate(TYPED).splitlines()
        self.text = " ".join(" ".join(self.lines).split())

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
