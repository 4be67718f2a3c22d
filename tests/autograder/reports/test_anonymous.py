"""Nothing in the anonymous views says who somebody is, and nothing in them was written by a student."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from autograder.course import Course, assignment
from autograder.graded.folder import GradedFolder
from autograder.graded.records import Override, Record, WrittenAnswer
from autograder.graded.results import Feedback
from autograder.grading import views
from autograder.reports import anonymous
from helpers.statuses import Status
from tests.conftest import graded_example
from tests.support import written_class as made

KEY = bytes(32)
TELLING = (
    "ada",
    "Park",
    "0815",
    "SECRETNAME",
    "Grace",
    "notes.txt",
    "toy.py",
    "CANARY-output",
    "CANARY-detail",
)


def telling(student: str) -> Record:
    """Return a record that names its student wherever a student's text can come to stand."""
    result = graded_example(student)
    feedback = Feedback(
        summary="SECRETNAME raised",
        likely_cause="the wrong dimension",
        expected="SECRETNAME",
        actual="SECRETNAME",
    )
    tests = [test.model_copy(update={"feedback": feedback, "output": "SECRETNAME"}) for test in result.tests]
    tests[3] = tests[3].model_copy(update={"status": Status.not_run})
    changes = {"tests": tests, "notes": ["Taken from SECRETNAME.zip."], "name": "Ada Park"}
    override = Override(
        points=7, reason="SECRETNAME was ill", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    old, new = made.answer("SECRETNAME"), made.answer("I, SECRETNAME", note="In SECRETNAME's cell.")
    mark = made.mark(3, old, comment="Well done, SECRETNAME.")
    written = (WrittenAnswer(new, mark), WrittenAnswer(new.model_copy(update={"question": "more"})))
    return Record(result.model_copy(update=changes), (override,), name="Ada Park", written=written)


def test_no_file_names_anybody(course: Course, tmp_path: Path) -> None:
    toy = assignment.load(course, "toy")
    folder = GradedFolder(tmp_path / "graded")
    with folder.lock():
        for student in ("ada-0815", "bruno-0816"):
            record = telling(student)
            folder.save(record.result)
            folder.decide(student, record.overrides)
        views.write_class(course, toy, folder)
        hidden = views.write_anonymous(course, toy, folder)
    written = [path for path in hidden.root.rglob("*") if path.is_file()]
    assert {path.name for path in written} == {"grades.csv", "report.html"}
    for path in written:
        text = path.read_text()
        assert [word for word in (*TELLING, "bruno") if word in text] == [], path.name
        assert "student-" in text
    assert "the wrong dimension" in hidden.class_report.read_text()
    assert "Ada Park" in folder.class_report.read_text(), "the other one does name them"


def test_pseudonyms_need_the_secret_and_stay_the_same() -> None:
    names = {anonymous.pseudonym(KEY, f"s{number}") for number in range(3000)}
    assert len(names) == 3000
    assert anonymous.pseudonym(KEY, "ada") == anonymous.pseudonym(KEY, "ada")
    assert anonymous.pseudonym(KEY, "ada") != anonymous.pseudonym(b"x" * 32, "ada")


def test_points_stay_and_the_order_tells_nothing() -> None:
    records = [telling(student) for student in ("ada", "bob", "cem", "dora")]
    hidden = anonymous.anonymize(records, KEY)
    assert [record.student for record in hidden] == sorted(record.student for record in hidden)
    assert {record.score for record in hidden} == {7}


def test_points_of_written_answers_stay() -> None:
    (record,) = anonymous.anonymize([telling("ada")], KEY)
    scored, waiting = record.written
    assert scored.mark is not None
    assert (scored.mark.points, scored.has_changed, scored.answer.text) == (3, True, "")
    assert waiting.is_waiting
