"""Pack what a student hands in."""

from __future__ import annotations

import hashlib
import json
import platform
import zipfile
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from helpers import colab, frontend, handout, live, notebook, runner
from helpers.handout import Handout, HandoutError
from helpers.notebook import Document
from helpers.wording import enumerated

MANIFEST = "manifest.json"
FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time that every member gets: the earliest that a zip can hold."""


class SubmissionRefused(HandoutError):
    """What is there should not be handed in yet; the message is one sentence that says what to do."""


def build(name: str) -> None:
    """Pack the modules and the notebook of an assignment into a zip, with saved weights, and say where it is.

    The same files give the same zip, byte for byte. ``manifest.json`` in it holds their SHA-256 and the
    versions of Python, PyTorch and NumPy. On Colab, the browser is offered the download.

    Raises
    ------
    SubmissionRefused
        If a module is missing, as it was received, or not what was last checked, or if the notebook is not
        saved.
    HandoutError
        If the assignment's files are not found or damaged.
    """
    found = handout.find(name)
    files = {f"{module}.py": _module(found, module) for module in found.modules}
    _require_checked(found, files)
    document = _notebook(found)
    packed = files | _weights(found) | ({} if document is None else {f"{name}.ipynb": document.content})
    target = Path.cwd() / f"{name}-submission.zip"
    _replace(target, pack(name, packed))
    frontend.say(_summary(found, target, packed, document))
    colab.download(target)


def pack(name: str, files: dict[str, bytes]) -> bytes:
    """Return the zip that holds files and their manifest.

    Members are stored without compression, which keeps the bytes the same on every machine.
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
            "torch": version("torch"),
            "numpy": version("numpy"),
        },
    }
    members = {**files, MANIFEST: (json.dumps(manifest, indent=1) + "\n").encode()}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for member, content in sorted(members.items()):
            info = zipfile.ZipInfo(member, _EPOCH)
            info.create_system = 3  # Unix, whatever the machine, for the permissions below
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def _module(found: Handout, module: str) -> bytes:
    """Return the content of a module that was worked on."""
    file = found.file(module)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise SubmissionRefused(f"{file.name} is missing from {file.parent}; put it there.") from None
    plain = content.replace(b"\r\n", b"\n")
    if hashlib.sha256(plain).hexdigest() == found.stubs.get(file.name):
        raise SubmissionRefused(
            f"{file.name} in {file.parent} is as you received it; save your work in it first."
        )
    return content


def _weights(found: Handout) -> dict[str, bytes]:
    """Return the weights that were saved beside the notebook, or in the assignment's folder."""
    places = {name: (Path.cwd() / name, found.folder / name) for name in found.weights}
    saved = {name: next((path for path in paths if path.is_file()), None) for name, paths in places.items()}
    return {name: path.read_bytes() for name, path in saved.items() if path is not None}


def _require_checked(found: Handout, files: dict[str, bytes]) -> None:
    """Refuse files that are not, byte for byte, what the last check in this session ran on."""
    names = f"{enumerated(files)} {'were' if len(files) > 1 else 'was'}"
    call = f'check("{found.name}")'
    checked = runner.last_checked(found.name)
    if checked is None:
        raise SubmissionRefused(f"{names} not checked in this session; run {call}, then build again.")
    for member, content in files.items():
        if hashlib.sha256(content).hexdigest() != checked.get(member):
            saved = live.clock(found.file(member.removesuffix(".py")).stat().st_mtime)
            raise SubmissionRefused(
                f"{member} was saved at {saved} and not checked since; run {call}, then build again."
            )


def _notebook(found: Handout) -> Document | None:
    """Return the notebook as it is to be handed in."""
    beside = Path.cwd() / f"{found.name}.ipynb"
    file = beside if beside.is_file() else found.folder / beside.name
    document = notebook.read(file)
    if document is not None and notebook.unsaved(document):
        raise SubmissionRefused(
            f"{file.name} has changed since it was saved at {live.clock(document.saved or 0)}; "
            "save it (Ctrl+S), then run this cell again."
        )
    return document


def _replace(target: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(content)
    part.replace(target)


def _summary(found: Handout, target: Path, packed: dict[str, bytes], document: Document | None) -> str:
    lines = [f"Hand in this file: {target}", "It holds:"]
    width = max(map(len, packed))
    for member, content in packed.items():
        lines.append(
            f"  {member:<{width}} {max(1, round(len(content) / 1000)):>5} kB{_saved(found, member, document)}"
        )
    if document is None:
        lines.append(f"{found.name}.ipynb was not found, so answers in the notebook are not in it.")
    elif document.saved is not None:
        # A kernel sees cells that ran, and no text that was typed into the others.
        clock = live.clock(document.saved)
        lines.append(f"If you wrote an answer after {clock}, save (Ctrl+S) and run this cell again.")
    return "\n".join(lines)


def _saved(found: Handout, member: str, document: Document | None) -> str:
    if member in found.weights:
        return ""
    if member.endswith(".py"):
        return f"  saved at {live.clock(found.file(member.removesuffix('.py')).stat().st_mtime)}"
    if document is None or document.saved is None:
        return "  as it is in your browser now"
    return f"  saved at {live.clock(document.saved)}"
