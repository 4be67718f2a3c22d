"""Documents, pictures and archives are known by their first bytes, as programs really write them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image

from helpers.source import signatures
from helpers.submission import python_files
from tests.support.hand_ins import WORK, handed_in, seven_zipped, zipped


def _drawn(kind: str) -> bytes:
    target = io.BytesIO()
    if kind == "pdf":
        Figure().savefig(target, format=kind)
    else:
        Image.new("RGB", (20, 20)).save(target, format=kind)
    return target.getvalue()


FILES = {
    "a PDF": _drawn("pdf"),
    "a PNG picture": _drawn("png"),
    "a JPEG picture": _drawn("jpeg"),
    "a GIF picture": _drawn("gif"),
    "a TIFF picture": _drawn("tiff"),
    "a WebP picture": _drawn("webp"),
    "a Word document": zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>"}),
    "an Excel workbook": zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<w/>"}),
    "a zip archive": zipped({"knn.py": WORK}),
    "a 7z archive": seven_zipped({"knn.py": WORK}),
    "a gzip archive": gzip.compress(WORK.encode()),
    "a bzip2 archive": bz2.compress(WORK.encode()),
    "an xz archive": lzma.compress(WORK.encode()),
    "a text document (RTF)": b"{\\rtf1\\ansi\\f0 import torch}",
}


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_called_py_and_are_not(kind: str, tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"knn.py": FILES[kind]})
    assert found.problem == f"knn.py is {kind}, not Python; hand in the .py file that you edited instead."
    error = python_files.read({"knn.py": FILES[kind]}, ("knn",), None).problems["knn"]
    assert str(error).startswith(f"this is {kind}, not a Python file")


@pytest.mark.parametrize("text", [WORK, "# %PDF-\n", "", "PK = 1\n", '"""{\\rtf"""\n', "\ufeffx = 1\n"])
def test_python_is_none_of_them(text: str) -> None:
    assert signatures.kind(text.encode()) is None
