"""Student modules that change while a notebook runs: watched, and reloaded from disk.

What a reload does, in full:

- The file is compiled afresh; no ``.pyc`` is used, which two edits within a second would confuse. So are the
  files beside it that it imports.
- It is read as the grader reads it: lines that only notebooks understand are left out
  (`helpers.submission.python_files`).
- All names of the old version go, and the new version's come. If it cannot be loaded, the old version stays
  whole.
- Functions and classes that the notebook, or another module that is followed, imported by name (``from knn
  import predict_labels``, or ``*``) are exchanged for the new ones. Names that are new in the file, and plain
  values, are not: import them again.
- Objects made earlier (``classifier = KnnClassifier(...)``) keep the methods of their time; make them again.
"""

from __future__ import annotations

import hashlib
import importlib
import linecache
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from helpers.notebook import frontend
from helpers.source import links
from helpers.source.facts import ModuleFacts
from helpers.submission import allowances, python_files
from helpers.submission.handout import HandoutError
from helpers.submission.importer import Importer

_DIGEST, _LOADED, _STATE = "__live_digest__", "__live_loaded__", "__live_state__"


@dataclass(frozen=True)
class Version:
    """A module's file as it is on disk, and whether the notebook runs it.

    Attributes
    ----------
    file : Path
        The module's file.
    digest : str
        SHA-256 of its content.
    saved : float
        Time of its last change, in seconds since 1970.
    fresh : bool
        Whether looking at it loaded a version that did not run before.
    error : BaseException or None
        Why this version could not be loaded.
    runs : bool
        Whether any version of the module runs.
    since : float or None
        When that was loaded, if it is known.
    """

    file: Path
    digest: str
    saved: float
    fresh: bool
    error: BaseException | None
    runs: bool
    since: float | None


class NotPython(HandoutError):
    """A file that a cell imports is not Python: one line in a notebook, and the error is its cause."""

    def __init__(self, error: Exception, file: Path) -> None:
        """Say what is wrong with a file, and what to do."""
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        super().__init__(
            f"{file.name}{where}: {describe_error(error).rstrip('.')}. Fix that, save the file, and run this "
            "cell again: the cells below need what it imports."
        )
        self.__cause__ = error


class _ModuleFinder(MetaPathFinder):
    """Finds the followed modules, wherever `sys.path` leads."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}
        self.released: dict[str, str] = {}
        self.beside: dict[Path, Importer] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a followed module."""
        file = self.files.get(name)
        if file is None or not file.is_file():
            return None
        return spec_from_file_location(name, file, loader=_ModuleLoader(name, str(file)))


class _ModuleLoader(SourceFileLoader):
    """Loads a version of a module in place of the one before: all of it or nothing."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the file as it is now."""
        source = self.get_data(self.path)
        linecache.cache.pop(self.path, None)
        names = vars(module)
        read = _read(Path(self.path))
        part = read.parts[Path(self.path).stem]
        if part.source is None:
            raise NotPython(_in_file(part.error, self.path), Path(self.path))
        code = python_files.compile_source(part.source.text, self.path)
        beside = _beside(read, Path(self.path))
        before = dict(names)
        for name in before:
            if not (name.startswith("__") and name.endswith("__")):
                del names[name]
        names["__builtins__"] = beside.builtins
        try:
            with allowances.stay_in_folder():
                exec(code, names)
        except BaseException as error:
            names.clear()
            names.update(before)
            if isinstance(error, SyntaxError) and error in read.errors.values():
                raise NotPython(error, Path(error.filename or self.path)) from error
            raise
        names[_DIGEST], names[_LOADED], names[_STATE] = _digest(source), time.time(), _state(Path(self.path))

    def source_facts(self, module: str) -> ModuleFacts:
        """Return the facts that rules about the module are judged by."""
        given = links.released_names(tuple(_finder.files), _finder.released)
        return _read(Path(self.path)).facts(Path(self.path).stem, given)


_finder = _ModuleFinder()


def follow(files: Mapping[str, Path], released: Mapping[str, str] | None = None) -> None:
    """Load modules of these names from these files from now on.

    Parameters
    ----------
    released : mapping of str to str, optional
        File of each module to its text as released, for rules about source.
    """
    _finder.files.update(files)
    _finder.released.update({name.removesuffix(".py"): text for name, text in (released or {}).items()})
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    importlib.invalidate_caches()


def refresh(name: str) -> Version:
    """Load a followed module if the notebook does not run what is on disk, and tell what runs.

    Raises
    ------
    FileNotFoundError
        If its file is gone.
    """
    seen = look(name)
    error: BaseException | None = None
    fresh = running_digest(name) != seen.digest or vars(sys.modules[name]).get(_STATE) != _state(seen.file)
    if fresh:
        try:
            _load(name)
        except NotPython as problem:
            error = problem.__cause__
        except (Exception, SystemExit) as problem:
            error = problem
    is_fresh = fresh and error is None
    return replace(seen, fresh=is_fresh, error=error, runs=name in sys.modules, since=_load_time(name))


def look(name: str) -> Version:
    """Tell what is on disk and what runs, and load nothing.

    Raises
    ------
    FileNotFoundError
        If the file is gone.
    """
    file = _finder.files[name]
    digest, saved = _digest(file.read_bytes()), file.stat().st_mtime
    return Version(file, digest, saved, False, None, name in sys.modules, _load_time(name))


def running_digest(name: str) -> str | None:
    """Return the SHA-256 of the source that a loaded module ran, or None if that is not known."""
    module = sys.modules.get(name)
    if module is None or getattr(module, "__file__", None) != str(_finder.files.get(name)):
        return None
    return vars(module).get(_DIGEST)


def watch() -> None:
    """Refresh the followed modules before each cell of the notebook; nothing happens outside of one."""
    shell = frontend.shell()
    if shell is not None:
        shell.events.register("pre_run_cell", _before_cell)


def format_time(moment: float) -> str:
    """Return a time of today as ``14:05:09``, another with its date."""
    when = datetime.fromtimestamp(moment)
    today = when.date() == datetime.now().date()
    return f"{when:%H:%M:%S}" if today else f"{when:%Y-%m-%d %H:%M:%S}"


def locate_error(error: BaseException, files: Sequence[Path]) -> tuple[str, int, str] | None:
    """Return file, line and function of the innermost line in one of these files that an exception passed."""
    names = {str(file) for file in files}
    if isinstance(error, SyntaxError) and error.filename in names:
        return str(error.filename), error.lineno or 1, ""
    place, function = None, ""
    frame = error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if code.co_filename in names:
            # A comprehension or lambda is told as the function around it.
            function = function if code.co_name.startswith("<") else code.co_name
            place = (code.co_filename, frame.tb_lineno, function)
        frame = frame.tb_next
    return place


def _load_time(name: str) -> float | None:
    """Return when what runs of a module was loaded, if that is known."""
    return vars(sys.modules[name]).get(_LOADED) if name in sys.modules else None


def _load(name: str) -> None:
    """Import a module, or reload it and exchange what the notebook and other modules imported from it."""
    module = sys.modules.get(name)
    if module is None:
        importlib.import_module(name)
        return
    module = importlib.reload(module)
    others = [sys.modules[other] for other in _finder.files if other in sys.modules and other != name]
    for names in map(vars, (sys.modules["__main__"], *others)):
        for key, value in list(names.items()):
            if isinstance(value, (FunctionType, type)) and value.__module__ == name:
                names[key] = vars(module).get(value.__name__, value)


def _before_cell(info: object) -> None:
    """Refresh what is loaded and has changed; say what happened in a line."""
    for name, file in _finder.files.items():
        if name not in sys.modules or not file.is_file():
            continue
        version = refresh(name)
        if version.fresh:
            frontend.say(f"{file.name}: loaded the version saved at {format_time(version.saved)}.")
        elif version.error is not None:
            frontend.say(explain_load(version))


def explain_load(version: Version) -> str:
    """Say that what is on disk cannot be loaded, and what runs instead."""
    assert version.error is not None
    place = locate_error(version.error, [version.file])
    where = f", line {place[1]}" if place else ""
    old = f"the version loaded at {format_time(version.since)}" if version.since else "an older version"
    return f"{version.file.name}{where}: {describe_error(version.error)}\nUntil you fix that, {old} runs."


def explain_stale(version: Version) -> str:
    """Say that a file on disk is newer than what runs."""
    old = (
        f"the version that it loaded at {format_time(version.since)}" if version.since else "an older version"
    )
    return (
        f"The {version.file.name} on disk, saved at {format_time(version.saved)}, is newer than what runs: "
        f"this notebook still has {old}."
    )


def describe_error(error: BaseException) -> str:
    """Return type and message of an exception, at most 500 characters."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}{': ' if message else ''}{message}"[:500]


def _read(file: Path) -> python_files.Handin:
    """Read a module's file and those beside it that it imports, by the rules of grading."""
    return python_files.read(python_files.with_siblings(file), (file.stem,), None)


def _beside(read: python_files.Handin, file: Path) -> Importer:
    """Return what a module imports the files beside it by; earlier versions of these are forgotten."""
    code: dict[str, tuple[str, CodeType]] = {}
    for name, part in read.parts.items():
        place = str(file.parent / part.path)
        linecache.cache.pop(place, None)
        if part.source is not None and name not in _finder.files:
            code[name] = (place, python_files.compile_source(part.source.text, place))
    if file in _finder.beside:
        _finder.beside[file].remove()
    errors = {name: error for name, error in read.errors.items() if name not in _finder.files}
    _finder.beside[file] = importer = Importer(code, (), None, errors)
    importer.install()
    return importer


def _in_file(error: Exception | None, path: str) -> Exception:
    """Have an error name a file by its whole path, as Python does."""
    if isinstance(error, SyntaxError):
        error.filename = path
    return error or ImportError(path)


def _state(file: Path) -> str:
    """Return the SHA-256 of a module together with the files beside it that it imports."""
    return _digest(repr(sorted(python_files.with_siblings(file).items())).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
