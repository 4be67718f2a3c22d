"""The zip that a student hands in: the same bytes for the same files, with a manifest."""

from __future__ import annotations

import hashlib
import json
import platform
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath

from helpers.submission import archives
from helpers.submission.handout import Handout, HandoutError

MANIFEST = "manifest.json"
FORMAT = 1
_MAX_BYTES = 100_000_000


def pack(name: str, files: dict[str, bytes]) -> bytes:
    """Return the zip that holds the files of an assignment and their manifest.

    ``manifest.json`` holds their SHA-256 and the versions of Python, PyTorch and NumPy. Members are stored
    without compression, which keeps the bytes the same on every machine.
    """
    manifest = {
        "format": FORMAT,
        "assignment": name,
        "files": {
            member: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for member, content in sorted(files.items())
        },
        "versions": {
            "python": platform.python_version(),
            "torch": _version("torch"),
            "numpy": _version("numpy"),
        },
    }
    members = {**files, MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode()}
    return archives.pack(members, compressed=False)


def unpack(found: Handout, file: Path) -> dict[str, bytes]:
    """Return the files in a zip that belong to an assignment, by the names that `pack` gives them.

    A zip that was made by hand will do: folders around the files do not matter.

    Raises
    ------
    HandoutError
        There is no such file, it is no zip, or it holds neither a module of the assignment nor its notebook.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = {info.filename: info for info in archive.infolist() if _counts(info)}
            if sum(info.file_size for info in members.values()) > _MAX_BYTES:
                raise HandoutError(f"{file} holds more than {_MAX_BYTES // 1_000_000} MB.")
            content = {name: archive.read(info) for name, info in members.items()}
    except FileNotFoundError:
        raise HandoutError(
            f'There is no {file.name} in {file.parent}; run submit.build("{found.name}") first.'
        ) from None
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise HandoutError(f"{file} cannot be read as a zip file ({error}).") from None
    root = _root(found, content)
    if root is None:
        names = " and no ".join(f"{module}.py" for module in found.modules)
        raise HandoutError(f"{file} is not a zip of {found.name}: it holds no {names}.")
    return {name.removeprefix(root): data for name, data in content.items() if name.startswith(root)}


def _counts(info: zipfile.ZipInfo) -> bool:
    """Tell whether a member is a file of the student's, and not what macOS adds."""
    parts = PurePosixPath(info.filename).parts
    return not (info.is_dir() or "__MACOSX" in parts or parts[-1].startswith("._") or ".." in parts)


def _root(found: Handout, content: dict[str, bytes]) -> str | None:
    """Return the folder in the zip that holds the modules, else the notebook, with a slash; or None."""
    modules = {f"{module}.py" for module in found.modules}
    paths = [PurePosixPath(name) for name in content]
    notebooks = [path.parent for path in paths if path.name == f"{found.name}.ipynb"]
    folders = [path.parent for path in paths if path.name in modules] or notebooks
    if not folders:
        return None
    top = min(folders, key=lambda folder: (len(folder.parts), str(folder)))
    return f"{top}/" if top.parts else ""


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
