"""Solution regions in text: exactly those of nbgrader's ClearSolutions, and none that it would misread."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from autograder.errors import ReleaseError

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
"""What nbgrader looks for by default; it takes every line that contains one of them for a marker."""

MARKER = "### BEGIN SOLUTION"
FOREIGN = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "BEGIN MARK SCHEME", "END MARK SCHEME", "AUTOTEST")
"""Other regions that nbgrader rewrites, and this kit does not."""

Kind = Literal["code", "markdown"]

_CODE = re.compile(r"[ \t]*#+[ \t]*(BEGIN|END) SOLUTION[ \t]*")
_MARKDOWN = re.compile(
    r"[ \t]*(?:#+[ \t]*(BEGIN|END) SOLUTION|<!--[ \t]*(BEGIN|END) SOLUTION[ \t]*-->)[ \t]*"
)
_NOTE = {"code": re.compile(r"#+(.*)"), "markdown": re.compile(r"^\s*#+(.*)|<!--(.*?)-->")}
_WORD = re.compile(r"[A-Z]+")
_OPENING = ("BEGIN", "END", "START", "STOP", "BEGINSOLUTION", "ENDSOLUTION")


@dataclass(frozen=True)
class Region:
    """A solution between its two markers.

    Attributes
    ----------
    first, last : int
        Lines of the two markers, counted from 0.
    indent : str
        White space before the first marker, which the stub gets too.
    lines : tuple of str
        What stands between the markers.
    """

    first: int
    last: int
    indent: str
    lines: tuple[str, ...]

    @property
    def code(self) -> list[int]:
        """Lines, counted from 0, that hold more than white space and comments."""
        numbered = enumerate(self.lines, self.first + 1)
        return [number for number, line in numbered if line.strip() and not line.lstrip().startswith("#")]


def regions(text: str, where: str, kind: Kind, *, line: int = 1) -> tuple[Region, ...]:
    """Find the solution regions of ``text``.

    Parameters
    ----------
    where : str
        Name of the file, for messages.
    kind : {"code", "markdown"}
        Which marks a comment: in Markdown an HTML comment may hold a marker too.
    line : int
        Line of the file on which the text starts, for messages.

    Raises
    ------
    ReleaseError
        A marker is misspelled, shares its line, is nested, or lacks its other half.
    """
    lines = text.split("\n")
    found: list[Region] = []
    start: int | None = None
    for number, content in enumerate(lines):
        place = f"{where}:{line + number}"
        word = _marker(content, kind, place)
        if word == "BEGIN":
            if start is not None:
                remedy = f"end the one of line {line + start} first"
                raise ReleaseError(place, f"a solution begins inside another: {content.strip()!r}", remedy)
            start = number
        elif word == "END":
            if start is None:
                remedy = f"put {MARKER!r} before the solution, or remove this line"
                raise ReleaseError(place, f"a solution ends but never began: {content.strip()!r}", remedy)
            found.append(Region(start, number, _indent(lines[start]), tuple(lines[start + 1 : number])))
            start = None
    if start is not None:
        remedy = f"put '### {END}' after the solution"
        raise ReleaseError(f"{where}:{line + start}", "a solution begins but never ends", remedy)
    return tuple(found)


def replace(text: str, found: tuple[Region, ...], stub: Callable[[Region], str]) -> str:
    """Return ``text`` with the stub of each region, indented as its first marker, in the region's place."""
    lines = text.split("\n")
    for region in reversed(found):
        stub_lines = [region.indent + line for line in stub(region).split("\n")]
        lines[region.first : region.last + 1] = stub_lines
    return "\n".join(lines)


def is_marker(line: str) -> bool:
    """Tell whether a line of any file is a solution marker."""
    return _MARKDOWN.fullmatch(line) is not None


def _marker(line: str, kind: Kind, place: str) -> str | None:
    """Return ``"BEGIN"`` or ``"END"`` if the line is a marker, and refuse what resembles one."""
    match = (_CODE if kind == "code" else _MARKDOWN).fullmatch(line)
    if match:
        return next(word for word in match.groups() if word)
    remedy = f"write {MARKER!r} or '### {END}' and nothing else on the line, or reword it"
    if BEGIN in line or END in line:
        raise ReleaseError(place, f"a solution marker shares its line: {line.strip()!r}", remedy)
    if any(_resembles(_words(note)) for note in _notes(line, kind)):
        raise ReleaseError(place, f"looks like a solution marker, but is not one: {line.strip()!r}", remedy)
    for foreign in FOREIGN:
        if foreign in line:
            remedy = "hidden tests belong in the suite; remove the line, or reword it"
            raise ReleaseError(place, f"nbgrader would rewrite this line: {line.strip()!r}", remedy)
    return None


def _notes(line: str, kind: Kind) -> list[str]:
    return ["".join(part or "" for part in match.groups()) for match in _NOTE[kind].finditer(line)]


def _words(note: str) -> list[str]:
    return _WORD.findall(note.upper())[:4]


def _resembles(words: list[str]) -> bool:
    """Tell whether the first words of a comment say that a solution begins or ends."""

    def close(word: str, to: tuple[str, ...]) -> bool:
        return bool(get_close_matches(word, to, n=1, cutoff=0.75))

    if not words:
        return False
    if close(words[0], _OPENING[4:]):
        return True
    after = words[1:3]
    opened = close(words[0], _OPENING[:4]) and any(close(word, ("SOLUTION",)) for word in after)
    turned = close(words[0], ("SOLUTION",)) and any(close(word, _OPENING[:4]) for word in after[:1])
    return opened or turned


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
