"""What is refused, or holds nothing to grade: a row with a reason for each."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from tests.autograder.intake.arrivals.archives import zipped
from tests.autograder.intake.arrivals.shape import RIGHT, Shapes, put

shapes = Shapes(4601)


@shapes(0, says="is a link, not a file; hand in")
def link(folder: Path, student: str) -> None:
    (folder / student).mkdir()
    (folder / student / "knn.py").symlink_to("/etc/hostname")


@shapes(0, says="link")
def link_for_a_folder(folder: Path, student: str) -> None:
    (folder / student).symlink_to("/etc")


@shapes(0)
def pipe(folder: Path, student: str) -> None:
    (folder / student).mkdir()
    os.mkfifo(folder / student / "knn.py")


@shapes(0, says="leads out|lead out")
def way_out(folder: Path, student: str) -> None:
    put(folder / f"{student}.zip", zipped({"../../knn.py": RIGHT}))


@shapes(0, says="tight|large")
def bomb(folder: Path, student: str) -> None:
    put(folder / f"{student}.zip", zipped({"knn.py": RIGHT + b"#" * 900_000}))


@shapes(0, says=r"rar")
def rar(folder: Path, student: str) -> None:
    put(folder / f"{student}.rar", b"Rar!\x1a\x07\x01\x00" + bytes(200))


@shapes(0, says="damaged")
def damaged_zip(folder: Path, student: str) -> None:
    put(folder / f"{student}.zip", zipped({"knn.py": RIGHT})[:500])


@shapes(0, says=r"password|encrypted")
def encrypted_zip(folder: Path, student: str) -> None:
    path = folder / f"{student}.zip"
    put(path, zipped({"knn.py": RIGHT}))
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    assert zipfile.ZipFile(path).infolist()[0].flag_bits & 1


@shapes(0, says=r"report\.pdf")
def report_only(folder: Path, student: str) -> None:
    put(folder / student / "report.pdf", b"%PDF-1.7\n")


@shapes(0)
def empty_folder(folder: Path, student: str) -> None:
    (folder / student).mkdir()


@shapes(0)
def empty_zip(folder: Path, student: str) -> None:
    put(folder / f"{student}.zip", b"")
