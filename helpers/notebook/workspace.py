"""The student's working folder: filled from the release, without overwriting the student's work."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from helpers.submission import handout
from helpers.submission.handout import Handout, HandoutError


def folder_beside(released: Handout) -> Path:
    """Return where to work near the current folder.

    That is the current folder if the notebook, a module or the checks are in it already; else a folder in it
    that is named after the assignment.
    """
    here = Path.cwd()
    in_use = [f"{released.name}.ipynb", *_modules(released)]
    if _receipt(here, released) is not None or any((here / name).is_file() for name in in_use):
        return here
    return here / released.name


def fill(folder: Path, released: Handout, *, earlier: Path | None = None) -> list[str]:
    """Bring a folder to the state of a release, but for what the student wrote there.

    The current folder may hold other notebooks as well: unless it has the assignment's checks already, it
    gets nothing but the modules, and the checks stay where the release is.

    Parameters
    ----------
    folder : Path
        The folder; made if it is not there.
    released : Handout
        The assignment as released.
    earlier : Path, optional
        Where the student may have worked before. What was written there is taken over, unless there is
        something else of that name in ``folder`` already.

    Returns
    -------
    list of str
        What the student should know, a sentence each.

    Raises
    ------
    HandoutError
        The folder cannot be written to.
    """
    known = _receipt(folder, released) is not None
    shared = folder == Path.cwd() and not known
    gone = [name for name in _modules(released) if known and not (folder / name).exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _copy(released.folder, folder, released, only=_modules(released) if shared else None)
        said = _take_over(earlier, folder, released) if earlier is not None and earlier != folder else []
        return [*(_back(folder / name) for name in gone if not _is_changed(folder / name, released)), *said]
    except OSError as error:
        reason = error.strerror or type(error).__name__
        remedy = "Open the notebook in a folder of your own."
        raise HandoutError(f"{error.filename or folder} cannot be written ({reason}). {remedy}") from None


def restore(found: Handout) -> list[str]:
    """Write modules that are gone as they were released, never over a file; say so, a sentence each.

    Raises
    ------
    HandoutError
        The folder cannot be written to.
    """
    said = []
    for name in _modules(found):
        file = found.file(name.removesuffix(".py"))
        if file.exists() or name not in found.released:
            continue
        try:
            with file.open("x", encoding="utf-8", newline="") as target:
                target.write(found.released[name])
        except OSError as error:
            reason = f"{file} is missing and cannot be written ({error.strerror or error})"
            raise HandoutError(f"{reason}; open the notebook in a folder of your own.") from None
        said.append(_back(file))
    return said


def _back(file: Path) -> str:
    return f"{file.name} was missing from {file.parent}; it is there again, as you first received it."


def _copy(source: Path, folder: Path, released: Handout, only: list[str] | None) -> None:
    """Copy released files; of what students write only what is missing, or as an earlier release had it."""
    kept = {*_modules(released), *released.weights, f"{released.name}.ipynb"}
    kept = {name for name in kept if (folder / name).exists() and _is_changed(folder / name, released)}
    for file in sorted(source.iterdir()):
        if file.is_file() and file.name not in kept and (only is None or file.name in only):
            shutil.copyfile(file, folder / file.name)


def _take_over(earlier: Path, folder: Path, released: Handout) -> list[str]:
    """Copy what was written in one folder to another that lacks it, and say so."""
    said = []
    for name in (*_modules(released), *released.weights):
        before, now = earlier / name, folder / name
        if not before.is_file() or not _is_changed(before, released):
            continue
        if not now.exists() or not _is_changed(now, released):
            shutil.copy2(before, now)
            said.append(f"{name} was copied from {earlier}, where you worked before.")
        elif before.read_bytes() != now.read_bytes():
            said.append(f"There is another {name} in {earlier}; the one in {folder} is used.")
    return said


def _is_changed(file: Path, released: Handout) -> bool:
    """Tell whether a file is not as it was received, from this release or from that of the folder."""
    receipt = _receipt(file.parent, released)
    stubs = {one.stubs.get(file.name) for one in (released, receipt) if one is not None}
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest() not in stubs


def _receipt(folder: Path, released: Handout) -> Handout | None:
    """Return what a folder's own ``checks.json`` says of the assignment; None if it has none."""
    try:
        found = handout.read(folder)
    except HandoutError:  # damaged, or of a release that is too old to be understood: it will be replaced
        return None
    return found if found is not None and found.name == released.name else None


def _modules(released: Handout) -> list[str]:
    return [f"{module}.py" for module in released.modules]
