"""The report explains the class, says what needs a look, and is safe to open and to show."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from autograder.graded.records import Move, Override, Record, WrittenAnswer
from autograder.graded.results import CUT_OFF, Feedback, SandboxReport, SubmissionResult
from autograder.reports import charts, class_report, looks, statistics
from autograder.reports.statistics import Item
from helpers.statuses import Status
from tests.conftest import graded_example
from tests.support import written_class as made

HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e&"
OVERRIDE = Override(points=9, reason="agreed", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC))


def of(student: str, *statuses: Status, score: float = 5.0) -> Record:
    """Return a record of the toy assignment whose tests ended so."""
    result = graded_example(student)
    tests = [
        test.model_copy(update={"status": status, "points": test.max_points if status == "passed" else 0})
        for test, status in zip(result.tests, statuses or [test.status for test in result.tests], strict=True)
    ]
    return Record(result.model_copy(update={"tests": tests, "score": score}))


def klass(count: int) -> list[Record]:
    """Return students of growing skill: the first test tells them apart, the second the wrong way round."""
    right, wrong = Status.passed, Status.failed
    records = []
    for number in range(count):
        good = number >= count // 2
        statuses = (right if good else wrong, wrong if good else right, right if good else wrong, right)
        records.append(of(f"s{number:04}", *statuses, score=10.0 if good else 3.0))
    return records


class Page(HTMLParser):
    """What a reader sees, and which elements there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", list[str]()
        self._hidden = 0
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._hidden += tag in ("style", "desc")
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in ("src", "href") or (value or "").startswith("#")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "desc")

    def handle_data(self, data: str) -> None:
        self.text += "" if self._hidden else f" {data}"


def render(records: list[Record], **more: object) -> str:
    return class_report.render(records, title="A toy", course="Deep Learning", **more)  # type: ignore[arg-type]


def test_everything_that_an_instructor_asks_is_there() -> None:
    records = [*klass(20), replace(of("zoe", score=5.0), overrides=(OVERRIDE,), name="Zoë Fischer")]
    page = Page(render(records, notes=["Nothing was handed in by Bob."]))
    for words in (
        "A toy: the class",
        "Students 21",
        "Mean of 12.5",
        "The sum runs over the wrong dimension.",
        "Zoë Fischer 9*",
        "Nothing was handed in by Bob.",
        "Tests that good students fail 1",
        "Decided by a person",
        "seconds of grading in all",
        "CourseGrad 0.1.0, suite CANARY-suite",
        "sandbox full",
    ):
        assert words in page.text, words
    assert page.tags.count("svg") == 2


def test_student_text_is_only_ever_text() -> None:
    result = graded_example(HOSTILE)
    hostile = Feedback(summary=HOSTILE, likely_cause=HOSTILE)
    tests = [test.model_copy(update={"title": HOSTILE, "feedback": hostile}) for test in result.tests]
    tasks = [task.model_copy(update={"title": HOSTILE}) for task in result.tasks]
    changes = {"tests": tests, "tasks": tasks, "notes": [HOSTILE], "name": HOSTILE}
    html = render([Record(result.model_copy(update=changes), name=HOSTILE)] * 3, notes=[HOSTILE])
    assert "script" not in Page(html).tags
    assert "\x1b" not in html
    assert "\u202e" not in html


def test_what_only_the_instructor_may_read_is_not_printed_by_accident() -> None:
    html = render(klass(12))
    assert "CANARY-output" not in html
    assert "CANARY-detail" not in html


def test_students_without_points_are_in_no_figure() -> None:
    absent = of("abe", score=0.0)
    absent = replace(absent, result=absent.result.model_copy(update={"handed_in": "nothing"}))
    una = replace(
        absent, result=absent.result.model_copy(update={"handed_in": "undecided", "student": "una"})
    )
    records = [*klass(10), absent, una, replace(of("eva", score=0.0), excused=True)]
    page = Page(render(records))
    for words in (
        "Students 13",
        "Mean of 12.5 6.5",
        "Without points, and not in these figures: 1 excused, 1 without a submission, 1 waiting for your",
        "Nothing was handed in 1",
        "Excused 1",
        "Waits for your decision 1",
        "abe – ",  # noqa: RUF001
        "eva excused ",
    ):
        assert words in page.text, words
    nobody = Page(render([replace(of("eva"), excused=True)])).text
    assert "Mean of 12.5 –" in nobody  # noqa: RUF001


def test_the_same_results_give_the_same_page() -> None:
    records = klass(30)
    assert render(records) == render(records)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_small_classes(count: int) -> None:
    page = Page(render(klass(count)))
    assert "This class is too small for it." in page.text
    assert "Tests that good students fail" not in page.text


def test_a_class_in_which_nothing_ran() -> None:
    missing = Feedback(summary="toy.py is missing.")
    result = graded_example()
    tests = [
        test.model_copy(update={"status": Status.not_run, "feedback": missing, "points": 0})
        for test in result.tests
    ]
    records = [Record(result.model_copy(update={"tests": tests, "score": 0.0}))]
    assert "Nothing could be checked 1" in Page(render(records)).text


def look(record: Record, **more: object) -> list[str]:
    return [one.what for one in looks.looks([record], [], **more)]  # type: ignore[arg-type]


def test_what_needs_a_look() -> None:
    fine = of("ada", Status.passed, Status.failed, Status.raised, Status.not_judged)
    assert look(fine) == []
    assert look(of("a", *[Status.crashed] * 4)) == ["Crashed or out of memory"]
    assert look(of("a", *[Status.memory] * 4)) == ["Crashed or out of memory"]
    assert look(replace(fine, overrides=(OVERRIDE,))) == ["Decided by a person"]
    weak = fine.result.model_copy(update={"sandbox": SandboxReport(level="weak", layers={})})
    assert look(Record(weak)) == ["Not fully confined"]
    assert look(fine, moves=[Move("ada", 5, 4, ())]) == ["A regrade waits"]
    old, new = made.answer("Old."), made.answer("New.")
    assert look(replace(fine, written=(WrittenAnswer(new),))) == ["Written answers not scored yet"]
    assert look(replace(fine, written=(WrittenAnswer(new, made.mark(1, new)),))) == []
    changed = WrittenAnswer(new, made.mark(1, old))
    assert look(replace(fine, written=(changed,))) == ["Answers changed since they were scored"]
    cut = Feedback(summary=CUT_OFF)
    tests = [one.model_copy(update={"status": Status.crashed, "feedback": cut}) for one in weak.tests]
    assert look(Record(fine.result.model_copy(update={"tests": tests})))[0] == "Checks without a result"


# The figures


def test_difficulty_counts_whoever_was_judged() -> None:
    records = [of("a"), of("b", Status.passed, Status.passed, Status.passed, Status.passed)]
    shares = {item.id.partition("::")[2]: (item.passed, item.judged) for item in statistics.items(records)}
    assert shares == {"test_a": (2, 2), "test_b": (1, 2), "test_c": (1, 2), "test_d": (1, 1)}


def test_discrimination_is_the_correlation_with_the_rest() -> None:
    first, second, third, fourth = statistics.items(klass(20))
    assert first.discrimination == pytest.approx(1)
    assert third.discrimination == pytest.approx(1)
    assert second.discrimination == pytest.approx(-1)
    assert (first.is_perverse, second.is_perverse) == (False, True)
    assert fourth.discrimination is None, "everybody passed"


def test_one_student_is_no_evidence() -> None:
    assert not Item("i", "t", "task", True, passed=19, judged=20, discrimination=-0.5).is_perverse
    assert Item("i", "t", "task", True, passed=17, judged=20, discrimination=-0.5).is_perverse


def test_correlation_agrees_with_numpy() -> None:
    import numpy

    source = random.Random(1)
    x = [source.random() for _ in range(50)]
    y = [value + source.random() for value in x]
    assert statistics.correlation(x, y) == pytest.approx(float(numpy.corrcoef(x, y)[0, 1]))
    assert statistics.correlation([1, 1], [1, 2]) is statistics.correlation([], []) is None


def test_a_cause_counts_each_student_once() -> None:
    twice = graded_example("ada")
    told = twice.tests[1].feedback
    tests = [test.model_copy(update={"feedback": told}) for test in twice.tests]
    records = [Record(twice.model_copy(update={"tests": tests})), Record(graded_example("bob"))]
    (cause,) = statistics.causes(records)
    assert (cause.students, cause.tasks) == (("ada", "bob"), ("The first task", "The second task"))


@pytest.mark.parametrize("scores", [[], [0.0], [100.0] * 3, [-1.0, 0.0, 9.99, 10.0, 104.5]])
def test_every_score_is_in_some_bin(scores: list[float]) -> None:
    svg = charts.histogram(scores, 100)
    described = svg.partition("<desc>")[2].partition("</desc>")[0]
    assert sum(int(part.rpartition(": ")[2]) for part in described.split("; ")) == len(scores)


def test_charts_take_the_colors_of_the_page_and_keep_text() -> None:
    svg = charts.shares(["Sums <b>", "x" * 80, "$\\alpha$ & co"], [0.5, 1.0, 0.0])
    assert "var(--accent)" in svg
    assert "#0" not in svg
    assert "Sums &lt;b&gt;" in svg
    assert "$\\alpha$ &amp; co" in svg
    assert "50%" in svg
    assert "DejaVu" not in svg


def test_three_thousand_students_fit() -> None:
    html = render(klass(3000))
    assert len(html) < 2_000_000


def test_results_of_several_suites_are_told_apart() -> None:
    other: SubmissionResult = graded_example("bob")
    source = other.provenance.model_copy(update={"suite": "another"})
    records = [*klass(3), Record(other.model_copy(update={"provenance": source}))]
    assert "grade again to make them comparable" in Page(render(records)).text


# What needs a look, grouped


def stopped(student: str, reason: str, notes: list[str] | None = None) -> Record:
    """Return a record of a submission of which no check ran."""
    result = graded_example(student)
    feedback = Feedback(summary=reason)
    tests = [
        test.model_copy(update={"status": Status.not_run, "feedback": feedback, "points": 0})
        for test in result.tests
    ]
    return Record(result.model_copy(update={"tests": tests, "score": 0.0, "notes": notes or [reason]}))


def test_submissions_that_did_not_run_are_grouped_by_cause() -> None:
    missing = [stopped(f"m{number:02}", "toy.py is missing.") for number in range(40)]
    error = "ModuleNotFoundError: No module named 'utils'. The file could not be imported, so no check ran."
    broken = [stopped(f"b{number}", f"toy.py, line {number + 1}: {error}") for number in range(5)]
    (look,) = looks.looks([*broken, *missing], [])
    assert (look.what, look.count) == ("Nothing could be checked", 45)
    assert [(group.cause, len(group.members)) for group in look.groups] == [
        ("toy.py is missing.", 40),
        ("ModuleNotFoundError: No module named 'utils'.", 5),
    ]
    text = Page(render([*broken, *missing])).text
    assert "toy.py is missing. 40" in text
    assert all(f"m{number:02}" in text.partition("Scores")[0] for number in range(40)), "nobody is cut off"


def test_every_cause_is_there_with_its_students() -> None:
    records = []
    for number in range(60):
        result = graded_example(f"s{number:02}")
        cause = Feedback(summary="No.", likely_cause=f"mistake {number % 30:02}")
        tests = [test.model_copy(update={"feedback": cause}) for test in result.tests]
        records.append(Record(result.model_copy(update={"tests": tests})))
    text = Page(render(records)).text.partition("Commonest likely causes")[2].partition("Tests Passed:")[0]
    assert "10 more causes" in text
    for number in range(30):
        assert f"mistake {number:02} s{number:02}; s{number + 30:02}" in text


def test_names_are_separated_by_semicolons() -> None:
    records = [
        replace(stopped(name, "toy.py is missing."), name=name) for name in ("Mensah, Grace", "Nobody, Nina")
    ]
    assert "Mensah, Grace; Nobody, Nina" in Page(render(records)).text


def test_notes_on_files_are_grouped_and_whole() -> None:
    guessed = [
        stopped(f"s{number}", "It broke.", ["toy.py was taken from toy (1).py."]) for number in range(9)
    ]
    page = Page(
        render(
            [*guessed, stopped("zoe", "It broke.")],
            notes=["Nothing was handed in by: " + "; ".join(f"n{n}" for n in range(20)) + "."],
        )
    )
    assert "toy.py was taken from toy (1).py. 9" in page.text
    assert "n18; n19." in page.text
    assert "Notes on files" not in Page(render([stopped("zoe", "It broke.")])).text


def test_a_choice_that_is_open_waits_for_the_instructor() -> None:
    reason = "Waits for a decision: toy.py could be a.py or b.py."
    record = stopped("ada", reason)
    open_choice = Record(record.result.model_copy(update={"handed_in": "undecided"}))
    (look,) = looks.looks([open_choice], [])
    assert look.what == "Waits for your decision"
    assert look.groups == (looks.Group("toy.py could be a.py or b.py.", ("ada",)),)
    assert looks.looks([replace(open_choice, overrides=(OVERRIDE,))], [])[0].what == "Decided by a person"
