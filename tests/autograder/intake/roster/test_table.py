"""A table is found in a file whatever encoding, separator and quotation marks a program chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.intake.roster import table
from autograder.intake.roster.table import Table


def nothing(header: Sequence[str]) -> int:
    return 0


def read(folder: Path, content: bytes) -> Table:
    (folder / "table.csv").write_bytes(content)
    return table.read(folder / "table.csv", nothing)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-16-le with a mark"]
)
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "name;email\nZoë;z@x.edu\n"
    mark = "\ufeff" if "mark" in encoding else ""
    found = read(tmp_path, (mark + text).encode(encoding.partition(" ")[0]))
    assert (found.header, found.rows[0].cells) == (("name", "email"), ("Zoë", "z@x.edu"))
    assert bool(found.notes) == (encoding == "cp1252")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={}", '"sep={}"', "SEP={}", "sep={};;;"])
def test_separators_and_ends_of_lines(tmp_path: Path, separator: str, end: str, first: str) -> None:
    text = "name{0}title{0}n\n'Brien{0}\"a{0} b\nc\"{0}1\nPark{0}d'{0}2\n".replace("\n", end).format(
        separator
    )
    announced = f"{first.format(separator)}{end}" if first else ""
    found = read(tmp_path, (announced + text).encode())
    assert found.separator == separator
    assert found.header == ("name", "title", "n")
    assert [row.cells for row in found.rows] == [
        ("'Brien", f"a{separator} b{end}c", "1"),
        ("Park", "d'", "2"),
    ]
    assert [row.line for row in found.rows] == ([3, 5] if announced else [2, 4])


def test_a_separator_that_makes_the_header_known_is_preferred_to_what_rows_look_like(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("name;mail\nPark, Ada;a\nSilva, Bruno;b\nLee, Kim;c\n")

    def familiar(header: Sequence[str]) -> int:
        return len({"name", "mail"} & set(header))

    assert table.read(tmp_path / "table.csv", familiar).header == ("name", "mail")


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    found = read(tmp_path, b"student\nada\n\n\nbruno\n")
    assert [(row.line, row.cells) for row in found.rows] == [(2, ("ada",)), (5, ("bruno",))]


def test_rows_are_as_wide_as_the_header(tmp_path: Path) -> None:
    found = read(tmp_path, b"a,b,c,,\n1\n,,,,,\n1,2,3,,,,\n")
    assert found.header == ("a", "b", "c")
    assert [row.cells for row in found.rows] == [("1", "", ""), ("", "", ""), ("1", "2", "3")]
    assert [row.is_blank for row in found.rows] == [False, True, False]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty; export it again"),
        (b"\n\n", "is empty"),
        (b"PK\x03\x04...", "is a spreadsheet workbook; open it there, save it as CSV"),
        (b"\xd0\xcf\x11\xe0...", "is a spreadsheet workbook"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not text in UTF-8, UTF-16 or Windows-1252"),
        (b"name\n\x81\xff\n", "is not text in UTF-8, UTF-16 or Windows-1252"),
        (b"name\0\n", "is not text"),
        (b"a,b\n1,2,3\n", r"table.csv:2: has 3 cells, and the header 2; put quotation marks around a cell"),
        (b'a,b\n1,2\n"3" x,4\n', r"is not a table \(line 3: .*; check the quotation marks there"),
        (b'a,b\n1,2\n"3,4\n', r"is not a table \(line 3: unexpected end of data\)"),
        (b"a\n" + b"x" * 200_000, r"is not a table \(line 2: field larger than"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            table.read(path, nothing)
