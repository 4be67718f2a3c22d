"""A class is graded result by result; what is on disk is always whole."""

from __future__ import annotations

import csv
import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from autograder import intake
from autograder.course import Course
from autograder.course.assignment import Assignment, load
from autograder.errors import ConfigError, EngineError, SuiteError
from autograder.graded.folder import GradedFolder
from autograder.graded.records import Override
from autograder.graded.results import Feedback, SubmissionResult
from autograder.grading import loop, regrade, views
from autograder.grading.loop import GradedClass
from autograder.grading.specimens import REFERENCE
from autograder.intake import Submission, roster
from helpers.statuses import Status
from tests.conftest import StandInEngine


@pytest.fixture
def grade(course: Course, class_folder: Path, tmp_path: Path, open_engine: Any) -> Any:
    """Return a function that grades the class folder and the assignment as they are now."""

    def run(**options: Any) -> GradedClass:
        toy = load(course, "toy")
        submissions = intake.read_class(class_folder, toy).submissions
        settings: dict[str, Any] = {"jobs": 2, "sandbox": "full", "open_engine": open_engine}
        folder = GradedFolder(tmp_path / "graded")
        with folder.lock():
            graded = loop.grade_class(course, toy, submissions, folder, **settings | options)
            views.write_class(course, toy, folder)
        return graded

    return run


class Seen:
    """Progress that remembers."""

    def __init__(self, folder: Path) -> None:
        self.results = folder / "results"
        self.students: list[str] = []
        self.up_to_date = -1

    def skip(self, count: int) -> None:
        self.up_to_date = count

    def stage(self, doing: str) -> None:
        assert doing == "Grading the reference first"

    def __call__(self, result: SubmissionResult) -> None:
        assert (self.results / f"{result.student}.json").is_file()
        self.students.append(result.student)


def test_everyone_gets_a_result_a_page_and_a_row(grade: Any) -> None:
    graded = grade()
    assert {student: result.score for student, result in graded.folder.results().items()} == {
        "ada": 12.5,
        "bob": 0,
        "eve": 0,
    }
    for student in ("ada", "bob", "eve"):
        assert graded.folder.feedback_file(student).read_text().startswith("<!doctype html>")
        written = json.loads(graded.folder.result_file(student).read_text())
        assert SubmissionResult.model_validate(written).student == student
    rows = list(csv.DictReader(graded.folder.gradebook.read_text(encoding="utf-8").splitlines()))
    assert [(row["student"], row["score"], row["status"]) for row in rows] == [
        ("ada", "12.5", "graded"),
        ("bob", "0", "graded"),
        ("eve", "0", "not run"),
    ]


def test_a_problem_is_a_result_too(grade: Any) -> None:
    eve = grade().folder.results()["eve"]
    assert {test.status for test in eve.tests} == {Status.not_run}
    assert eve.notes == ["toy.py is missing."]
    assert eve.max_score == 12.5


def test_files_are_private(grade: Any) -> None:
    graded = grade()
    for path in [graded.folder.root, *graded.folder.root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_provenance_and_time_are_recorded(grade: Any, course: Course) -> None:
    ada = grade().folder.results()["ada"]
    assert ada.provenance.torch == "2.13.0"
    assert ada.provenance.secret == course.secret_id()
    assert ada.seconds == 0.123
    assert ada.sandbox.level == "full"


def test_a_result_is_on_disk_before_it_is_reported(grade: Any, tmp_path: Path) -> None:
    seen = Seen(tmp_path / "graded")
    grade(progress=seen)
    assert (seen.students, seen.up_to_date) == (["eve", "bob", "ada"], 0)


def test_regrading_changes_nothing(grade: Any) -> None:
    before = {path: path.read_bytes() for path in grade().folder.root.rglob("*.*")}
    after = {path: path.read_bytes() for path in grade().folder.root.rglob("*.*")}
    assert before == after
    assert len(after) == 12


def test_stopping_keeps_what_is_done(grade: Any, class_folder: Path, tmp_path: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("stop")
    with pytest.raises(KeyboardInterrupt):
        grade()
    assert sorted(path.name for path in (tmp_path / "graded" / "results").iterdir()) == [
        "bob.json",
        "eve.json",
    ]


def test_earlier_results_stay_and_are_named(grade: Any, class_folder: Path) -> None:
    grade()
    (class_folder / "bob").rename(class_folder / "rob")
    graded = grade()
    assert list(graded.folder.results()) == ["ada", "bob", "eve", "rob"]
    assert graded.older == ("bob",)


def test_work_that_is_no_longer_in_the_class_folder_keeps_its_result(
    grade: Any, course: Course, toy: Assignment, class_folder: Path, tmp_path: Path, open_engine: Any
) -> None:
    grade()
    roster_file = tmp_path / "roster.csv"
    roster_file.write_text("student\nada\nbob\nzoe\n")
    (class_folder / "ada").rename(tmp_path / "elsewhere")
    seen = Seen(tmp_path / "graded")
    submissions = intake.read_class(class_folder, toy, roster.read(roster_file)).submissions
    assert {one.student for one in submissions if one.absent} == {"ada", "zoe"}
    folder = GradedFolder(tmp_path / "graded")
    with folder.lock():
        graded = loop.grade_class(
            course, toy, submissions, folder, jobs=1, sandbox="full", open_engine=open_engine, progress=seen
        )
    assert graded.older == ("ada",)
    assert (seen.students, seen.up_to_date) == (["zoe"], 3)
    results = folder.results()
    assert (results["ada"].score, results["ada"].handed_in) == (12.5, "work")
    assert (results["zoe"].score, results["zoe"].handed_in) == (0, "nothing")


def test_another_assignment_in_the_folder_is_refused(grade: Any, toy: Assignment, tmp_path: Path) -> None:
    folder = grade().folder
    folder.save(folder.results()["ada"].model_copy(update={"assignment": "other"}))
    with pytest.raises(ConfigError, match="holds results of the assignment 'other'"):
        grade()


def test_an_engine_that_loses_a_submission_is_noticed(grade: Any, class_folder: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("lose")
    with pytest.raises(EngineError, match="returned nothing for 1 of 3"):
        grade()


def test_a_suite_that_cannot_be_scored_stops_before_grading(
    grade: Any, open_engine: Any, tmp_path: Path
) -> None:
    class Bad(open_engine):  # type: ignore[misc]
        plan = (replace(open_engine.plan[0], task="unknown"),)

    with pytest.raises(SuiteError, match="unknown task 'unknown'"):
        grade(open_engine=Bad)
    assert not list((tmp_path / "graded" / "results").iterdir())


def test_one_submission_leaves_nothing_behind(
    course: Course, toy: Assignment, class_folder: Path, tmp_path: Path, open_engine: Any
) -> None:
    submission = intake.read_one(class_folder / "ada", toy)
    result = loop.grade_one(course, toy, submission, sandbox="none", open_engine=open_engine)
    assert result.score == 12.5
    assert not (tmp_path / "graded").exists()


def test_reports_are_made_from_results_alone(grade: Any, course: Course, toy: Assignment) -> None:
    folder = grade().folder
    folder.save(folder.results()["bob"].model_copy(update={"score": 3.0}))
    folder.feedback_file("ada").unlink()
    folder.gradebook.unlink()
    records = views.write_class(course, toy, folder)
    assert [record.score for record in records] == [12.5, 3, 0]
    assert folder.feedback_file("ada").is_file()
    assert "bob,,3,12.5" in folder.gradebook.read_text()


def test_what_is_up_to_date_is_kept(grade: Any, class_folder: Path, tmp_path: Path) -> None:
    grade()
    (class_folder / "bob" / "toy.py").write_text("pass")
    seen = Seen(tmp_path / "graded")
    graded = grade(progress=seen)
    assert (graded.kept, seen.students) == (("ada", "eve"), ["bob"])
    assert graded.folder.results()["bob"].score == 12.5
    assert len(grade(force=True).kept) == 0


def test_an_interrupted_run_goes_on(grade: Any, class_folder: Path, tmp_path: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("stop")
    with pytest.raises(KeyboardInterrupt):
        grade()
    (class_folder / "ada" / "toy.py").write_text("pass")
    graded = grade()
    assert graded.kept == ("bob", "eve")
    assert list(graded.folder.results()) == ["ada", "bob", "eve"]


def test_a_new_remark_needs_no_grading(grade: Any, class_folder: Path) -> None:
    grade()
    (class_folder / "ada" / "more.txt").write_text("")
    graded = grade()
    assert graded.kept == ("ada", "bob", "eve")
    assert graded.folder.results()["ada"].notes == ["Ignored: more.txt."]


def test_feedback_that_is_missing_is_written_without_touching_the_result(grade: Any) -> None:
    folder = grade().folder
    before = folder.result_file("ada").stat().st_mtime_ns
    for form in ("html", "md"):
        folder.feedback_file("ada", form).unlink()
        grade()
        assert folder.feedback_file("ada", form).is_file()
    assert folder.result_file("ada").stat().st_mtime_ns == before


@pytest.mark.parametrize("field", ["kit", "suite", "python", "torch", "numpy", "machine", "secret", "limits"])
def test_whatever_a_regrade_must_share_is_part_of_being_up_to_date(grade: Any, field: str) -> None:
    folder = grade().folder
    ada = folder.results()["ada"]
    other: Any = {} if field == "limits" else "another"
    folder.save(ada.model_copy(update={"provenance": ada.provenance.model_copy(update={field: other})}))
    assert grade().kept == ("bob", "eve")
    assert folder.results()["ada"] == ada


def test_another_level_of_confinement_is_no_repetition(grade: Any) -> None:
    grade()
    assert grade(sandbox="weak").kept == ()
    assert grade(sandbox="weak").kept == ("ada", "bob", "eve")


def test_unfinished_results_are_never_up_to_date(grade: Any, class_folder: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("half")
    grade()
    assert grade().kept == ("bob", "eve")


class Stricter(StandInEngine):
    """An engine whose suite was changed: its hidden test fails whatever students handed in."""

    def grade(self, submissions: Any) -> Any:
        for graded in super().grade(submissions):
            if graded.submission.student == REFERENCE:
                yield graded
                continue
            first, second = graded.outcomes
            failed = replace(second, status=Status.failed, feedback=Feedback(summary="Wrong."))
            yield replace(graded, outcomes=(first, failed))


@pytest.fixture
def changed(toy: Assignment) -> None:
    """Change the suite after the class was graded, so that every result is made again."""
    (toy.suite / "test_hidden.py").write_text("# another one\n")


@pytest.fixture
def graded_before(grade: Any) -> GradedFolder:
    """Return the folder of a class that was graded with the first suite."""
    folder: GradedFolder = grade().folder
    return folder


def test_a_changed_suite_shows_who_moves_before_it_replaces(
    graded_before: GradedFolder, changed: None, grade: Any
) -> None:
    before = graded_before.results()
    graded = grade(open_engine=Stricter)
    (move,) = graded.moves
    assert (move.student, move.before, move.after) == ("ada", 12.5, 10)
    (test,) = move.tests
    assert (test.id, test.before, test.after) == ("test_hidden.py::test_b", 2.5, 0)
    assert graded.folder.results()["ada"] == before["ada"], "the old points count"
    assert graded.folder.results()["bob"] != before["bob"], "nothing moves, so it is replaced"
    again = grade(open_engine=Stricter)
    assert again.kept == ("ada", "bob", "eve"), "what waits is not made again"
    assert again.moves == graded.moves


class Reweighted(StandInEngine):
    """An engine whose suite has another test in the first task, and other weights."""

    plan = (
        replace(StandInEngine.plan[0], weight=Fraction(3)),
        replace(StandInEngine.plan[0], id="test_public.py::test_c", title="Adds more", weight=Fraction(1)),
        StandInEngine.plan[1],
    )


def test_weights_that_moved_within_a_task_count_without_a_question(
    graded_before: GradedFolder, changed: None, grade: Any
) -> None:
    graded = grade(open_engine=Reweighted)
    assert (graded.moves, graded.reweighted) == ((), 3)
    ada = graded.folder.results()["ada"]
    assert [test.points for test in ada.tests] == [7.5, 2.5, 2.5]
    assert not (graded.folder.root / "pending").exists()


def test_points_that_move_between_tasks_wait_although_the_score_is_the_same(
    graded_before: GradedFolder, changed: None, grade: Any, toy: Assignment
) -> None:
    text = (
        toy.file.read_text().replace("points = 10\n", "points = 9\n").replace("points = 2.5", "points = 3.5")
    )
    toy.file.write_text(text)
    graded = grade()
    assert [(move.student, move.before, move.after) for move in graded.moves] == [("ada", 12.5, 12.5)]
    assert graded.reweighted == 2


def test_accepting_replaces(
    graded_before: GradedFolder, changed: None, grade: Any, course: Course, toy: Assignment
) -> None:
    folder = grade(open_engine=Stricter).folder
    assert loop.accept_pending(course, toy, folder) == 1
    assert folder.results()["ada"].score == 10
    assert "10 of 12.5" in folder.feedback_file("ada", "md").read_text()
    assert regrade.pending_moves(folder) == ()
    assert loop.accept_pending(course, toy, folder) == 0


def test_accepting_beforehand(graded_before: GradedFolder, changed: None, grade: Any) -> None:
    graded = grade(open_engine=Stricter, accept=True)
    assert graded.moves == ()
    assert graded.folder.results()["ada"].score == 10


def test_a_new_submission_replaces_what_waits(
    graded_before: GradedFolder, changed: None, grade: Any, class_folder: Path
) -> None:
    grade(open_engine=Stricter)
    (class_folder / "ada" / "toy.py").write_text("fail")
    graded = grade(open_engine=Stricter)
    assert graded.moves == ()
    assert graded.folder.results()["ada"].score == 0


def test_overrides_survive_regrades(graded_before: GradedFolder, changed: None, grade: Any) -> None:
    decided = Override(
        task="second", points=2, reason="agreed", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    graded_before.decide("ada", (decided,))
    folder = grade(open_engine=Stricter, accept=True).folder
    (ada, *_) = folder.records()
    assert (ada.score, ada.result.score) == (12, 10)
    for form in ("html", "md"):
        page = folder.feedback_file("ada", form).read_text()
        assert "decided by Grace" in page
        assert "agreed" in page
    assert "second: 2 points, by Grace on 2026-03-01 (agreed)." in folder.gradebook.read_text()


@pytest.mark.parametrize(
    ("rule", "score", "note"),
    [("latest", 0, "Attempt 3 of 3 counts, the latest."), ("best", 12.5, "Attempt 2 of 3 counts, the best.")],
)
def test_of_several_attempts_one_counts(
    course: Course, toy: Assignment, open_engine: Any, tmp_path: Path, rule: Any, score: float, note: str
) -> None:
    words = [b"fail", b"pass", b"fail"]
    *earlier, last = (Submission("ada", tmp_path, {"toy.py": word}) for word in words)
    submission = replace(last, earlier=tuple(earlier))
    folder = GradedFolder(tmp_path / "graded")
    chosen = replace(toy, attempts=rule)
    settings: Any = {"jobs": 1, "sandbox": "full", "open_engine": open_engine}
    with folder.lock():
        loop.grade_class(course, chosen, [submission], folder, **settings)
        again = loop.grade_class(course, chosen, [submission], folder, **settings)
        assert again.kept == ("ada",)
        result = folder.results()["ada"]
        assert (result.score, result.notes, len(result.attempts)) == (score, [note], 3)
        more = replace(submission, earlier=(*earlier, earlier[0]))
        assert loop.grade_class(course, chosen, [more], folder, **settings).kept == ()
