"""The outline of Python source: its statements at the left margin, found without parsing it.

Student files are parsed by confined processes only: Python's own parser recurses, and has crashed on hostile
input before. What intake and `submit.build` have to know, which functions a file defines and whether they are
still those of the stub, is read off by one linear pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Kind = Literal["definition", "import", "assignment", "conditional", "other"]

_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)"
    r"|(?P<string>\"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\\?\Z)|'''(?:\\.|[^\\])*?(?:'''|\\?\Z)"
    r"|\"(?:\\.|[^\\\"\n])*\"?|'(?:\\.|[^\\'\n])*'?)"
    r"|(?P<bracket>[()\[\]{}])|(?P<joined>\\\n)|(?P<newline>\n)",
    re.DOTALL,
)
_DEFINITION = re.compile(r"(?:async\s+def|def|class)\s+(\w+)")
_CONDITIONAL = re.compile(r"(?:if|try|with)\b")
_ON_ONE_LINE = re.compile(r"^(\w[^\n]*?:)[ \t]+(?=\S)", re.MULTILINE)
_ASSIGNMENT = re.compile(r"(\w+(?:\s*,\s*\w+)*)\s*(?::[^=\n]+)?=(?!=)")
_CONTINUATION = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")
_FORMATTED = re.compile(r"(?<!\w)(?:[rR]?[fF]|[fF][rR])$")
_LOOKED_UP = re.compile(r"(?<=: )(?!\d)\w+|(?<![\w.])(?!\d)\w+\b(?!\s*=(?!=))")
# Without bounds, hostile text would have these read one line again and again.
_TARGETS = r"[(\[]{0,9}[^\W\d]\w*(?:[ \t]*,[ \t]*[(\[*]{0,9}[^\W\d]\w*[)\]]{0,9}){0,50}"
_BOUND = re.compile(
    rf"^[ \t]+(?P<assigned>{_TARGETS})[ \t]*(?::[^=\n]+)?=(?!=)|\bfor[ \t]+(?P<looped>{_TARGETS})[ \t]+in\b"
    r"|\b(?:as|class)[ \t]+(?P<named>\w+)"
    r"|\bdef[ \t]+(?P<function>\w+)"
    r"(?:[ \t]*\((?P<parameters>[^()]{0,5000}(?:\([^()]{0,500}\)[^()]{0,5000}){0,50}))?"
    r"|^[ \t]+(?:from[ \t]+[\w.]+[ \t]+)?import[ \t]+(?P<imported>[^\n]+)",
    re.MULTILINE,
)
_PARAMETER = re.compile(r"(?:^|,)\s*\**\s*(\w+)")
_METHOD = re.compile(r"^(?=[ \t]+(?:async\s+)?def\s)", re.MULTILINE)
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class Block:
    """A statement at the left margin, with all that belongs to it.

    Attributes
    ----------
    kind : Kind
        Decorators belong to the definition that they decorate. A conditional may or may not bind its names:
        ``if``, ``try`` and ``with``.
    names : tuple of str
        What it binds.
    text : str
        The statement as it stands, with the line feed at its end.
    """

    kind: Kind
    names: tuple[str, ...]
    text: str

    @cached_property
    def bare(self) -> str:
        """The text without comments, docstrings and white space, to compare it."""
        parts, place = [], 0
        for found in _TOKEN.finditer(self.text):
            before = self.text[place : found.start()]
            parts.append(before)
            is_docstring = found.lastgroup == "string" and _stands_alone(self.text, found)
            if found.lastgroup != "comment" and not is_docstring:
                parts.append(found[0])
            place = found.end()
        return re.sub(r"\s+", "", "".join([*parts, self.text[place:]]))

    @cached_property
    def uses(self) -> frozenset[str]:
        """Names that it looks up in its module, as far as can be told: a function has names of its own."""
        return frozenset().union(*(_global_names(part, self.kind == "definition") for part in self._parts))

    @cached_property
    def uses_at_once(self) -> frozenset[str]:
        """Names that it looks up as it runs itself: a function does as it is called."""
        if self.kind != "definition":
            return self.uses
        if re.search(r"^class\b", self.text, re.MULTILINE):
            return _global_names(self._parts[0], False)
        decorators = re.split(r"^(?:async\s|def\s)", self.text, maxsplit=1, flags=re.MULTILINE)[0]
        return _global_names(decorators, False)

    @cached_property
    def _parts(self) -> list[str]:
        """The code, methods of a class apart, since each has names of its own."""
        code = _TOKEN.sub(_without_text, self.text)
        is_class = self.kind == "definition" and re.search(r"^class\b", code, re.MULTILINE)
        return _METHOD.split(code) if is_class else [code]


def blocks(source: str) -> list[Block]:
    """Return the statements at the left margin of a source, in order, without comments between."""
    text = source.replace("\r\n", "\n").replace("\r", "\n")
    pieces: list[list[str]] = []
    decorated = False  # what follows belongs to the decorators
    for piece in _pieces(text):
        if pieces and (decorated or _CONTINUATION.match(piece)):
            pieces[-1].append(piece)
        else:
            pieces.append([piece])
        decorated = piece.startswith("@")
    return [_block(one) for one in pieces]


def is_blank(source: str) -> bool:
    """Tell whether a source holds nothing but comments, strings and white space."""
    return all(not block.bare for block in blocks(source))


def _pieces(text: str) -> Iterator[str]:
    """Yield the text from one statement at the left margin to the next."""
    starts = [
        start for start in _line_starts(text) if text[start : start + 1] not in ("", " ", "\t", "\n", "#")
    ]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        yield text[start:end]


def _line_starts(text: str) -> Iterator[int]:
    """Yield the starts of lines that are not inside a string, a bracket or a joined line."""
    yield 0
    depth = 0
    for found in _TOKEN.finditer(text):
        if found["bracket"]:
            depth = max(0, depth + (1 if found[0] in "([{" else -1))
        elif found["newline"] and depth == 0:
            yield found.end()


def _global_names(code: str, has_own: bool) -> frozenset[str]:
    """Return the names that code looks up outside of itself.

    Parameters
    ----------
    has_own : bool
        Whether names that it binds are its own, as those of a function are.
    """
    found = frozenset(_LOOKED_UP.findall(code))
    if not has_own:
        return found
    own = _names_inside(code)
    for match in _BOUND.finditer(code):
        own.update(_PARAMETER.findall(match["parameters"] or ""))
        own.update(_NAME.findall(match["imported"] or ""))  # what comes before `as` is looked up elsewhere
    declared = re.findall(r"\bglobal\s+([^\n]+)", code)
    return found - own | frozenset(name for names in declared for name in _NAME.findall(names))


def _names_inside(code: str) -> set[str]:
    """Return the names that the lines of a compound statement bind."""
    bound: set[str] = set()
    for match in _BOUND.finditer(code):
        for group in ("assigned", "looped", "named", "function"):
            bound.update(_NAME.findall(match[group] or ""))
        bound.update(_imported_names(f"import {match['imported'] or ''}"))
    return bound


def _without_text(found: re.Match[str]) -> str:
    """Return a token as code; of a formatted string, the names in it are code as well."""
    if found["string"]:
        before = found.string[max(0, found.start() - 3) : found.start()]
        return found[0] if _FORMATTED.search(before) else " "
    return " " if found["comment"] else found[0]


def _stands_alone(text: str, found: re.Match[str]) -> bool:
    """Tell whether a string is a statement by itself, like a docstring."""
    before = text.rfind("\n", 0, found.start())
    after = text.find("\n", found.end())
    return (
        not text[before + 1 : found.start()].strip()
        and not text[found.end() : after if after >= 0 else len(text)].strip()
    )


def _block(pieces: list[str]) -> Block:
    """Return the block of a statement, from its decorators and its parts."""
    first = next((piece for piece in pieces if not piece.startswith("@")), "")
    text = "".join(pieces)
    kind, names = _kind(first)
    if kind == "conditional":
        code = _ON_ONE_LINE.sub(r"\1\n    ", _TOKEN.sub(_without_text, text))
        names = tuple(sorted(_names_inside(code)))
    return Block(kind, names, text)


def _kind(piece: str) -> tuple[Kind, tuple[str, ...]]:
    if definition := _DEFINITION.match(piece):
        return "definition", (definition[1],)
    if re.match(r"(?:import|from)\b", piece):
        return "import", tuple(_imported_names(piece))
    if assignment := _ASSIGNMENT.match(piece):
        return "assignment", tuple(re.split(r"\s*,\s*", assignment[1]))
    if _CONDITIONAL.match(piece):
        return "conditional", ()
    return "other", ()


def _imported_names(piece: str) -> Iterator[str]:
    """Yield the names that an import binds; ``*`` for all of a module."""
    plain = re.sub(r"#[^\n]*|[()\\]", " ", piece)
    listed = re.sub(r"^\s*from\b.*?\bimport\b|^\s*import\b", "", plain, flags=re.DOTALL)
    for part in listed.split(","):
        words = part.split()
        if words:
            yield words[-1] if "as" in words[1:-1] else words[0].partition(".")[0]
