"""The table of the public checks says everything in words, in a notebook and in a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers.credit import ONCE
from helpers.notebook import report
from helpers.notebook.outcomes import Failure, Interruption, PublicOutcome, Report, word_of
from helpers.statuses import Status
from helpers.submission.handout import Handout, PublicTest, ReleasedTask

TASKS = (ReleasedTask("sums", "Sums & products", 10), ReleasedTask("means", "Means", 5))
SUMS = PublicTest("test_public.py::test_sums", "Adds <two> numbers.", "sums", 2.5, "value")
MEANS = PublicTest("test_public.py::test_means", "Of three numbers.", "means", 1.25, "value")
WRONG = Failure(
    "The sums: wrong values.",
    first_wrong="[1]; 1 of 2 entries is wrong",
    expected="3 in an int64 tensor of shape (2,)",
    yours="4 in an int64 tensor of shape (2,)",
    likely_cause="the last one is <missing>",
)


@pytest.fixture
def done() -> Report:
    """Return a report with a check that passed and one that failed."""
    handout = Handout(Path(), "toy", "A <toy>", ("toy",), (), TASKS, (SUMS, MEANS), {})
    outcomes = (PublicOutcome(SUMS, Status.failed, WRONG), PublicOutcome(MEANS, Status.passed, points=1.25))
    return Report(handout, outcomes, "toy.py as saved at 12:00:00", ("It has <not> changed.",))


def visible(html: str) -> str:
    """Return the words of HTML as a browser without styles shows them."""
    words: list[str] = []

    class Reader(HTMLParser):
        inside_style = False

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.inside_style = tag == "style"

        def handle_endtag(self, tag: str) -> None:
            self.inside_style = False

        def handle_data(self, data: str) -> None:
            words.extend([] if self.inside_style else data.split())

    Reader(convert_charrefs=True).feed(html)
    return " ".join(words)


def test_text(done: Report) -> None:
    assert report.as_text(done) == (
        "A <toy>: 1 of 2 public checks passed\n"
        "toy.py as saved at 12:00:00\n"
        "Note: It has <not> changed.\n"
        "\n"
        "Sums & products\n"
        "  ✗ failed               0 / 2.5  Adds <two> numbers.\n"
        "      The sums: wrong values.\n"
        "      First wrong:  [1]; 1 of 2 entries is wrong\n"
        "      Expected:     3 in an int64 tensor of shape (2,)\n"
        "      Yours:        4 in an int64 tensor of shape (2,)\n"
        "      Likely cause: the last one is <missing>\n"
        "Means\n"
        "  ✓ passed           1.25 / 1.25  Of three numbers.\n"
        "\n"
        "1.25 of the 3.75 points that these checks give. The other 11.25 of 15 points come from checks\n"
        "that run when your work is graded."
    )


def test_points_that_a_failed_check_keeps_are_explained(done: Report) -> None:
    failed, passed = done.outcomes
    eased = replace(done, outcomes=(replace(failed, points=1.5), passed))
    for shown in (" ".join(report.as_text(eased).split()), visible(report.as_html(eased))):
        assert ONCE in shown
    assert ONCE not in report.as_text(done) + report.as_html(done)


def test_html_says_the_same(done: Report) -> None:
    html = visible(report.as_html(done))
    for line in report.as_text(done).splitlines():
        for part in re.split(r"\s{2,}|: +", line.strip()):
            assert part.lower() in html.lower() or part.startswith(("1.25 of", "that run")), part
    assert html.startswith("A <toy>: 1 of 2 public checks passed toy.py as saved at 12:00:00 Note: It has")
    assert "Task Points Result Check Sums & products 0 / 2.5 ✗ Failed Adds <two> numbers." in html


def test_nothing_is_told_by_color_alone(done: Report) -> None:
    html = report.as_html(done)
    for status in (*Status, *Interruption):
        look = word_of(status)
        row = report.as_html(replace(done, outcomes=(PublicOutcome(SUMS, status),)))
        assert f"{look.symbol}</span>&nbsp;{look.word}" in row
    assert not re.search(r"[^-]color:(?!inherit)", html), "text keeps the color of the page"


def test_what_students_and_authors_wrote_is_no_markup(done: Report) -> None:
    html = report.as_html(done)
    for word in ("two", "missing", "toy", "not"):
        assert f"<{word}>" not in html


def test_nothing_ran(done: Report) -> None:
    problem = Failure("toy.py cannot be imported: SyntaxError", place="toy.py, line 3", code="x = (")
    stopped = replace(done, problem=problem)
    text = report.as_text(stopped)
    assert text.startswith("A <toy>: no check ran\n")
    assert "  toy.py cannot be imported: SyntaxError\n  In your file: toy.py, line 3\n" in text
    assert "points" not in text
    assert "<table" not in report.as_html(stopped)


def test_long_lines_are_wrapped(done: Report) -> None:
    long = replace(WRONG, likely_cause="word " * 60)
    text = report.as_text(replace(done, outcomes=(PublicOutcome(SUMS, Status.failed, long),)))
    assert max(map(len, text.splitlines())) <= 96


def test_checks_of_one_task_share_its_heading(done: Report) -> None:
    twice = replace(
        done,
        outcomes=(PublicOutcome(SUMS, Status.passed), PublicOutcome(SUMS, Status.passed), *done.outcomes[1:]),
    )
    assert report.as_text(twice).count("Sums & products") == 1
    assert 'rowspan="2"' in report.as_html(twice)


def test_another_python_than_the_one_that_grades_is_told(done: Report) -> None:
    graded = replace(done, handout=replace(done.handout, grader={"python": "3.99", "torch": "9.0"}))
    assert "graded with Python 3.99 and PyTorch 9.0" in report.as_text(graded)
    assert "graded with" not in report.as_text(done)
