"""Repair notebooks that were cut or merged badly, from the released notebook, by the ids of cells."""

from __future__ import annotations

import json
import re
from typing import Any

from autograder.intake.notebooks.saved_cells import FILLED
from helpers.submission.cells import cells as readable

_CELL = re.compile(r"\{\s*\"(?:attachments|cell_type|execution_count|id|metadata|outputs|source)\"")
_MARKER = re.compile(rb"(<{7}|\|{7}|={7}|>{7})(?: |\r?\n|$)")
WINDOW = 200_000
PASSES = 4
"""How many times a damaged notebook may be read over, all attempts together."""


_DECODER = json.JSONDecoder(strict=False)


def repair(content: bytes, released: bytes) -> tuple[bytes, str]:
    """Return a notebook that can be read, and a sentence about what was done; empty if nothing was.

    Cells that can still be read are kept. Where the release knows the ids of some of them, the others are
    filled in from there, in its order, so that every question is in its place.
    """
    if readable(content) is not None:
        return content, ""
    found = _once([cell for side in _sides(content) for cell in _salvage(side)])
    if not found:
        return content, ""
    document = _document(released)
    if document is None:
        document = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    cells, filled = _complete(document["cells"], found)
    whole = json.dumps({**document, "cells": cells}, indent=1, ensure_ascii=False) + "\n"
    more = f", {filled} were filled in from the release" if filled else ""
    return whole.encode("utf-8", "replace"), f"was damaged: {len(found)} of its cells could be read{more}."


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


def _salvage(text: str) -> list[dict[str, Any]]:
    """Return every cell that can be read in a damaged notebook."""
    found: list[dict[str, Any]] = []
    place, left = 0, PASSES * len(text)
    while left > 0 and (start := _CELL.search(text, place)) is not None:
        item, end, cost = _decode(text, start.start())
        left -= cost
        place = end if end else start.end()
        if isinstance(item, dict) and "cell_type" in item and "source" in item:
            found.append(item)
    return found


def _decode(text: str, start: int) -> tuple[Any, int, int]:
    """Return what begins at a place in a text, where it ends (0 if it cannot be read), and what that cost.

    A window is tried first: what fails in a whole text costs as much as what stands before it, because the
    error says in which line it is.
    """
    cost = 0
    for size in (WINDOW, len(text)):
        window = text[start : start + size]
        try:
            item, end = _DECODER.raw_decode(window)
        except json.JSONDecodeError as error:
            cost += len(window) // 16 + error.pos + 1
            is_cut = start + size < len(text) and (error.pos > size - 100 or "Unterminated" in error.msg)
            if not is_cut:
                break
        except (ValueError, RecursionError):
            return None, 0, cost + len(window)
        else:
            return item, start + end, cost
    return None, 0, cost


def _once(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each cell once; of several with one id, the one with the longest source."""
    by_id: dict[str, dict[str, Any]] = {}
    for number, item in enumerate(found):
        key = str(item.get("id") or f"#{number}")
        if key not in by_id or len(str(item["source"])) > len(str(by_id[key]["source"])):
            by_id[key] = item
    return list(by_id.values())


def _document(released: bytes) -> dict[str, Any] | None:
    if readable(released) is None:
        return None
    document: dict[str, Any] = json.loads(released.decode("utf-8-sig"))
    return document


def _complete(
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
        cells += [own.get(id) or _mark_filled(cell), *following.get(id, [])]
    return cells, len(known - own.keys())


def _mark_filled(cell: dict[str, Any]) -> dict[str, Any]:
    """Return a cell of the release, marked as none of the student's: nobody left it as it is."""
    metadata = cell.get("metadata")
    return {**cell, "metadata": {**(metadata if isinstance(metadata, dict) else {}), FILLED: True}}
