"""Content that must not reach students, as runs of words: solutions, hidden tests, constants, the secret."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from autograder.course import Allowance, Course
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.errors import ReleaseError
from autograder.release import handout, markers, notebook

_WORD = re.compile(r"\w+")
_LINE_LETTERS, _LINE_WORDS = 16, 4
"""What a solution of a single line must hold lest it be found by chance."""
_CONSTANT_DIGITS = 5
_SERIES_DIGITS = 8

_START_WORDS = 3
Line = tuple[int, str]
"""Number, counted from 1, and content."""


@dataclass(frozen=True)
class Fingerprint:
    """Words that students must not find in this order.

    Attributes
    ----------
    words : str
        In lower case, with a space before, between and after them.
    kind : str
        What they belong to: ``"a solution"``.
    place : str
        File and line that they are from.
    """

    words: str
    kind: str
    place: str


class Index:
    """Finds fingerprints in a text without trying each of them.

    Parameters
    ----------
    fingerprints : iterable of Fingerprint
        What to look for.
    """

    def __init__(self, fingerprints: Iterable[Fingerprint]) -> None:
        self._by_start: dict[tuple[str, ...], list[Fingerprint]] = {}
        for fingerprint in fingerprints:
            start = tuple(fingerprint.words.split()[:_START_WORDS])
            self._by_start.setdefault(start, []).append(fingerprint)
        self._lengths: dict[str, set[int]] = {}
        for start in self._by_start:
            self._lengths.setdefault(start[0], set()).add(len(start))

    def find_in(self, text: str) -> Iterator[tuple[Fingerprint, int]]:
        """Yield each fingerprint in a text of words (see `normalize_words`), and where it first begins."""
        split = text.split()
        starts = {
            tuple(split[n : n + length])
            for n, word in enumerate(split)
            for length in self._lengths.get(word, ())
        }
        for start in starts & self._by_start.keys():
            for fingerprint in self._by_start[start]:
                position = text.find(fingerprint.words)
                if position >= 0:
                    yield fingerprint, position


def normalize_words(text: str) -> str:
    """Return the words of a text, so that space, punctuation and capitals make no difference."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def course_fingerprints(course: Course) -> tuple[Fingerprint, ...]:
    """Return the fingerprints of every assignment of the course, but for those that it allows.

    Raises
    ------
    ReleaseError
        A solution is malformed, or an allowance allows nothing.
    """
    loaded = [assignments.load(course, name) for name in course.assignments()]
    public = {name for one in loaded for name in _names(_texts(one, "public"))}
    found: dict[str, Fingerprint] = {}
    unused = set(course.release.allow)
    for one in loaded:
        unused |= set(one.allow)
        for fingerprint in _of_assignment(course, one, public):
            allowing = {
                a
                for a in (*course.release.allow, *one.allow)
                if fingerprint.words in normalize_words(a.lines)
            }
            unused -= allowing
            if not allowing:
                found.setdefault(fingerprint.words, fingerprint)
    _require_used(course, unused)
    return tuple(found.values())


def _of_assignment(course: Course, one: Assignment, public: set[str]) -> Iterator[Fingerprint]:
    for module in one.modules:
        path = one.folder / f"{module}.py"
        where, text = handout.relative_path(course, path), handout.read_text(path)
        for region in markers.regions(text, where, "code"):
            yield from _solution(list(enumerate(region.lines, region.first + 2)), where)
    if (one.folder / f"{one.name}.md").exists():
        yield from _answers(course, one)
    for name, text in (*_texts(one, "hidden"), *_shared_texts(one)):
        where = handout.relative_path(course, one.suite / name)
        yield from _tests(text, where, public)
        yield from _constants(ast.parse(text), where)


def _answers(course: Course, one: Assignment) -> Iterator[Fingerprint]:
    """Yield the fingerprints of solutions in the notebook."""
    where = handout.relative_path(course, one.folder / f"{one.name}.md")
    book = handout.read_notebook(course, one)
    for cell, line in zip(book.source.cells, book.lines, strict=True):
        for region in notebook.solution(cell, where, line):
            yield from _solution(list(enumerate(region.lines, line + region.first + 1)), where)


def _solution(lines: list[Line], where: str) -> Iterator[Fingerprint]:
    yield from _runs(lines, where, "a solution", alone=True)
    yield from _runs(_without_comments(lines), where, "a solution", alone=True)


def _tests(text: str, where: str, public: set[str]) -> Iterator[Fingerprint]:
    """Yield the fingerprints of hidden tests: names that no public test has, and runs of their lines."""
    tree = ast.parse(text)
    for name in _names([(where, text)]) - public:
        yield Fingerprint(normalize_words(name), "a hidden test", where)
    skipped: set[int] = set()
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.Import | ast.ImportFrom) or docstring:
            skipped |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if number not in skipped]
    yield from _runs(lines, where, "a hidden test")
    yield from _runs(_without_comments(lines), where, "a hidden test")


def _constants(tree: ast.AST, where: str) -> Iterator[Fingerprint]:
    """Yield numbers, and series of numbers, that are too particular to stand elsewhere by chance."""
    for node in ast.walk(tree):
        numbers = [leaf for leaf in _leaves(node) if _number(leaf)]
        text = normalize_words(" ".join(str(leaf.value) for leaf in numbers))
        digits = len(re.sub(r"[\s_]", "", text))
        series = len(numbers) > 1 and digits >= _SERIES_DIGITS and not _counts(numbers)
        if series or (len(numbers) == 1 and _significant(numbers[0]) >= _CONSTANT_DIGITS):
            yield Fingerprint(text, "a constant of a hidden test", f"{where}:{numbers[0].lineno}")


def _leaves(node: ast.AST) -> list[ast.Constant]:
    """Return the constants of a literal: of the node itself, or of lists in lists."""
    if isinstance(node, ast.Constant):
        return [node]
    if isinstance(node, ast.UnaryOp):
        return _leaves(node.operand)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [leaf for element in node.elts for leaf in _leaves(element)]
    return []


def _number(leaf: ast.Constant) -> bool:
    return isinstance(leaf.value, int | float) and not isinstance(leaf.value, bool)


def _significant(leaf: ast.Constant) -> int:
    """Return how many significant digits a number has."""
    return len(re.sub(r"\D", "", repr(leaf.value).partition("e")[0]).strip("0"))


def _counts(numbers: Sequence[ast.Constant]) -> bool:
    """Tell whether numbers go up in equal steps, as anyone's would."""
    return len({after.value - before.value for before, after in pairwise(numbers)}) == 1  # type: ignore[operator]


def _runs(lines: Iterable[Line], where: str, kind: str, *, alone: bool = False) -> Iterator[Fingerprint]:
    """Yield every two consecutive lines; and a text of a single line if ``alone`` and it says enough.

    A line of one word, such as ``else:``, counts with the next.
    """
    kept: list[tuple[int, str]] = []
    short = ""
    for number, line in lines:
        found = normalize_words(line)
        if not found.strip():
            continue
        short = short[:-1] + found
        if len(found.split()) > 1:
            kept.append((number, short))
            short = ""
    for (number, first), (_, second) in pairwise(kept):
        yield Fingerprint(first + second[1:], kind, f"{where}:{number}")
    if alone and len(kept) == 1:
        number, line = kept[0]
        if len(line.replace(" ", "")) >= _LINE_LETTERS and len(line.split()) >= _LINE_WORDS:
            yield Fingerprint(line, kind, f"{where}:{number}")


def _without_comments(lines: list[Line]) -> list[Line]:
    """Drop comments from lines of Python; from other text, all that follows a number sign."""
    text = "\n".join(line for _, line in lines) + "\n"
    cut = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                cut[token.start[0] - 1] = token.start[1]
    except (tokenize.TokenError, IndentationError):
        cut = {index: line.index("#") for index, (_, line) in enumerate(lines) if "#" in line}
    return [(number, line[: cut.get(index)]) for index, (number, line) in enumerate(lines)]


def _names(texts: Iterable[tuple[str, str]]) -> set[str]:
    """Return the names of the tests in some files."""
    nodes = (node for _, text in texts for node in ast.walk(ast.parse(text)))
    return {
        node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def _texts(one: Assignment, tier: str) -> list[tuple[str, str]]:
    names = [name for name, of in one.tiers.items() if of == tier]
    return [(name, handout.read_text(one.suite / name)) for name in names]


def _shared_texts(one: Assignment) -> list[tuple[str, str]]:
    return [(f"{name}.py", handout.read_text(one.suite / f"{name}.py")) for name in one.shared]


def _require_used(course: Course, unused: set[Allowance]) -> None:
    for allowance in unused:
        shown = " ".join(allowance.lines.split())[:60]
        remedy = "remove it; it is not two consecutive lines of a solution or a hidden test"
        raise ReleaseError("release.allow", f"allows nothing: {shown!r}", remedy)
