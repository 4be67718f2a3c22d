"""Hand-ins of the assignment kNN, made as programs and platforms make them, for tests of intake."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import py7zr

from autograder import intake
from autograder.course import Course
from autograder.course.assignment import Assignment, load
from autograder.intake import Submission

ROOT = Path(__file__).parents[2]
COURSE = Course.load(ROOT)
WORK = (ROOT / "solutions" / "knn" / "knn.py").read_text(encoding="utf-8")
OTHER = (ROOT / "examples" / "submissions" / "knn" / "hugo-lambert" / "knn.py").read_text(encoding="utf-8")
STUB = (ROOT / "assignments" / "knn" / "knn.py").read_text(encoding="utf-8")
NOTEBOOK = (ROOT / "assignments" / "knn" / "knn.ipynb").read_text(encoding="utf-8")

Files = Mapping[str, str | bytes]


def knn() -> Assignment:
    """Return the assignment."""
    return load(COURSE, "knn")


def put(folder: Path, files: Files) -> Path:
    """Write files below a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def handed_in(place: Path, files: Files) -> Submission:
    """Return what is read of a student who handed in a folder with these files."""
    return intake.read_one(put(place / "ada", files), knn())


def zipped(files: Files) -> bytes:
    """Return a zip file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return target.getvalue()


def tarred(files: Files, mode: str = "w:gz") -> bytes:
    """Return a tar file."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as made:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_700_000_000
            made.addfile(info, io.BytesIO(data))
    return target.getvalue()


def seven_zipped(files: Files) -> bytes:
    """Return a 7z file."""
    target = io.BytesIO()
    with py7zr.SevenZipFile(target, "w") as made:
        for name, content in files.items():
            made.writestr(content, name)
    return target.getvalue()


def notebook(*sources: str, released: bool = True) -> str:
    """Return a notebook with code cells of a student's own, behind the released ones or alone."""
    document = json.loads(NOTEBOOK)
    cells = [
        {
            "cell_type": "code",
            "execution_count": 3,
            "metadata": {},
            "outputs": [],
            "source": source.splitlines(True),
        }
        for source in sources
    ]
    document["cells"] = [*(document["cells"] if released else []), *cells]
    return json.dumps(document, indent=1)
