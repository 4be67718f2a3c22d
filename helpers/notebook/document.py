"""The running notebook: its content, its file, and whether the file on disk is up to date."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.notebook import frontend
from helpers.submission import completeness
from helpers.submission.handout import Handout

_SLACK = 2.0
"""Seconds by which a file system's clock may be coarse."""

_DRIVE = Path("/content/drive/MyDrive/Colab Notebooks")
"""Where Colab keeps the copies of notebooks that a student saves in Drive."""

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
    file : Path or None
        Where it was read; None where it comes from the front end.
    unanswered : bool
        Whether the browser was asked for the notebook as it is now, and did not answer.
    guessed : bool
        Whether the front end does not tell which notebook runs, so that it was taken by its name.
    """

    content: bytes
    saved: float | None
    file: Path | None = None
    unanswered: bool = False
    guessed: bool = False


def observe() -> None:
    """Remember from now on when cells ran; nothing happens outside of a notebook."""
    shell = frontend.shell()
    if shell is not None:
        shell.events.register("post_run_cell", _after_cell)


def read(found: Handout) -> Document | None:
    """Return the notebook of an assignment: on Colab from the browser, elsewhere from its file.

    The file is that of the running notebook, whatever its name, if it is one of this assignment; else
    ``<name>.ipynb`` beside it or in the assignment's folder. None if there is no notebook at all.
    """
    colab = frontend.in_colab()
    content = _from_colab() if colab else None
    if content is not None:
        return Document(content, None)
    known = [file for file in _find_running() if file.is_file()]
    file = _file(found, known)
    if file is None:
        return None
    guessed = frontend.shell() is not None and not known and not colab
    return Document(file.read_bytes(), file.stat().st_mtime, file, unanswered=colab, guessed=guessed)


def has_unsaved_changes(document: Document) -> bool:
    """Tell whether a cell other than the running one has run since the notebook was saved.

    Changes to text alone leave no trace here; front ends save those by themselves every few minutes.
    """
    running = _cell_id()
    ends = [moment for cell, moment in _ended.items() if cell != running]
    return document.saved is not None and bool(ends) and max(ends) > document.saved + _SLACK


def _file(found: Handout, running: Sequence[Path]) -> Path | None:
    """Return the file that holds the student's notebook; `running` are those of which the front end tells."""
    named = [place / f"{found.name}.ipynb" for place in (Path.cwd(), found.folder)]
    plain = [file for file in named if file.is_file()]
    known = [file for file in running if _belongs(file, found)]
    if known:
        return known[0]
    copies = _DRIVE.glob("*.ipynb") if frontend.in_colab() and _DRIVE.is_dir() else ()
    saved = [file for file in copies if _belongs(file, found)]
    return max(saved, key=lambda file: file.stat().st_mtime) if saved else next(iter(plain), None)


def _find_running() -> Iterator[Path]:
    """Yield the file of the running notebook, where the front end tells: VS Code, or a Jupyter server."""
    shell = frontend.shell()
    told = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    for path in (told, os.environ.get("JPY_SESSION_NAME") if shell is not None else None):
        if isinstance(path, str) and path.endswith(".ipynb"):
            yield Path(path)


def _belongs(file: Path, found: Handout) -> bool:
    """Tell whether a file is a notebook of this assignment, though its name may be another."""
    return file.name == f"{found.name}.ipynb" or completeness.resembles(found, file.read_bytes())


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
