"""Repair notebooks that were cut or merged badly, from the released notebook, by the ids of cells."""

from __future__ import annotations

import json
import re
from typing import Any

from autograder.intake import notebooks
from autograder.intake.cells import FILLED

_CELL = re.compile(r"\{\s*\"(?:attachments|cell_type|execution_count|id|metadata|outputs|source)\"")
_MARKER = re.compile(rb"(<{7}|\|{7}|={7}|>{7})(?: |\r?\n|$)")
PASSES = 20
"""How many times a damaged notebook may be read over, all attempts together."""


def repaired(content: bytes, released: bytes) -> tuple[bytes, str]:
    """Return a notebook that can be read, and a sentence about what was done; empty if nothing was.

    Cells that can still be read are kept. Where the release knows the ids of some of them, the others are
    filled in from there, in its order, so that every question is in its place.
    """
    if notebooks.cells(content) is not None:
        return content, ""
    found = _once([cell for side in _sides(content) for cell in _salvaged(side)])
    if not found:
        return content, ""
    document = _document(released)
    if document is None:
        document = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    cells, filled = _completed(document["cells"], found)
    whole = json.dumps({**document, "cells": cells}, indent=1, ensure_ascii=False) + "\n"
    more = f", {filled} were filled in from the release" if filled else ""
    return whole.encode(), f"was damaged: {len(found)} of its cells could be read{more}."


def _sides(content: bytes) -> list[str]:
    """Return a file as it was before a merge that left conflicts in it: ours, and theirs."""
    sides: tuple[list[bytes], list[bytes]] = ([], [])
    section = b""
    for row in content.splitlines(keepends=True):
        marker = _MARKER.match(row)
        if marker:
            section = b"" if marker[1][:1] == b">" else marker[1][:1]
            continue
        if section in (b"", b"<"):
            sides[0].append(row)
        if section in (b"", b"="):
            sides[1].append(row)
    texts = [b"".join(side).decode("utf-8", "replace").replace("\0", "") for side in sides]
    return texts if texts[0] != texts[1] else texts[:1]


def _salvaged(text: str) -> list[dict[str, Any]]:
    """Return every cell that can be read in a damaged notebook."""
    decoder = json.JSONDecoder(strict=False)
    found: list[dict[str, Any]] = []
    place, left = 0, PASSES * len(text)
    while left > 0 and (start := _CELL.search(text, place)) is not None:
        try:
            item, place = decoder.raw_decode(text, start.start())
        except json.JSONDecodeError as error:
            left -= max(error.pos - start.start(), 1)
            place = start.end()
        except (ValueError, RecursionError):
            left -= len(text)
            place = start.end()
        else:
            if isinstance(item, dict) and "cell_type" in item and "source" in item:
                found.append(item)
    return found


def _once(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each cell once; of several with one id, the one with the longest source."""
    by_id: dict[str, dict[str, Any]] = {}
    for number, item in enumerate(found):
        key = str(item.get("id") or f"#{number}")
        if key not in by_id or len(str(item["source"])) > len(str(by_id[key]["source"])):
            by_id[key] = item
    return list(by_id.values())


def _document(released: bytes) -> dict[str, Any] | None:
    if notebooks.cells(released) is None:
        return None
    document: dict[str, Any] = json.loads(released.decode("utf-8-sig"))
    return document


def _completed(
    released: list[dict[str, Any]], found: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], int]:
    """Return the cells in the order of the release, those of the student's own after their predecessors."""
    known = {str(cell.get("id")) for cell in released}
    if known.isdisjoint(str(cell.get("id")) for cell in found):
        return found, 0
    own = {str(cell.get("id")): cell for cell in found}
    following: dict[str, list[dict[str, Any]]] = {}
    last = ""
    for cell in found:
        if str(cell.get("id")) in known:
            last = str(cell.get("id"))
        else:
            following.setdefault(last, []).append(cell)
    cells = [*following.get("", [])]
    for cell in released:
        id = str(cell.get("id"))
        cells += [own.get(id) or _filled(cell), *following.get(id, [])]
    return cells, len(known - own.keys())


def _filled(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell of the release, marked as none of the student's: nobody left it as it is."""
    metadata = cell.get("metadata")
    return {**cell, "metadata": {**(metadata if isinstance(metadata, dict) else {}), FILLED: True}}
