"""Set up a notebook, in the same way on Google Colab, in Jupyter, in VS Code and headless."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType

from helpers import other_kits
from helpers.notebook import document, fresh, frontend, reload, stubs, workspace
from helpers.submission import handout, stand_ins
from helpers.submission.handout import Handout
from helpers.wording import enumerate_words

MOUNT = Path("/content/drive")


def setup(name: str, *, drive: bool = False) -> None:
    """Find the assignment's files, work in their folder, and run what is saved from the next cell on.

    Where the notebook was opened apart from the release, as on Colab, the files are copied to it: into the
    current folder if the notebook or a module is there, else into a folder in it that is named after the
    assignment. A module that was deleted comes back as it was released. It may be called again at any time,
    and installs nothing.

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
        If the assignment's files are not found, or there is no place for them.
    """
    _provide_imp()
    released = handout.find_released(name)
    local = workspace.folder_beside(released) if released is not None else None
    source = released or handout.find(name)
    kept, notes = _keep_on_drive(source, local) if drive and frontend.in_colab() else (None, [])
    if kept is not None:
        os.chdir(kept)
    elif released is not None and local is not None:
        notes += workspace.fill(local, released)
        os.chdir(local)
    elif not all(Path(f"{module}.py").is_file() for module in source.modules):
        os.chdir(source.folder)
    found = handout.find(name)
    notes += workspace.restore(found)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    reload.follow({module: found.file(module) for module in found.modules}, found.released)
    other_kits.use(found.imports)
    stand_ins.install()
    reload.watch()
    fresh.warm_up()
    document.observe()
    stubs.observe(found)
    frontend.say("\n".join((_welcome(found, kept), *notes)))


def download(file: Path) -> bool:
    """Offer a file to the browser on Colab; return whether it was offered."""
    if not frontend.in_colab():
        return False
    try:
        frontend.colab_part("files").download(str(file))
    except Exception as error:  # other front ends to Colab raise what they like
        frontend.say(f"The download did not start ({error}); find the file in the Files panel on the left.")
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


def _keep_on_drive(source: Handout, local: Path | None) -> tuple[Path | None, list[str]]:
    """Mount Drive and bring the folder there up to date.

    Returns
    -------
    Path or None, list of str
        The folder, or None if Drive is not to be had; and what the student should know.
    """
    try:
        frontend.colab_part("drive").mount(str(MOUNT))
        home = MOUNT / "MyDrive" / _course_folder(source) / source.name
        notes = [] if home == source.folder else workspace.fill(home, source, earlier=local)
    except Exception as error:  # declined, not available here, or full: each front end says it differently
        reason = str(error).partition("\n")[0] or type(error).__name__
        frontend.say(f"Google Drive is not used ({reason}). What you write is lost when this runtime ends.")
        return None, []
    return home, notes


def _course_folder(source: Handout) -> str:
    """Return the name of the public repository; where there is none, of the folder that holds the rest."""
    parent = source.folder.parent
    tree = parent.parent.name if parent.name == "assignments" else parent.name
    return source.repository.rpartition("/")[2] or tree


def _welcome(found: Handout, kept: Path | None) -> str:
    names = enumerate_words(f"{module}.py" for module in found.modules)
    lines = [f"{found.title}: edit {names} in {Path.cwd()}, save, and the next cell runs what you saved."]
    if kept is not None:
        lines.append(
            "That folder is on your Google Drive. To keep this notebook too: File > Save a copy in Drive."
        )
    elif frontend.in_colab():
        lines.append("Everything here is lost when this runtime ends: download what you want to keep.")
    lines.append(f"Python {sys.version.partition(' ')[0]}, PyTorch {_version('torch')}.")
    if found.grader:
        lines.append(f"Graded with Python {found.grader['python']}, PyTorch {found.grader['torch']}.")
    return "\n".join(lines)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(not installed)"
