"""List the files of tar and 7z files and of single packed files, which a process with limits unpacks."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.intake.files import unpacker
from autograder.intake.files.members import Fetch, Member, normalize_path
from autograder.intake.files.snapshot import Unreadable, irregular_error
from autograder.untrusted import line

SECONDS = 60
_MAX_OUTPUT = unpacker.MAX_TAKEN_BYTES + 100_000_000
_SAID = {
    "large": "is larger than 20 MB.",
    "left": "was not unpacked.",
}


def members(content: bytes, kind: str, name: str) -> list[Member]:
    """Return the files in an archive.

    Parameters
    ----------
    kind : str
        ``"tar"``, ``"7z"``, ``"gzip"``, ``"bzip2"`` or ``"xz"``; the last three may hold a tar file.
    name : str
        What a single packed file is called.

    Raises
    ------
    Unreadable
        The archive is damaged, encrypted, too large or packed too tightly, or has paths that lead out of it.
    """
    what = f"{kind} file"
    listed = [
        (normalize_path(header["path"], what), header, data) for header, data in _unpack(content, kind, name)
    ]
    times = Counter(path for path, _, _ in listed)
    return [
        Member(path, _reader(header["kind"], data, what if times[path] > 1 else ""), header["time"])
        for path, (header, data) in {path: (header, data) for path, header, data in listed}.items()
    ]


def _reader(kind: str, data: bytes, twice_in: str) -> Fetch:
    def fetch(shown: str, limit: int) -> bytes:
        if twice_in:
            raise Unreadable(f"The {twice_in} holds {shown} twice; pack the files again.")
        if kind in ("link", "other"):
            raise irregular_error(shown, is_link=kind == "link")
        if kind != "file":
            raise Unreadable(f"{shown} {_SAID.get(kind, 'cannot be read.')}")
        if len(data) > limit:
            raise Unreadable(f"{shown} is larger than {limit // 1_000_000} MB.")
        return data

    return fetch


def _unpack(content: bytes, kind: str, name: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield what the unpacker says about each file, and its content."""
    output = _run(content, kind, name)
    place = 0
    while place < len(output):
        end = output.find(b"\n", place)
        header = json.loads(output[place : end if end >= 0 else len(output)])
        if "end" in header:
            if header["end"]:
                raise Unreadable(f"The {kind} file {header['end']}")
            return
        place = end + 1 + header["size"]
        yield header, output[end + 1 : place]
    raise Unreadable(f"The {kind} file takes too long to unpack, or needs too much memory.")


def _run(content: bytes, kind: str, name: str) -> bytes:
    script = Path(unpacker.__file__)
    # -I: neither the current folder nor the user's settings decide what is imported.
    command = [sys.executable, "-I", str(script), kind, line(PurePosixPath(name).name) or "file"]
    with tempfile.TemporaryFile() as source:
        source.write(content)
        source.seek(0)
        process = subprocess.Popen(
            command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/"
        )
    with process:
        timer = _killer(process)
        try:
            assert process.stdout is not None
            return process.stdout.read(_MAX_OUTPUT)
        finally:
            timer.cancel()
            process.kill()


def _killer(process: subprocess.Popen[bytes]) -> threading.Timer:
    timer = threading.Timer(SECONDS, process.kill)
    timer.daemon = True
    timer.start()
    return timer
