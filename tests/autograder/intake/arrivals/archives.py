"""Archives: zips in zips, tar, 7z, what programs add to them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import py7zr

from tests.autograder.intake.arrivals.shape import OTHER, RIGHT, Shapes, put

shapes = Shapes(4201)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: Mapping[str, bytes], mode: str) -> bytes:
    """Return a tar file, packed as `mode` says: ``"w:gz"``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


@shapes()
def zip_file(folder: Path, student: str) -> None:
    put(folder / f"{student}.zip", zipped({"knn.py": RIGHT}))


@shapes()
def built_by_the_notebook(folder: Path, student: str) -> None:
    manifest = {"format": 1, "assignment": "knn", "files": {"knn.py": {"bytes": len(RIGHT)}}}
    members = {"knn.py": RIGHT, "manifest.json": json.dumps(manifest).encode()}
    put(folder / student / "knn-submission.zip", zipped(members))


@shapes()
def zip_in_a_zip(folder: Path, student: str) -> None:
    inner = zipped({"knn/knn.py": RIGHT})
    put(folder / f"{student}.zip", zipped({"homework/knn-submission.zip": inner}))


@shapes()
def drive_in_a_zip(folder: Path, student: str) -> None:
    """Pack the way to the file on Drive, as `zip -r` does on Colab."""
    put(folder / f"{student}.zip", zipped({"content/drive/MyDrive/deep-learning/knn/knn.py": RIGHT}))


@shapes()
def zip_of_github(folder: Path, student: str) -> None:
    members = {"knn-homework-main/README.md": b"# kNN\n", "knn-homework-main/src/knn.py": RIGHT}
    put(folder / f"{student}.zip", zipped(members))


@shapes()
def zip_of_a_mac(folder: Path, student: str) -> None:
    members = {"knn/knn.py": RIGHT, "__MACOSX/knn/._knn.py": b"\0\5\26\7", "knn/.DS_Store": b"\0"}
    put(folder / f"{student}.zip", zipped(members))


@shapes()
def zip_with_a_screenshot(folder: Path, student: str) -> None:
    put(folder / f"{student}.zip", zipped({"knn.py": RIGHT, "Screenshot 10:30:11.png": b"\x89PNG"}))


@shapes()
def zip_with_an_environment(folder: Path, student: str) -> None:
    packages = {f"venv/lib/python3.13/site-packages/p{n}/__init__.py": b"" for n in range(2300)}
    put(folder / f"{student}.zip", zipped({"knn.py": RIGHT, **packages}))


@shapes()
def zip_with_a_long_name(folder: Path, student: str) -> None:
    put(folder / f"{student}.zip", zipped({"knn.py": RIGHT, "n" * 60_000 + ".txt": b"notes"}))


@shapes()
def zip_in_capitals(folder: Path, student: str) -> None:
    put(folder / f"{student}.ZIP", zipped({"KNN\\knn.py": RIGHT}))


@shapes()
def tar_gz(folder: Path, student: str) -> None:
    put(folder / f"{student}.tar.gz", tarred({"knn/knn.py": RIGHT}, "w:gz"))


@shapes()
def tar_xz(folder: Path, student: str) -> None:
    put(folder / student / "homework.tar.xz", tarred({"./knn.py": RIGHT}, "w:xz"))


@shapes()
def tgz_in_a_folder(folder: Path, student: str) -> None:
    put(folder / student / "homework.tgz", tarred({"knn.py": RIGHT}, "w:gz"))


@shapes()
def seven_zip(folder: Path, student: str) -> None:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        archive.writestr(RIGHT, "knn/knn.py")
    put(folder / f"{student}.7z", buffer.getvalue())


@shapes()
def single_gz(folder: Path, student: str) -> None:
    put(folder / student / "knn.py.gz", gzip.compress(RIGHT))


@shapes()
def tar_bz2(folder: Path, student: str) -> None:
    put(folder / f"{student}.tar.bz2", tarred({"knn.py": RIGHT}, "w:bz2"))


@shapes()
def seven_zip_called_zip(folder: Path, student: str) -> None:
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w") as archive:
        archive.writestr(RIGHT, "knn.py")
    put(folder / f"{student}.zip", buffer.getvalue())


@shapes(None, says="b.zip")
def two_archives(folder: Path, student: str) -> None:
    put(folder / student / "a.zip", zipped({"knn.py": RIGHT}))
    put(folder / student / "b.zip", zipped({"knn.py": OTHER}))


@shapes()
def zip_with_a_helper(folder: Path, student: str) -> None:
    right = RIGHT.replace(b"import torch\n", b"import torch\nfrom utils import identity\n", 1)
    members = {"hw/knn.py": right, "hw/utils.py": b"def identity(x):\n    return x\n"}
    put(folder / student / "homework.zip", zipped(members))
