"""Archives depend on their content alone."""

from __future__ import annotations

import io
import zipfile

from helpers.submission.archives import EARLIEST, pack


def test_the_order_of_files_makes_no_difference() -> None:
    files = {"b/x.py": b"x = 1\n", "a.txt": b"a" * 1000}
    packed = pack(files)
    assert packed == pack(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.txt", "b/x.py"]
        assert {entry.date_time for entry in archive.infolist()} == {EARLIEST}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
        assert archive.comment == b""
        assert {entry.extra for entry in archive.infolist()} == {b""}
        assert archive.read("b/x.py") == b"x = 1\n"


def test_without_compression_the_bytes_are_those_of_the_files() -> None:
    assert b"a" * 1000 in pack({"a.txt": b"a" * 1000}, compressed=False)
