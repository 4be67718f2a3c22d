"""The Python files of one hand-in, read before any of them runs: their code and their problems.

Notebook, zip and grader all read files here, so that they give one answer to what a file is.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from helpers.source import decoding, imports, links, signatures
from helpers.source.decoding import Source
from helpers.source.facts import ModuleFacts, scan
from helpers.source.imports import Import
from helpers.source.scopes import ConstraintError
from helpers.submission import inert, packages, stand_ins
from helpers.wording import enumerate_words

_NAMED = 5
EMPTY = "the file is empty"
MAX_SIBLINGS = 100
"""Files that are taken along with a module at most."""


@dataclass(frozen=True)
class Part:
    """One file of a hand-in.

    Attributes
    ----------
    path : str
        Below the folder of the modules, such as ``"nets/blocks.py"``.
    source : Source or None
        None if it is not Python.
    code : code object or None
        What runs when it is imported; None if it is not Python.
    error : SyntaxError, ConstraintError or None
        Why it is not, or cannot be read for rules.
    facts : ModuleFacts or None
        What rules about source are judged by; None if it is not Python.
    imports : list of Import
        What it imports.
    loop : int
        The line of the first loop that runs as it is imported; 0 if there is none.
    """

    path: str
    source: Source | None = None
    code: CodeType | None = None
    error: SyntaxError | ConstraintError | None = None
    facts: ModuleFacts | None = None
    imports: list[Import] = field(default_factory=list)
    loop: int = 0

    @property
    def is_package(self) -> bool:
        """Whether the file is that of a package."""
        return imports.is_package(self.path)


@dataclass(frozen=True)
class Handin:
    """What was handed in for the modules of an assignment.

    Attributes
    ----------
    modules : tuple of str
        The modules that were asked for.
    parts : dict of str to Part
        Module to its file: those that were asked for and what they import of the files beside them.
    notes : tuple of str
        Sentences on what is not as in a notebook.
    """

    modules: tuple[str, ...]
    parts: dict[str, Part]
    notes: tuple[str, ...] = ()

    def texts(self, files: Mapping[str, bytes]) -> dict[str, str]:
        """Return the text of each file, for messages, be it Python or not."""
        return {
            part.path: part.source.text if part.source else files[part.path].decode("utf-8", "replace")
            for part in self.parts.values()
        }

    def facts(self, module: str, given: Mapping[str, Container[str]] | None = None) -> ModuleFacts:
        """Return the facts of a module, with those of the files that it imports: see `links.link`."""
        known = {name: part.facts for name, part in self.parts.items() if part.facts is not None}
        return links.link(known, module, given)

    @property
    def code(self) -> dict[str, tuple[str, CodeType]]:
        """Module to its file and what it runs, of all that are Python."""
        return {name: (part.path, part.code) for name, part in self.parts.items() if part.code is not None}

    @property
    def errors(self) -> dict[str, SyntaxError | ConstraintError]:
        """The files that cannot be imported, and why."""
        return {name: part.error for name, part in self.parts.items() if part.error is not None}

    @property
    def problems(self) -> dict[str, SyntaxError | ConstraintError]:
        """The modules that were asked for and are not Python, and why."""
        errors = {name: self.parts[name].error for name in self.modules if name in self.parts}
        return {name: error for name, error in errors.items() if error is not None}


def read(files: Mapping[str, bytes], modules: Sequence[str], allowed: Collection[str] | None) -> Handin:
    """Read the modules of an assignment, and the files beside them that they import.

    Parameters
    ----------
    files : mapping of str to bytes
        Path below the folder of the modules to content; files that are not Python are left alone.
    modules : sequence of str
        The modules that were asked for; those that are missing are left out.
    allowed : collection of str or None
        Import names of the packages that student code may use; None stands for any.
    """
    paths = {
        module: path
        for path in files
        if (module := imports.module_of(path)) is not None
        and not packages.is_package(module, allowed)
        and (module not in modules or path == f"{module}.py")
    }
    parts: dict[str, Part] = {}
    waiting = [module for module in modules if module in paths]
    while waiting:
        module = waiting.pop(0)
        if module in parts:
            continue
        parts[module] = part = _read(paths[module], files[paths[module]], expected=module in modules)
        named = [name for one in part.imports for name in imports.possible_modules(one)]
        waiting += [name for one in named for name in imports.with_packages(one) if name in paths]
    return Handin(tuple(modules), parts, tuple(_notes(parts, allowed)))


def with_siblings(file: Path) -> dict[str, bytes]:
    """Return a module's file and the Python files beside it that it imports, by path below its folder."""
    folder = file.parent
    found: dict[str, bytes] = {}
    waiting = [file.name]
    while waiting and len(found) < MAX_SIBLINGS:
        path = waiting.pop(0)
        if path in found:
            continue
        found[path] = (folder / path).read_bytes()
        for one in _read(path, found[path], expected=False).imports:
            named = [part for name in imports.possible_modules(one) for part in imports.with_packages(name)]
            named = [name for name in named if not packages.is_package(name, None)]
            beside = [name.replace(".", "/") for name in named]
            places = [place for name in beside for place in (f"{name}.py", f"{name}/__init__.py")]
            waiting += [place for place in places if place not in found and (folder / place).is_file()]
    return found


def _read(path: str, content: bytes, *, expected: bool) -> Part:
    """Read one file; the text that is compiled is the text that rules are read from."""
    try:
        _require_text(content, path)
        source = decoding.read(content, path)
        if expected and decoding.is_blank(source.text):
            raise SyntaxError(EMPTY, (path, 1, 1, None))
        code = compile_source(source.text, path)
        found = imports.find(source.tree, imports.package_of(path))
        facts = scan(source.text, imports.package_of(path))
    except (SyntaxError, ConstraintError) as error:
        return Part(path, error=error)
    except (RecursionError, MemoryError):
        deep = SyntaxError("the source is nested too deeply to be read", (path, 1, 1, None))
        return Part(path, error=deep)
    return Part(path, source, code, None, facts, found, imports.first_loop(source.tree))


def _require_text(content: bytes, path: str) -> None:
    kind = signatures.kind(content)
    if kind is not None:
        raise SyntaxError(f"this is {kind}, not a Python file", (path, 1, 1, None))


def compile_source(text: str, path: str) -> CodeType:
    """Compile a text; raises SyntaxError where Python refuses it, for whatever reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return compile(text, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        error.filename = path
        raise
    except (ValueError, OverflowError) as error:
        raise SyntaxError(str(error), (path, 1, 1, None)) from None


def _notes(parts: Mapping[str, Part], allowed: Collection[str] | None) -> Iterator[str]:
    """Say what of the files does nothing, or cannot be had, when work is graded."""
    for part in parts.values():
        if part.source is None:
            continue
        magics = sorted(part.source.magics)
        if magics:
            yield (
                f"{_places(part.path, magics)}: left out, since only notebooks understand "
                f"{'it' if len(magics) == 1 else 'them'}."
            )
        for name, lines in inert.find_uses(part.imports, part.source.tree).items():
            yield f"{_places(part.path, lines)}: {name} does nothing when your work is graded."
        missing = [
            one
            for one in part.imports
            if allowed is not None
            and not one.at_import
            and one.module.partition(".")[0] not in {name.partition(".")[0] for name in parts}
            and not inert.is_inert(one.module)
            and not packages.is_allowed(one.module, allowed)
            and not stand_ins.is_one(one.module)
        ]
        for one in missing[:_NAMED]:
            yield (
                f"{part.path}, line {one.line}: {one.module.partition('.')[0]} cannot be imported when your "
                "work is graded."
            )


def _places(path: str, lines: Sequence[int]) -> str:
    listed = enumerate_words(map(str, lines[:_NAMED])) if len(lines) <= _NAMED else f"{lines[0]} and others"
    return f"{path}, line{'s' if len(lines) > 1 else ''} {listed}"
