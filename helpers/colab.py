"""Make a notebook ready to work in, the same way on Google Colab, in Jupyter, in VS Code and headless."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from helpers import frontend, handout, live, notebook
from helpers.handout import Handout
from helpers.wording import enumerated

MOUNT = Path("/content/drive")


def setup(name: str, *, drive: bool = False) -> None:
    """Find the assignment's files, work in their folder, and run what is saved from the next cell on.

    It may be called again at any time, and installs nothing.

    Parameters
    ----------
    name : str
        The assignment, such as ``"knn"``.
    drive : bool
        On Colab, ask for Google Drive and keep the files there, where they outlast the runtime. Files that
        the student has there already are never overwritten. Elsewhere it has no effect.

    Raises
    ------
    HandoutError
        If the assignment's files are not found.
    """
    _provide_imp()
    found = handout.find(name)
    kept = _kept_on_drive(found) if drive and frontend.in_colab() else None
    if kept is not None:
        os.chdir(kept)
        found = handout.find(name)
    elif not all(Path(f"{module}.py").is_file() for module in found.modules):
        os.chdir(found.folder)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    live.follow({module: found.file(module) for module in found.modules})
    live.watch()
    notebook.observe()
    frontend.say(_welcome(found, kept))


def download(file: Path) -> bool:
    """Offer a file to the browser on Colab; return whether it was offered."""
    if not frontend.in_colab():
        return False
    try:
        frontend.colab_part("files").download(str(file))
    except Exception as error:  # other front ends to Colab raise what they like
        frontend.say(f"The download did not start ({error}); find the file in the panel on the left.")
        return False
    return True


def _provide_imp() -> None:
    """Let ``%load_ext autoreload`` work where IPython 7 meets a Python that has no module `imp` any more."""
    ipython = sys.modules.get("IPython")
    if sys.version_info >= (3, 12) and "imp" not in sys.modules and ipython is not None:
        major = str(getattr(ipython, "__version__", "")).partition(".")[0]
        if major.isdecimal() and int(major) < 8:
            stand_in = ModuleType("imp", "What IPython 7 needs of a module that Python 3.12 dropped.")
            stand_in.reload = importlib.reload  # type: ignore[attr-defined]
            sys.modules["imp"] = stand_in


def _kept_on_drive(found: Handout) -> Path | None:
    """Mount Drive and copy there what it lacks; return the folder, or None if Drive is not to be had."""
    try:
        frontend.colab_part("drive").mount(str(MOUNT))
        home = MOUNT / "MyDrive" / _course_folder(found) / found.name
        if home != found.folder:
            _copy_missing(found, home)
    except Exception as error:  # declined, not available here, or full: each front end says it differently
        reason = str(error).partition("\n")[0] or type(error).__name__
        frontend.say(f"Google Drive is not used ({reason}). What you write is lost when this runtime ends.")
        return None
    return home


def _course_folder(found: Handout) -> str:
    """Return the name of the student tree, or of the assignment's folder where it stands alone."""
    parent = found.folder.parent
    return parent.parent.name if parent.name == "assignments" else parent.name


def _copy_missing(found: Handout, home: Path) -> None:
    """Copy the released files; of what the student writes only what is not there yet."""
    home.mkdir(parents=True, exist_ok=True)
    written = {f"{module}.py" for module in found.modules} | {f"{found.name}.ipynb"}
    for source in sorted(found.folder.iterdir()):
        target = home / source.name
        if source.is_file() and not (source.name in written and target.exists()):
            shutil.copyfile(source, target)


def _welcome(found: Handout, kept: Path | None) -> str:
    names = enumerated(f"{module}.py" for module in found.modules)
    lines = [f"{found.title}: edit {names} in {Path.cwd()}, save, and the next cell runs what you saved."]
    if kept is not None:
        lines.append(
            "That folder is on your Google Drive. To keep this notebook too: File > Save a copy in Drive."
        )
    elif frontend.in_colab():
        lines.append("Nothing here outlasts this runtime: download what you want to keep.")
    lines.append(f"Python {sys.version.partition(' ')[0]}, PyTorch {_version('torch')}.")
    return "\n".join(lines)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
