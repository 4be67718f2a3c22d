"""Assemble the modules of a hand-in as grading does: from files, and from code in notebook cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from helpers.source import decoding, outline, signatures
from helpers.submission import cells, modules
from helpers.submission.cells import Cell
from helpers.submission.handout import Handout
from helpers.submission.modules import Module
from helpers.wording import enumerate_words

_NAMED = 4
"""Functions that are named; of more, the number is told."""


@dataclass(frozen=True)
class Assembly:
    """Files as grading reads them.

    Attributes
    ----------
    files : dict of str to bytes
        Those of the hand-in, and the modules with what they get from the notebook.
    notes : dict of str to str
        File of each module that is not as it was handed in to a sentence that says so.
    """

    files: dict[str, bytes]
    notes: dict[str, str]


def assemble(found: Handout, files: Mapping[str, bytes]) -> Assembly:
    """Put a hand-in together as grading does.

    Parameters
    ----------
    files : mapping of str to bytes
        Name to content: modules, files beside them, and the notebook as ``<assignment>.ipynb``.
    """
    notebook = f"{found.name}.ipynb"
    taken = Assembly(dict(files), {})
    released = frozenset(cell.digest for cell in found.cells)
    for file, stub in found.released.items():
        module, content = Module.by(file, stub), files.get(file, b"")
        own, origin, text = cells.cells(files.get(notebook, b"")) or [], notebook, _text(content, file)
        inside = cells.cells(content) if cells.looks_like_one(content) else cells.read_export(text)
        if inside:
            own, origin, text = inside, file, ""
        text, given = _assemble_module(module, text, own, released)
        if text and module.changed_names(outline.blocks(text)):
            taken.files[file] = text.encode()
            taken.notes[file] = _sentence(module, given, origin, is_script=bool(_text(content, file)))
    return taken


def _assemble_module(
    module: Module, text: str, own: list[Cell], released: frozenset[str]
) -> tuple[str, frozenset[str]]:
    blocks = outline.blocks(text)
    if module.is_stub(blocks):
        return modules.from_notebook(module, text, own, released)
    if module.defines(blocks):
        return modules.complete(module, text, own, released)
    return modules.from_notebook(module, "", own, released)


def _text(content: bytes, file: str) -> str:
    """Return the text of a module; empty where it is none."""
    if cells.looks_like_one(content) or signatures.kind(content) is not None:
        return ""
    try:
        return decoding.decode(content, file)
    except SyntaxError:
        return ""


def _sentence(module: Module, given: frozenset[str], origin: str, *, is_script: bool) -> str:
    if origin == module.file and is_script:
        return f"{module.file} holds a whole notebook: its functions and classes are checked, and graded."
    if origin == module.file:
        return f"{module.file} is a notebook, not Python: the code in its cells is checked here, and graded."
    if not given:
        return f"{module.file} comes from the cell of {origin} that writes it, here and when it is graded."
    what = enumerate_words(sorted(given)) if len(given) <= _NAMED else f"{len(given)} functions and classes"
    verb = "comes" if len(given) == 1 else "come"
    return f"{what} of {module.file} {verb} from the cells of {origin}, here and when your work is graded."
