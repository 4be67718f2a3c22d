"""Cells of a notebook that was handed in, and the code in them that is the student's.

Grading and `submit.build` both read them here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from helpers import outline
from helpers.outline import Block

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


def digest(source: str) -> str:
    """Return the digest of the words of a cell, as ``checks.json`` states it for those of the release."""
    return hashlib.sha256(" ".join(source.split()).encode("utf-8", "replace")).hexdigest()


def code(found: list[Cell], released: Collection[str]) -> list[Block]:
    """Return the statements of the code cells that students wrote; magics and shell commands are left out.

    Parameters
    ----------
    released : collection of str
        The digests of the cells as students received them.
    """
    statements: list[Block] = []
    for cell in found:
        if (
            cell.kind == "code"
            and digest(cell.source) not in released
            and not cell.source.lstrip().startswith("%%")
        ):
            statements += outline.blocks(_MAGIC.sub("", cell.source) + "\n")
    return statements
