"""Notebooks that students hand in: what code they hold, and what can be saved of damaged ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from autograder.intake import outline
from autograder.intake.outline import Block
from autograder.intake.wanted import Module, definitions

MAX_CELLS = 5_000
_WRITE = re.compile(r"%%(?:writefile|file)[ \t]+(?P<options>(?:-a[ \t]+|--append[ \t]+)?)(?P<path>[^\n]+)\n?")
_MAGIC = re.compile(r"^[ \t]*[%!?].*$|^[^\n#'\"]*\?\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook.

    Attributes
    ----------
    id : str
        As the release gave it; empty where a program dropped it.
    kind : str
        ``"code"``, ``"markdown"`` or ``"raw"``.
    source : str
        What stands in it.
    """

    id: str
    kind: str
    source: str


def looks_like_one(content: bytes) -> bool:
    """Tell whether a file holds a notebook, whatever its name is."""
    return content.lstrip()[:1] == b"{" and b'"cells"' in content and b'"nbformat"' in content


def cells(content: bytes) -> list[Cell] | None:
    """Return the cells of a notebook; None if it is damaged.

    Only what is needed is looked at, so that a notebook of any version and of any program will do.
    """
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    listed = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return None
    return [_cell(item) for item in listed[:MAX_CELLS] if isinstance(item, dict)]


def _cell(item: dict[str, Any]) -> Cell:
    source = item.get("source", "")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source)
    plain = text.replace("\r\n", "\n").encode("utf-8", "replace").decode()  # JSON may hold half characters
    return Cell(str(item.get("id", "")), str(item.get("cell_type", "")), plain)


def written(found: list[Cell], file: str) -> str | None:
    """Return the file that cells with ``%%writefile`` write, if they do."""
    text: str | None = None
    for cell in found:
        match = _WRITE.match(cell.source.lstrip()) if cell.kind == "code" else None
        if match and PurePosixPath(match["path"].strip().strip("'\"")).name == file:
            content = cell.source.lstrip()[match.end() :]
            text = (text or "") + content + "\n" if match["options"] else content + "\n"
    return text


def code(found: list[Cell], released: list[Cell]) -> list[Block]:
    """Return the statements of the code cells that students wrote; magics and shell commands are left out.

    Parameters
    ----------
    released : list of Cell
        The notebook as they received it.
    """
    given = {cell.source.strip() for cell in released}
    statements: list[Block] = []
    for cell in found:
        if (
            cell.kind == "code"
            and cell.source.strip() not in given
            and not cell.source.lstrip().startswith("%%")
        ):
            statements += outline.blocks(_MAGIC.sub("", cell.source) + "\n")
    return statements


def merged(module: Module, base: str, statements: list[Block]) -> tuple[str, frozenset[str]]:
    """Put functions and classes of a notebook into a module that leaves them as they were released.

    With them come what they need of the notebook: imports, other functions, and values at the left margin.

    Parameters
    ----------
    base : str
        The module's source; empty if none was handed in, and then the stub takes its place.

    Returns
    -------
    str, frozenset of str
        The module, and the names that the notebook gave; none of them and an empty text if it gives nothing.
    """
    blocks = outline.blocks(base or module.stub)
    undone = module.names - module.worked_on(blocks)
    given = module.worked_on(statements) & undone
    if not given:
        return "", frozenset()
    taken = _needed(statements, given, module, definitions(blocks).keys() - given)
    replaced = {name for block in taken if block.kind == "definition" for name in block.names}
    kept = [b.text for b in blocks if b.kind != "definition" or replaced.isdisjoint(b.names)]
    parts = [*kept, *(block.text for block in taken)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n", given


def _needed(
    statements: list[Block], names: frozenset[str], module: Module, known: frozenset[str] | set[str]
) -> list[Block]:
    """Return the statements that bind names, and those that bind what these use, in order."""
    chosen: set[int] = set()
    waiting = set(names)
    seen: set[str] = set(known)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        places = list(_binding(statements, name, module))
        for place in places:
            if place not in chosen:
                chosen.add(place)
                waiting |= statements[place].uses - seen
    return [statements[place] for place in sorted(chosen)]


def _binding(statements: list[Block], name: str, module: Module) -> Iterator[int]:
    """Yield where a name is bound; of several definitions, the last, which is the one that counts."""
    own = re.compile(rf"(?:from|import)\s+{re.escape(module.file.removesuffix('.py'))}\b")
    last = None
    for place, block in enumerate(statements):
        if name not in block.names and not (block.kind == "import" and "*" in block.names):
            continue
        if block.kind == "import":
            if not own.match(block.text):
                yield place
        else:
            last = place
    if last is not None:
        yield last
