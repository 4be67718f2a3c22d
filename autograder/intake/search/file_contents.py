"""Contents of the files of a hand-in: read once, interpreted once, and within limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from autograder.intake.files.members import Member
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.notebooks import repair
from autograder.intake.search import encodings, file_names, typed
from helpers.source import outline
from helpers.source.outline import Block
from helpers.submission import cells
from helpers.submission.cells import Cell

MAX_BYTES = {"named": 20_000_000, "other": 10_000_000, "notebook": 40_000_000}
"""What is read of a hand-in to find work in it: in files of wanted names, in others, and in notebooks.

Nobody writes as much, and hostile files stay cheap.
"""


@dataclass(frozen=True)
class HandinSource:
    """Python source.

    Attributes
    ----------
    content : bytes
        In UTF-8.
    blocks : list of Block
        Its outline.
    said : str
        A sentence about its encoding, if there is something to say.
    is_notebook : bool
        Whether the file holds a notebook in truth.
    """

    content: bytes
    blocks: list[Block]
    said: str = ""
    is_notebook: bool = False


@dataclass(frozen=True)
class Notebook:
    """A notebook.

    Attributes
    ----------
    content : bytes
        Repaired, if need be.
    cells : list of Cell
        None of them if it is damaged beyond repair.
    said : str
        What was repaired, if something was.
    """

    content: bytes
    cells: list[Cell]
    said: str


class Contents:
    """Read files of one hand-in.

    Parameters
    ----------
    released : bytes
        The notebook as students received it.
    """

    def __init__(self, released: bytes) -> None:
        self._released = released
        self._sources: dict[PurePosixPath, HandinSource | Unreadable] = {}
        self._notebooks: dict[PurePosixPath, Notebook | Unreadable] = {}
        self._left = dict(MAX_BYTES)

    def source(self, member: Member, *, is_named: bool) -> HandinSource:
        """Return the source in a file.

        Parameters
        ----------
        is_named : bool
            Whether it is called as a wanted file is.

        Raises
        ------
        Unreadable
            It cannot be read, or is no text, or more was read of the hand-in than anyone writes.
        """
        if member.path not in self._sources:
            try:
                content = self._bytes(member, "named" if is_named else "other")
                self._sources[member.path] = _source(member, content)
            except Unreadable as error:
                self._sources[member.path] = error
        found = self._sources[member.path]
        if isinstance(found, Unreadable):
            raise found
        return found

    def notebook(self, member: Member) -> Notebook:
        """Return the notebook in a file; raises as `source` does."""
        if member.path not in self._notebooks:
            try:
                self._notebooks[member.path] = self._repair(self._bytes(member, "notebook"))
            except Unreadable as error:
                self._notebooks[member.path] = error
        found = self._notebooks[member.path]
        if isinstance(found, Unreadable):
            raise found
        return found

    def _bytes(self, member: Member, kind: str) -> bytes:
        content = member.read()
        self._left[kind] -= len(content)
        if self._left[kind] < 0:
            raise Unreadable(
                f"{member.shown} was not read: the hand-in is too large; hand in only what you wrote."
            )
        return content

    def _repair(self, content: bytes) -> Notebook:
        sound, said = repair.repair(content, self._released)
        return Notebook(sound, cells.cells(sound) or [], said)


def _source(member: Member, content: bytes) -> HandinSource:
    if cells.looks_like_one(content):
        return HandinSource(content, [], is_notebook=True)
    utf8, said = encodings.as_utf8(member.shown, content)
    if not file_names.normalize(member.name).endswith(".py"):
        utf8 = typed.read_source(member.name, utf8.decode()).encode()
    return HandinSource(utf8, outline.blocks(utf8.decode()), said)
