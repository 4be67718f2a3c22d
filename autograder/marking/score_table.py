"""Tables of scores for written answers, as people or pages write them: read, and checked to the last cell."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import ConfigError
from autograder.untrusted import line, undo_cell

REQUIRED = ("student", "question", "points")
COLUMNS = (*REQUIRED, "comment", "grader", "answer")
IGNORED = ("name",)
MAX_BYTES = 20_000_000
_POINTS = re.compile(r"[0-9]{1,5}([.,][0-9]{1,4})?")
_SHOWN = 60


@dataclass(frozen=True)
class ScoreRow:
    """One score.

    Attributes
    ----------
    where : str
        File and line, for messages.
    student : str
        As in the gradebook, or a pseudonym.
    question : str
        Its id.
    points : float
        Not negative.
    comment, grader : str
        What the student reads, and who says so; empty where nobody does.
    answer : str
        What the page says of the answer that was read; empty in a table that people wrote.
    """

    where: str
    student: str
    question: str
    points: float
    comment: str = ""
    grader: str = ""
    answer: str = ""


def read(path: Path) -> list[ScoreRow]:
    """Read a CSV file with a header; commas, semicolons or tabs separate its columns.

    Rows without points and comment are those of answers that are not scored yet, and left out.

    Raises
    ------
    ConfigError
        The file cannot be read, a column is missing or unknown, or a cell is no number of points.
    """
    text = _text(path)
    lines = text.split("\n", 1)
    first = 1
    if re.fullmatch(r"sep=.\s*", lines[0]):  # which Excel writes, for itself
        text, first = "".join(lines[1:]), 2
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    table = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [name.strip().casefold() for name in next(table, [])]
        _require_columns(path, header)
        return [row for row in _rows(path, header, table, first) if row is not None]
    except csv.Error as error:
        place = f"{path}:{first + table.line_num - 1}"
        raise ConfigError(place, f"is not CSV ({error})", "save the table as CSV again") from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", "check the path") from None
    if len(content) > MAX_BYTES:
        found = f"is larger than {MAX_BYTES // 1_000_000} MB"
        raise ConfigError(str(path), found, "expected a table of scores, as CSV")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not UTF-8 text", "save it as CSV in UTF-8") from None


def _require_columns(path: Path, header: Sequence[str]) -> None:
    known = f"expected the columns {', '.join(COLUMNS)}; the last three may be left out"
    for name in REQUIRED:
        if name not in header:
            raise ConfigError(f"{path}:1", f"has no column {name!r}", known)
    for name in header:
        if name not in (*COLUMNS, *IGNORED) or header.count(name) > 1:
            found = "appears twice" if header.count(name) > 1 else "is unknown"
            raise ConfigError(f"{path}:1", f"the column {line(name)[:_SHOWN]!r} {found}", known)


def _rows(
    path: Path, header: Sequence[str], table: Iterator[list[str]], first: int
) -> Iterator[ScoreRow | None]:
    """Yield the rows; None for those without a score."""
    for number, cells in enumerate(table, first + 1):
        where = f"{path}, row {number}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            raise ConfigError(where, "has more cells than the header", "quote cells that hold a separator")
        found = dict.fromkeys(COLUMNS, "") | dict(
            zip(header, (undo_cell(cell.strip()) for cell in cells), strict=False)
        )
        yield _row(where, found)


def _row(where: str, found: dict[str, str]) -> ScoreRow | None:
    points = found["points"]
    if not points and not found["comment"]:
        return None
    if not _POINTS.fullmatch(points):
        shown = f"the points are {line(points)[:_SHOWN]!r}" if points else "has a comment, but no points"
        raise ConfigError(where, shown, "expected a number such as 4 or 2.5")
    return ScoreRow(
        where,
        found["student"],
        found["question"],
        float(points.replace(",", ".")),
        found["comment"],
        found["grader"],
        found["answer"],
    )
