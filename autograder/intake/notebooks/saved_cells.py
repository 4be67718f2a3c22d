"""Cells of a notebook that others control: read leniently, also where the file is cut or damaged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from autograder.graded.answers import checksum

FILLED = "coursegrad_filled_in"
"""Key in the metadata of a cell that a damaged notebook lacked, and that was filled in from the release."""
MAX_CELLS = 5_000
_FAILURES = 50
"""How often a damaged notebook is searched for its next cell; each search may read all of it."""
_CELL = re.compile(r'\{\s*"(?:cell_type|id|metadata|attachments|execution_count|source)"\s*:')
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class SavedCell:
    """A cell, of whose content nothing is believed.

    Attributes
    ----------
    kind : str
        ``"markdown"``, ``"code"`` or whatever the notebook says.
    ids : frozenset of str
        Its id, and the one that Colab keeps in the metadata.
    grade_id : str
        Of nbgrader's metadata; empty if there is none.
    source : str
        Its text, with line feeds at the ends of lines.
    attachments : dict
        File name to MIME type to Base64.
    outputs : tuple of dict
        MIME type to content, of what a code cell showed.
    is_untouched : bool
        Whether nbgrader's checksum says that it is as some release had it.
    is_lost : bool
        Whether a damaged notebook lacked it, so that the release stands in its place.
    """

    kind: str
    ids: frozenset[str]
    grade_id: str
    source: str
    attachments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    outputs: tuple[Mapping[str, str], ...] = ()
    is_untouched: bool = False
    is_lost: bool = False


@dataclass(frozen=True)
class SavedNotebook:
    """What could be read of a notebook.

    Attributes
    ----------
    cells : tuple of SavedCell
        In order.
    problem : str
        What is wrong with the file, as a sentence; empty if nothing is.
    """

    cells: tuple[SavedCell, ...]
    problem: str = ""


def read(content: bytes) -> SavedNotebook:
    """Return the cells of a notebook, as many as the file still holds."""
    text = _text(content)
    if not text.strip():
        return SavedNotebook((), "The notebook is empty.")
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        found = tuple(_cell(one) for one in islice(_salvage(text), MAX_CELLS))
        count = "1 cell" if len(found) == 1 else f"{len(found)} cells"
        return SavedNotebook(found, f"The notebook is damaged; {count} of it could be read.")
    cells = [one for one in _as_list(plain) if isinstance(one, dict)]
    if not cells:
        return SavedNotebook((), "The notebook has no cells.")
    more = (
        f"Only the first {MAX_CELLS} of its {len(cells)} cells were read." if len(cells) > MAX_CELLS else ""
    )
    return SavedNotebook(tuple(_cell(one) for one in cells[:MAX_CELLS]), more)


def _text(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


def _as_list(plain: object) -> list[Any]:
    """Return the list of cells, of format 4 or of format 3, whose cells lie in worksheets."""
    if not isinstance(plain, dict):
        return []
    cells = plain.get("cells")
    if isinstance(cells, list):
        return cells
    sheets = plain.get("worksheets")
    listed = [_table(sheet).get("cells") for sheet in sheets] if isinstance(sheets, list) else []
    return [cell for one in listed if isinstance(one, list) for cell in one]


def _salvage(text: str) -> Iterator[dict[str, Any]]:
    """Yield the objects in a damaged notebook that are cells."""
    decoder = json.JSONDecoder()
    position = failures = 0
    while failures < _FAILURES and (match := _CELL.search(text, position)):
        try:
            found, position = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            failures += 1
            position = match.start() + 1
            continue
        if isinstance(found, dict) and "cell_type" in found and ("source" in found or "input" in found):
            yield found


def _cell(plain: Mapping[str, Any]) -> SavedCell:
    metadata = _table(plain.get("metadata"))
    attachments = _table(plain.get("attachments"))
    outputs = plain.get("outputs")
    ids = (plain.get("id"), metadata.get("id"))
    kind, source = (
        join_source(plain.get("cell_type")),
        _lines(join_source(plain.get("source", plain.get("input")))),
    )
    return SavedCell(
        kind=kind,
        ids=frozenset(one for one in ids if isinstance(one, str) and one),
        grade_id=join_source(_table(metadata.get("nbgrader")).get("grade_id")),
        source=source,
        attachments={join_source(name): _bundle(bundle) for name, bundle in islice(attachments.items(), 100)},
        outputs=tuple(map(_output, outputs[:100])) if isinstance(outputs, list) else (),
        is_untouched=_is_untouched(source, kind, _table(metadata.get("nbgrader"))),
        is_lost=metadata.get(FILLED) is True,
    )


def _is_untouched(source: str, kind: str, meta: Mapping[str, Any]) -> bool:
    try:
        return bool(meta["checksum"] == checksum(source, kind, meta))
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def _output(plain: object) -> dict[str, str]:
    """Return what a code cell showed: a bundle of data, printed text, or the name of an error."""
    table = _table(plain)
    if isinstance(table.get("data"), dict):
        return _bundle(table["data"])
    if table.get("output_type") == "error":
        return {"text/plain": f"{join_source(table.get('ename'))}: {join_source(table.get('evalue'))}"}
    return {"text/plain": join_source(table.get("text"))}


def _bundle(plain: object) -> dict[str, str]:
    return {join_source(kind): join_source(content) for kind, content in islice(_table(plain).items(), 20)}


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def join_source(value: object) -> str:
    """Return text that a notebook may hold as a list of lines; empty if it is no text."""
    if isinstance(value, list):
        value = "".join(line for line in value if isinstance(line, str))
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
