"""Notebooks from MyST Markdown: one with the solutions, and the one that students get."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib import resources

import nbformat
from nbformat import NotebookNode

from autograder.errors import ReleaseError
from autograder.graded.answers import ANSWER
from autograder.release import gradecells, markers
from autograder.release.markers import Region
from autograder.release.stripper import stub_line

SET_UP = "# {{set_up}}"
"""What a code cell holds, and nothing else, in whose place the course's set-up cell is put."""

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class NotebookPair:
    """A notebook in both forms, as cells that correspond one to one.

    Attributes
    ----------
    source, release : NotebookNode
        With the solutions, and without.
    lines : tuple of int
        For each cell the line of the MyST file on which it begins, counted from 1.
    """

    source: NotebookNode
    release: NotebookNode
    lines: tuple[int, ...]


def build(text: str, where: str, name: str, values: Mapping[str, str]) -> NotebookPair:
    """Build both forms of a notebook.

    Parameters
    ----------
    text : str
        MyST Markdown.
    where : str
        Its file, for messages.
    name : str
        The assignment, which stubs mention and cell ids derive from.
    values : mapping of str to str
        What stands for ``{{key}}``. Where a value is empty, lines of Markdown cells that ask for it are
        left out: a link that lacks a part leads nowhere.

    Raises
    ------
    ReleaseError
        The text is not MyST, a marker or nbgrader's metadata is malformed, a solution stands in a cell
        that is not marked as one, or a stub does not compile.
    """
    cells = _cells(text, where)
    lines = _lines(text, cells)
    for cell, line in zip(cells, lines, strict=True):
        cell.source = _fill_in(cell, values)
        gradecells.complete(cell, f"{where}:{line}")
    _require_distinct(cells, where, lines)
    kept = [(cell, line) for cell, line in zip(cells, lines, strict=True) if cell.source.strip()]
    source = [cell for cell, _ in kept]
    release = [_release(cell, f"{where}:{line}", name) for cell, line in kept]
    for cell, twin, id in zip(source, release, cell_ids(release, name), strict=True):
        cell["id"] = twin["id"] = id
    return NotebookPair(_document(source), _document(release), tuple(line for _, line in kept))


def dumps(notebook: NotebookNode) -> bytes:
    """Return the file's content, the same for the same notebook on every machine."""
    nbformat.validate(notebook)
    text: str = nbformat.writes(notebook)
    return (text + "\n").encode()


def set_up_cell() -> str:
    """Return the cell that every notebook begins with; release and assignment are placeholders in it."""
    template = resources.files("autograder.release") / "templates" / "set_up.py.txt"
    return template.read_text(encoding="utf-8").rstrip("\n")


def solution(cell: NotebookNode, where: str, line: int) -> tuple[Region, ...]:
    """Return the solution of a cell: its regions, or else, in a cell that students write, all of it."""
    found = markers.regions(cell.source, where, _kind(cell), line=line)
    if not found and gradecells.is_solution(cell):
        lines = tuple(cell.source.split("\n"))
        return (Region(-1, len(lines), "", lines),)
    return found


def cell_ids(cells: Sequence[NotebookNode], name: str) -> list[str]:
    """Derive ids from what students see, so that builds agree and an edit changes one id only."""
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        key = f"{name}\n{cell.cell_type}\n{cell.source}"
        seen[key] += 1
        ids.append(hashlib.sha256(f"{seen[key]}\n{key}".encode()).hexdigest()[:16])
    return ids


def _cells(text: str, where: str) -> list[NotebookNode]:
    """Return the cells of MyST Markdown, with outputs and ids of their own left behind."""
    import jupytext  # slow, and most commands read no Markdown

    try:
        cells: list[NotebookNode] = jupytext.reads(text, fmt="md:myst").cells
    except Exception as error:  # jupytext and the parsers that it calls raise what they like
        said = str(error).partition("\n")[0]
        raise ReleaseError(where, f"not valid MyST Markdown ({said})", "correct it") from None
    for cell in cells:
        cell.pop("id", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return cells


def _lines(text: str, cells: Sequence[NotebookNode]) -> list[int]:
    """Return for each cell the line of the text on which it begins."""
    found, position = [], 0
    for cell in cells:
        match = re.compile(f"^{re.escape(cell.source)}$", re.MULTILINE).search(text, position)
        start, position = match.span() if match else (position, position)
        found.append(text.count("\n", 0, start) + 1)
    return found


def _fill_in(cell: NotebookNode, values: Mapping[str, str]) -> str:
    """Return the source of a cell with what stands for its placeholders."""

    def value(match: re.Match[str]) -> str:
        return values.get(match[1], match[0])

    kept: list[str] = []
    left_out = False
    for line in (set_up_cell() if cell.source == SET_UP else cell.source).split("\n"):
        empty = any(values.get(key) == "" for key in _PLACEHOLDER.findall(line))
        if empty and cell.cell_type == "markdown":
            left_out = True
        elif not (left_out and not line and kept[-1:] == [""]):
            kept.append(_PLACEHOLDER.sub(value, line))
            left_out = False
    return "\n".join(kept)


def _require_distinct(cells: Sequence[NotebookNode], where: str, lines: Sequence[int]) -> None:
    seen: dict[str, int] = {}
    for cell, line in zip(cells, lines, strict=True):
        id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if id in seen:
            remedy = f"rename it, since line {seen[id]} has the same"
            raise ReleaseError(f"{where}:{line}", f"grade_id {id!r} is taken", remedy)
        if id is not None:
            seen[id] = line


def _release(cell: NotebookNode, place: str, name: str) -> NotebookNode:
    """Return a copy of a cell as students get it."""
    where, _, line = place.rpartition(":")
    released = deepcopy(cell)
    found = solution(cell, where, int(line))
    if found and not gradecells.is_solution(cell):
        remedy = 'give the cell metadata such as {"nbgrader": {"solution": true, "grade_id": "answer"}}'
        raise ReleaseError(place, "a solution in a cell that is not marked as one", remedy)
    if found:
        released.source = _without(cell, found, name)
        if cell.cell_type == "code":
            _require_python(cell.source, place, "the cell is not valid Python")
            _require_python(released.source, place, "the stub does not compile")
    gradecells.seal(released)
    return released


def _without(cell: NotebookNode, found: tuple[Region, ...], name: str) -> str:
    stub = stub_line(name, cell.metadata.nbgrader.grade_id) if cell.cell_type == "code" else ANSWER
    if found[0].first < 0:
        return stub
    return markers.replace(cell.source, found, lambda region: stub)


def _require_python(source: str, place: str, found: str) -> None:
    """Refuse code that does not compile, IPython's own commands aside."""
    try:
        compile(_MAGIC.sub(r"\1pass", source), place, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        where, _, line = place.rpartition(":")
        number = int(line) + (getattr(error, "lineno", None) or 1) - 1
        remedy = "indent the markers as the code around them, and keep whole statements between them"
        raise ReleaseError(f"{where}:{number}", f"{found} ({error})", remedy) from None


def _document(cells: list[NotebookNode]) -> NotebookNode:
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return NotebookNode(nbformat=4, nbformat_minor=5, metadata=NotebookNode(metadata), cells=cells)


def _kind(cell: NotebookNode) -> markers.Kind:
    return "code" if cell.cell_type == "code" else "markdown"
