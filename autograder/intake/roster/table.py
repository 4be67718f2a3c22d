"""A table as platforms and spreadsheets write it: its encoding, its separator, its rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import ConfigError

SEPARATORS = ",;\t|"
_SAMPLE = 64 * 1024
_SEPARATOR_LINE = re.compile(r'\s*"?sep=(?P<separator>[,;\t|])"?[,;\t| ]*(?:\r\n?|\n)', re.IGNORECASE)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How files of spreadsheet programs begin: .xlsx and .ods are zip files, .xls is older."""
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class Row:
    """One row below the header.

    Attributes
    ----------
    line : int
        Line of the file on which it begins, from 1.
    cells : tuple of str
        As they are in the file, as many as there are columns.
    """

    line: int
    cells: tuple[str, ...]

    @property
    def is_blank(self) -> bool:
        """Whether nothing is written in it."""
        return not any(map(str.strip, self.cells))


@dataclass(frozen=True)
class Table:
    """A header, and rows of as many cells.

    Attributes
    ----------
    path : Path
        Where it was read from.
    header : tuple of str
        Names of the columns, as they are in the file.
    rows : tuple of Row
        Without lines on which nothing stands at all.
    separator : str
        What stands between two cells.
    notes : tuple of str
        What had to be guessed.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    separator: str
    notes: tuple[str, ...] = ()


def read(path: Path, familiar: Callable[[Sequence[str]], int]) -> Table:
    """Read a table from a text file.

    Parameters
    ----------
    familiar : callable
        Says how many names in a header it knows. A separator that makes more of them known is preferred to
        what the csv module finds in the rows.

    Raises
    ------
    ConfigError
        The file cannot be read, is a workbook, is not text, is empty, or has a row longer than its header.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", "check the path") from None
    text, notes = _decode(path, content)
    announced = _SEPARATOR_LINE.match(text)
    skipped = announced.group().count("\n") or announced.group().count("\r") if announced else 0
    body = text[announced.end() :] if announced else text
    separator = announced["separator"] if announced else _separator(body, familiar)
    try:
        rows = list(_rows(body, separator))
    except csv.Error as error:
        remedy = "check the quotation marks there, or export it again"
        raise ConfigError(str(path), f"is not a table ({error})", remedy) from None
    if not rows:
        raise ConfigError(str(path), "is empty", "export it again")
    header = _without_tail(rows[0].cells)
    return Table(path, header, tuple(_fit(path, rows[1:], header, skipped)), separator, notes)


def _decode(path: Path, content: bytes) -> tuple[str, tuple[str, ...]]:
    """Return the text of a file, and what should be said about its encoding."""
    if content.startswith(_WORKBOOKS):
        remedy = "open it there, save it as CSV (in Excel: File, Save As, CSV UTF-8), and name that file"
        raise ConfigError(str(path), "is a spreadsheet workbook", remedy)
    encoding = _UTF_16.get(content[:2], "utf-8-sig")
    if encoding != "utf-16" and b"\0" in content[:2]:  # no byte order mark, but every other byte is zero
        encoding = "utf-16-be" if content[0] == 0 else "utf-16-le"
    notes: tuple[str, ...] = ()
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        try:
            text = content.decode("cp1252")
        except UnicodeDecodeError:
            text = "\0"
        says = "is not UTF-8 and was read as Windows-1252; if names look wrong, save it as CSV UTF-8"
        notes = (f"{path.name} {says}.",)
    if "\0" in text:
        raise ConfigError(str(path), "is not text in UTF-8, UTF-16 or Windows-1252", "save it as CSV UTF-8")
    return text, notes


def _separator(text: str, familiar: Callable[[Sequence[str]], int]) -> str:
    try:
        found = str(csv.Sniffer().sniff(text[:_SAMPLE], SEPARATORS).delimiter)
    except csv.Error:  # a single column, or rows that are not alike
        found = SEPARATORS[0]

    def known(separator: str) -> int:
        return familiar(_first(text, separator))

    tried: list[str] = [found, *SEPARATORS]
    return max(tried, key=known)


def _first(text: str, separator: str) -> tuple[str, ...]:
    try:
        return next(_rows(text, separator)).cells
    except (StopIteration, csv.Error):
        return ()


def _rows(text: str, separator: str) -> Iterator[Row]:
    """Yield the rows of a table in which no cell but the quoted ones holds a separator or a line's end."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for cells in reader:
            if cells:
                yield Row(begins, tuple(cells))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {begins}: {error}") from None


def _without_tail(cells: tuple[str, ...]) -> tuple[str, ...]:
    """Return cells without the empty ones at the end, which spreadsheets add."""
    kept = len(cells)
    while kept and not cells[kept - 1].strip():
        kept -= 1
    return cells[:kept]


def _fit(path: Path, rows: Sequence[Row], header: Sequence[str], skipped: int) -> Iterator[Row]:
    """Yield rows of as many cells as the header has, under the lines of the file."""
    width = len(header)
    for row in rows:
        line = row.line + skipped
        if len(_without_tail(row.cells)) > width:
            found = f"has {len(_without_tail(row.cells))} cells, and the header {width}"
            remedy = "put quotation marks around a cell that holds the separator"
            raise ConfigError(f"{path}:{line}", found, remedy)
        yield Row(line, (*row.cells[:width], *[""] * (width - len(row.cells))))
