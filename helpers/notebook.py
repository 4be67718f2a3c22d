"""The notebook that is being worked in: its content, and whether what is on disk is all of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import frontend

_SLACK = 2.0
"""Seconds by which a file system's clock may be coarse."""

_ended: dict[str, float] = {}
"""Id of each cell that ran to the time when it ended; only front ends that name their cells fill it."""


@dataclass(frozen=True)
class Document:
    """A notebook.

    Attributes
    ----------
    content : bytes
        As a file holds it.
    saved : float or None
        When it was saved, in seconds since 1970; None where it comes from the front end as it is now.
    """

    content: bytes
    saved: float | None


def observe() -> None:
    """Remember from now on when cells ran; nothing happens outside of a notebook."""
    shell = frontend.shell()
    if shell is not None:
        shell.events.register("post_run_cell", _after_cell)


def read(file: Path) -> Document | None:
    """Return the notebook: on Colab from the browser, elsewhere from its file; None if there is none."""
    if frontend.in_colab():
        content = _from_colab()
        if content is not None:
            return Document(content, None)
    if not file.is_file():
        return None
    return Document(file.read_bytes(), file.stat().st_mtime)


def unsaved(document: Document) -> bool:
    """Tell whether a cell other than the running one has run since the notebook was saved.

    Changes to text alone leave no trace here; front ends save those by themselves every few minutes.
    """
    running = _cell_id()
    ends = [moment for cell, moment in _ended.items() if cell != running]
    return document.saved is not None and bool(ends) and max(ends) > document.saved + _SLACK


def _after_cell(result: object) -> None:
    cell = _cell_id()
    if cell is not None:
        _ended[cell] = time.time()


def _cell_id() -> str | None:
    """Return the id that the front end gives the running cell, if it tells."""
    parent: dict[str, Any] = getattr(frontend.shell(), "get_parent", dict)() or {}
    cell = parent.get("metadata", {}).get("cellId")
    return cell if isinstance(cell, str) else None


def _from_colab() -> bytes | None:
    """Ask the browser for the notebook as it is now."""
    try:
        message = frontend.colab_part("_message")
        answer = message.blocking_request("get_ipynb", request="", timeout_sec=20)
        return (json.dumps(answer["ipynb"], indent=1, ensure_ascii=False) + "\n").encode()
    except Exception:  # an interface that Colab does not document: without an answer, go on without
        return None
