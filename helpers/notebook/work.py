"""A student's files for an assignment: modules, files that they import, weights and the notebook."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from helpers.notebook import document as notebook
from helpers.notebook.document import Document
from helpers.source import symbols
from helpers.submission import completeness, python_files
from helpers.submission.assembly import Assembly, assemble
from helpers.submission.completeness import Reading
from helpers.submission.handout import Handout


@dataclass(frozen=True)
class Work:
    """What there is to hand in.

    Attributes
    ----------
    handout : Handout
        The assignment.
    modules : dict of str to bytes
        File name of each module that is there to its content.
    siblings : dict of str to bytes
        Python files beside the modules that these import.
    weights : dict of str to bytes
        Saved weights.
    document : Document or None
        The notebook.
    reading : Reading
        What it says; empty where there is none.
    """

    handout: Handout
    modules: dict[str, bytes]
    siblings: dict[str, bytes]
    weights: dict[str, bytes]
    document: Document | None
    reading: Reading

    @property
    def files(self) -> dict[str, bytes]:
        """Return name and content of what is packed."""
        own = {} if self.document is None else {f"{self.handout.name}.ipynb": self.document.content}
        return self.modules | self.siblings | self.weights | own

    @cached_property
    def graded(self) -> Assembly:
        """What grading takes of what is packed."""
        return assemble(self.handout, self.files)

    @property
    def missing(self) -> list[str]:
        """Return the files of modules that are not there, and not in the notebook either."""
        return [file for file in _module_files(self.handout) if file not in self.graded.files]

    def is_untouched(self, file: str) -> bool:
        """Tell whether a module is as it was received; line ends do not count."""
        plain = self.modules.get(file, b"").replace(b"\r\n", b"\n")
        return hashlib.sha256(plain).hexdigest() == self.handout.stubs.get(file)

    @property
    def begun(self) -> bool:
        """Whether there is anything beyond what was received: code, an answer, weights."""
        functions = {function.name.partition(".")[0] for function in self.handout.functions}
        reading = self.reading
        return bool(
            any(not self.is_untouched(file) for file in self.modules)
            or self.siblings
            or self.weights
            or (reading.damaged or reading.answered or reading.code or reading.names & functions)
        )

    def text(self, file: str) -> str:
        """Return a module as grading takes it, as text, whatever its bytes."""
        return self.graded.files.get(file, b"").decode("utf-8", "replace")


def gather(found: Handout) -> Work:
    """Read what there is; files that cannot be had are left out."""
    places = {file: found.file(file.removesuffix(".py")) for file in _module_files(found)}
    modules = {file: content for file, place in places.items() if (content := _content([place])) is not None}
    document = notebook.read(found)
    name = f"{found.name}.ipynb"
    reading = Reading() if document is None else completeness.read(found, document.content, name)
    weights = {name: _content([Path.cwd() / name, found.folder / name]) for name in found.weights}
    return Work(
        handout=found,
        modules=modules,
        siblings=_siblings(found, modules),
        weights={name: content for name, content in weights.items() if content is not None},
        document=document,
        reading=reading,
    )


def find_elsewhere(found: Handout) -> list[Path]:
    """Return other copies of the modules that were worked on, and differ from those that are packed.

    A student whose files are kept on Google Drive, say, may have edited the copies beside the course.
    """
    tree = Path(__file__).resolve().parents[2] / "assignments" / found.name
    copies = []
    for file in _module_files(found):
        packed = found.file(file.removesuffix(".py"))
        for place in {found.folder.resolve(), tree, Path.cwd().resolve()}:
            other = _content([place / file])
            if other is not None and (place / file).resolve() != packed.resolve():
                received = hashlib.sha256(other.replace(b"\r\n", b"\n")).hexdigest() == found.stubs.get(file)
                if not received and other != _content([packed]):
                    copies.append(place / file)
    return sorted(copies)


def _module_files(found: Handout) -> list[str]:
    return [f"{module}.py" for module in found.modules]


def _siblings(found: Handout, modules: dict[str, bytes]) -> dict[str, bytes]:
    """Return the Python files beside the modules that these import."""
    files: dict[str, bytes] = {}
    for file, content in modules.items():
        place = found.file(file.removesuffix(".py"))
        # A file with a syntax error may be repaired by the instructor, who needs what it imports.
        named = [
            place.with_name(f"{name}.py")
            for name in symbols.imported_modules(content.decode("utf-8", "replace"))
        ]
        for start in (place, *(other for other in named if other.is_file())):
            with contextlib.suppress(OSError):  # what cannot be read here, the import will tell
                files |= python_files.with_siblings(start)
    return {
        name: content for name, content in sorted(files.items()) if name not in modules and not _is_kit(name)
    }


def _is_kit(name: str) -> bool:
    """Tell whether a path leads to the kit's own package, which a student may have beside the modules."""
    return Path(name).resolve().is_relative_to(Path(__file__).resolve().parents[1])


def _content(places: Iterable[Path]) -> bytes | None:
    """Return the content of the first of these files that can be read."""
    for place in places:
        try:
            return place.read_bytes()
        except OSError:
            continue
    return None
