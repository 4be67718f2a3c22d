"""The feedback page: complete, readable on its own, and free of what students must not see."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from autograder.graded.records import Override, Record, WrittenAnswer
from autograder.graded.results import Feedback, Location, SubmissionResult
from autograder.reports import feedback
from helpers.statuses import Status
from helpers.wording import number
from tests.support import written_class as made

DECIDED = Override(points=3, reason="oral", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC))
HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J\u202e{{ 7*7 }}"


class _Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "circle", "rect", "br"):
            self.open.append(tag)
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "xlink:href")
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += f" {data}"


def _render(result: SubmissionResult) -> str:
    return feedback.render(Record(result), title="A toy", course="Deep Learning")


def test_everything_for_the_student_is_there(result: SubmissionResult) -> None:
    text = " ".join(_Page(_render(result)).text.split())
    for words in (
        "Deep Learning A toy ada 1 of 4 checks passed.",
        "The first task",
        "5 / 10",
        "✗ Failed",
        "Adds vectors",
        "The values are wrong.",
        "Expected (3, 4) float32",
        "Yours (4, 3) float32",
        "First wrong entry [3, 0]; 7 of 12 are wrong",
        "toy.py, line 12, in answer",
        "Likely cause The sum runs over the wrong dimension.",
        "✗ Raised an error Hidden check",
        "This check stays hidden",
        "1 check not judged",
        "1 check passed",
        "Ignored: notes.txt.",
        "Graded by CourseGrad 0.1.0 with Python 3.11.7 and PyTorch",
        "Sandbox: full",
    ):
        assert words in text


def test_nothing_for_the_instructor_is_there(result: SubmissionResult) -> None:
    assert "CANARY" in result.model_dump_json()
    assert "CANARY" not in _render(result)


def test_page_is_well_formed_and_stands_alone(result: SubmissionResult) -> None:
    page = _Page(_render(result))
    assert page.open == []
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(page.tags)
    assert all(link.startswith("#task-") for link in page.links)
    assert "url(" not in _render(result)
    assert "default-src &#39;none&#39;" in _render(result) or "default-src 'none'" in _render(result)


def test_student_text_is_only_ever_text(result: SubmissionResult) -> None:
    hostile = Feedback(
        summary=HOSTILE,
        likely_cause=HOSTILE,
        expected=HOSTILE,
        actual=HOSTILE,
        first_wrong=HOSTILE,
        location=Location(file=HOSTILE, line=1, function=HOSTILE),
    )
    tests = [
        test.model_copy(update={"feedback": hostile, "title": HOSTILE, "status": status})
        for test, status in zip(
            result.tests, (Status.failed, Status.crashed, Status.not_judged, Status.passed), strict=True
        )
    ]
    tasks = [task.model_copy(update={"title": HOSTILE}) for task in result.tasks]
    changes = {"student": HOSTILE, "notes": [HOSTILE], "tests": tests, "tasks": tasks}
    page = feedback.render(
        Record(result.model_copy(update={**changes, "files": {HOSTILE: HOSTILE}})),
        title=HOSTILE,
        course=HOSTILE,
    )
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    parsed = _Page(page)
    assert "script" not in parsed.tags
    assert parsed.open == []
    assert "<script>alert(1)</script>\"'&\\x1b[2J\\u202e{{ 7*7 }}" in parsed.text


def test_written_answers_and_comments_are_only_ever_text(result: SubmissionResult) -> None:
    answer = made.answer(f"{HOSTILE} ![x](http://example.org/x.png) [y](javascript:alert(1))", title=HOSTILE)
    scored = WrittenAnswer(answer, made.mark(3, answer, comment=HOSTILE, by=HOSTILE))
    page = feedback.render(Record(result, written=(scored,)), title="A toy", course="Deep Learning")
    parsed = _Page(page)
    assert not {"script", "img"} & set(parsed.tags)
    assert not [link for link in parsed.links if not link.startswith("#")]
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "Scored by" in parsed.text
    plain = feedback.render_markdown(Record(result, written=(scored,)), title="A toy", course="DL")
    assert "<script" not in plain
    assert "\x1b" not in plain


def test_full_marks(result: SubmissionResult) -> None:
    tests = [
        test.model_copy(update={"status": Status.passed, "points": test.max_points}) for test in result.tests
    ]
    tasks = [task.model_copy(update={"points": task.max_points}) for task in result.tasks]
    page = _render(result.model_copy(update={"tests": tests, "tasks": tasks, "score": 12.5}))
    text = " ".join(_Page(page).text.split())
    assert "All 4 checks passed." in text
    assert 'class="value full"' in page
    assert "<article" not in page


def test_submission_that_did_not_run(result: SubmissionResult) -> None:
    reason = Feedback(summary="toy.py is missing.")
    tests = [
        test.model_copy(update={"status": Status.not_run, "points": 0, "feedback": reason})
        for test in result.tests
    ]
    text = _Page(
        _render(result.model_copy(update={"tests": tests, "score": 0, "notes": ["toy.py is missing."]}))
    ).text
    assert "Nothing could be checked" in text
    assert text.count("toy.py is missing.") == 1
    assert "2 checks not run" in text


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_look(result: SubmissionResult, status: Status) -> None:
    tests = [result.tests[0].model_copy(update={"status": status, "feedback": None}), *result.tests[1:]]
    assert _render(result.model_copy(update={"tests": tests}))


def test_extra_credit_is_called_so_and_fills_no_bar_twice(result: SubmissionResult) -> None:
    first, *others = result.tasks
    extra = first.model_copy(update={"extra": True, "points": first.max_points})
    more = result.model_copy(update={"tasks": [extra, *others], "score": result.max_score + 2})
    page = feedback.page(Record(more), title="Toy", course="Course")
    assert (page.percent, page.sections[0].percent) == (100.0, 100.0)
    points = f"{number(first.max_points)} / {number(first.max_points)} extra"
    for text in (_render(more), feedback.render_markdown(Record(more), title="Toy", course="Course")):
        assert text.count(" extra") == text.count(points) > 0


def _both(record: Record) -> tuple[str, str]:
    """Return what the page says in words, and its Markdown."""
    page = feedback.render(record, title="A toy", course="Deep Learning")
    return " ".join(_Page(page).text.split()), feedback.render_markdown(
        record, title="A toy", course="Deep Learning"
    )


def _absent(result: SubmissionResult) -> SubmissionResult:
    said = Feedback(summary="Nothing was handed in.")
    tests = [
        test.model_copy(update={"status": Status.not_run, "points": 0, "feedback": said})
        for test in result.tests
    ]
    tasks = [task.model_copy(update={"points": 0}) for task in result.tasks]
    none = {"tests": tests, "tasks": tasks, "score": 0, "files": {}, "handed_in": "nothing"}
    return result.model_copy(update={**none, "notes": [said.summary]})


def test_an_absent_student_has_no_points_and_learns_how_to_hand_in(result: SubmissionResult) -> None:
    record = Record(_absent(result), written=(WrittenAnswer(made.answer("")),))
    for text in _both(record):
        assert "Nothing was handed in" in text
        assert "There are no points for you yet." in text
        assert "tell your instructor that it did not arrive" in text
        assert "– / 10" in text  # noqa: RUF001
        assert "0 / 10" not in text.replace("10 / 10", "")
        assert "0 of 12.5" not in text
        assert "not scored yet" not in text
        assert "Nothing could be checked" not in text
    assert "0 of 12.5 points" in _both(replace(record, missing_as_zero=True))[1]
    assert all("This counts as 0 points." in text for text in _both(replace(record, missing_as_zero=True)))
    assert "3 of 12.5 points, decided by Grace" in _both(replace(record, overrides=(DECIDED,)))[0]


@pytest.mark.parametrize("handed_in", ["work", "nothing"])
def test_an_excused_student_has_no_points(result: SubmissionResult, handed_in: str) -> None:
    record = Record(_absent(result) if handed_in == "nothing" else result, excused=True)
    for text in _both(record):
        assert "You are excused" in text
        assert "it does not count for you" in text
        assert "of 12.5 points" not in text
        assert "5 / 10" not in text
        assert "tell your instructor" not in text
    assert ("The values are wrong." in _both(record)[0]) == (handed_in == "work")


def test_who_waits_for_a_decision_has_no_points_yet(result: SubmissionResult) -> None:
    waits = "Waits for a decision: toy.py could be a/toy.py or b/toy.py."
    nothing = _absent(result)
    tests = [one.model_copy(update={"feedback": Feedback(summary=waits)}) for one in nothing.tests]
    record = Record(nothing.model_copy(update={"tests": tests, "notes": [waits], "handed_in": "undecided"}))
    for text in _both(record):
        assert "Your instructor has to decide" in text
        assert text.count("Waits for a decision") == 1
        assert "0 of 12.5" not in text
