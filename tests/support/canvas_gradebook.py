"""A gradebook that imports CSV files by the rules of Canvas, as far as they are known.

Written without the kit's own code, as an oracle for ``canvas.csv``.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field

INFORMATION = {
    *("Student", "LastName", "FirstName", "ID", "SIS User ID", "SIS Login ID", "Integration ID"),
    *("Root Account", "Section"),
}


class UploadRefused(Exception):
    """What Canvas answers to a file that it does not take for a gradebook."""


@dataclass
class CanvasGradebook:
    """Cells of a course: ``{student id: {assignment id: "87.5", "EX" or ""}}``.

    Attributes
    ----------
    titles : dict of int to str
        Title of each assignment by its number.
    cells : dict of int to dict of int to str
        What stands in the gradebook.
    created : list of str
        Assignments that an import added.
    """

    titles: dict[int, str]
    cells: dict[int, dict[int, str]]
    created: list[str] = field(default_factory=list)

    def take(self, text: str) -> None:
        """Import a file. A student who is not in it stays; an empty cell in it deletes what was there."""
        separator = ";" if text.split("\n", 1)[0].count(";") > text.split("\n", 1)[0].count(",") else ","
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
        whole = "Student" in header[0] and "ID" in header[1]
        if not whole and header[:3] != ["LastName", "FirstName", "ID"]:
            raise UploadRefused(header)
        known = [name for name in header if name in INFORMATION]
        if header[: len(known)] != known or known[-1] != "Section":
            raise UploadRefused(header)
        numbers = {place: self._number(header[place]) for place in range(len(known), len(header))}
        for row in rows:
            if "Points Possible" in row[0]:
                continue
            student = int(row[1 if whole else 2])
            for place, number in numbers.items():
                self._set(student, number, row[place].strip())

    def _number(self, column: str) -> int:
        match = re.fullmatch(r"(.*) \((\d+)\)", column, re.DOTALL)
        if match and int(match[2]) in self.titles:
            return int(match[2])
        title = match[1] if match else column
        found = [number for number, known in self.titles.items() if known == title]
        if found:
            return found[0]
        self.created.append(title)
        self.titles[max(self.titles, default=0) + 1] = title
        return max(self.titles)

    def _set(self, student: int, number: int, cell: str) -> None:
        if student not in self.cells:
            raise UploadRefused(f"unknown student {student}")
        self.cells[student][number] = "EX" if cell.upper() in ("EX", "EXCUSED") else cell
