"""A summary says the same in a notebook and in a terminal, and ends with the path of the zip."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from helpers.notebook import summary, work
from helpers.notebook.outcomes import PublicOutcome, Report
from helpers.notebook.work import Work
from helpers.statuses import Status
from helpers.submission import handout
from helpers.submission.findings import Finding
from tests.helpers.notebook.test_report import visible
from tests.support import handouts
from tests.support.handouts import SOLUTION, write_toy

KNOWN = [
    Finding("problem", "toy.py does <not> run.", "x = (<"),
    Finding("open", "Not started: task 2."),
    Finding("note", "Good " * 40 + "to know."),
]
TARGET = Path("/a folder/toy-submission.zip")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path).write_text(SOLUTION)
    (tmp_path / "copy.ipynb").write_text(json.dumps(handouts.notebook()))
    (tmp_path / "copy.ipynb").rename(tmp_path / "toy.ipynb")
    return work.gather(handout.find("toy"))


def report(own: Work) -> Report:
    return Report(own.handout, tuple(PublicOutcome(test, Status.passed) for test in own.handout.tests))


def test_text(own: Work) -> None:
    lines = summary.as_text(own, report(own), KNOWN, TARGET).splitlines()
    assert lines[0] == "A toy: 4 of 4 public checks passed"
    start = lines.index("Look at this before you hand it in:")
    assert lines[start + 1 : start + 6] == [
        "  ! toy.py does <not> run.",
        "        x = (<",
        "",
        "Not done yet:",
        "  ○ Not started: task 2.",
    ]
    assert lines[-1] == "Hand in this file: /a folder/toy-submission.zip"
    assert max(map(len, lines)) <= 96


def test_html_says_the_same(own: Work) -> None:
    html = summary.as_html(own, report(own), KNOWN, TARGET)
    said = visible(html)
    for line in summary.as_text(own, report(own), KNOWN, TARGET).splitlines():
        for part in re.split(r"\s{2,}|[!○·:] ", line.strip(" :")):
            assert " ".join(part.split()) in said, part
    assert said.endswith("Hand in this file: /a folder/toy-submission.zip")
    assert "<not>" not in html
    assert not re.search(r"[^-]color:(?!inherit)", html), "text keeps the color of the page"
