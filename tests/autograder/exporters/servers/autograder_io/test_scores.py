"""Scores come back from autograder.io as points of the course."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.support import tiny
from tests.support.servers.autograder_io_class import CASES, Instructor, is_refused
from tests.support.servers.autograder_io_grading import Grading, Ran, entry_of
from tests.support.servers.autograder_io_site import suites

GOOD = {"tiny_module.py": tiny.REFERENCE.encode()}


def enter(instructor: Instructor, student: str, **earned: int) -> dict[str, Any]:
    """Add the result of a student's final submission, by the first words of the test cases' names."""
    (project,) = instructor.site.all("Project")
    suite = suites(instructor.site, str(project["pk"]))[0]
    scores = dict(zip(CASES, earned.values(), strict=False))
    ran = {name: Ran(0, "", "") for name in scores}
    nowhere = instructor.root / "container"
    grading = Grading("finished_grading", nowhere, suite, Ran(0, "", ""), ran, scores, {})
    entry = entry_of(project, student, grading)
    instructor.site.results.append(entry)
    return entry


def test_scores_come_back_as_points_of_the_course(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    instructor.site.page_size = 2
    enter(instructor, "eve@umich.edu", a=24, b=36, c=20, d=20)
    enter(instructor, "ada@umich.edu", a=24, b=7, c=0, d=20)
    enter(instructor, "=bob@umich.edu", a=24, b=36)
    enter(instructor, "zoe@umich.edu")["ultimate_submission"] = None
    late = enter(instructor, "yan@umich.edu")
    late["ultimate_submission"], late["group"]["num_submissions"] = None, 2
    broken = enter(instructor, "dan@umich.edu", a=24, b=36, c=20, d=0)["ultimate_submission"]["results"]
    cases = broken["ag_test_suite_results"][0]["ag_test_case_results"]
    cases[3]["ag_test_command_results"][0]["custom_scoring_error"] = "no score was found"
    result = instructor.fetch()
    assert result.exit_code == 0, result.output
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(result.stdout))}
    assert list(rows) == [
        "'=bob@umich.edu",
        "ada@umich.edu",
        "dan@umich.edu",
        "eve@umich.edu",
        "yan@umich.edu",
        "zoe@umich.edu",
    ]
    assert [rows["eve@umich.edu"][key] for key in ("score", "max_score", "double", "table")] == [
        "10",
        "10",
        "6",
        "4",
    ]
    assert [rows["ada@umich.edu"][key] for key in ("score", "double", "table")] == ["5.1", "3.1", "2"]
    states = {student: (row["status"], row["score"]) for student, row in rows.items()}
    assert states["eve@umich.edu"] == ("graded", "10")
    assert states["yan@umich.edu"] == ("not finished", "")
    assert "an extension has not ended" in rows["yan@umich.edu"]["notes"]
    assert states["zoe@umich.edu"] == ("nothing handed in", "")
    assert states["dan@umich.edu"] == states["'=bob@umich.edu"] == ("not finished", "")


def test_scores_go_to_a_file_of_the_instructor_alone(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    enter(instructor, "ada@umich.edu", a=24, b=36, c=20, d=20)
    target = instructor.root / "scores.csv"
    result = instructor.run("fetch", "tiny", "autograder_io", "--output", target)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{target}: the scores of 1 students\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.read_text().startswith("student,name,score,max_score,double,table,status,")


def test_no_scores_while_submissions_are_graded(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    entry = enter(instructor, "ada@umich.edu", a=24, b=36, c=20, d=20)
    for status in ("waiting_for_deferred", "queued"):
        entry["ultimate_submission"]["status"] = status
        assert is_refused(instructor.fetch(), "is still grading", "wait until it has finished")
    entry["ultimate_submission"]["status"] = "being_graded"
    assert is_refused(instructor.fetch(), "Some submissions are still being graded")
    entry["ultimate_submission"]["status"] = "finished_grading"
    instructor.site.queued = 3
    assert is_refused(instructor.fetch(), "have not finished: 3")


def test_scores_of_another_bundle_or_of_no_project_are_refused(instructor: Instructor) -> None:
    assert is_refused(instructor.fetch(), "has no project Tiny", "autograder upload tiny autograder_io")
    assert instructor.upload().exit_code == 0
    enter(instructor, "ada@umich.edu", a=24, b=36, c=20, d=20)
    assert instructor.fetch().exit_code == 0
    (command, *_), (case, *_) = instructor.site.all("AGTestCommand"), instructor.site.all("AGTestCase")
    for one, key, value in (
        (command, "max_points_for_custom_scoring", 20),
        (case, "internal_admin_notes", "changed by hand"),
        (case, "internal_admin_notes", case["internal_admin_notes"].replace("10 points", "20 points")),
        (case, "internal_admin_notes", case["internal_admin_notes"].replace("double", "triple")),
    ):
        before = one[key]
        one[key] = value
        assert is_refused(instructor.fetch(), "was uploaded from another version of tiny", "a new bundle")
        one[key] = before
    assert instructor.fetch().exit_code == 0


def _class(instructor: Instructor, *rows: str) -> str:
    path = instructor.root / "roster.csv"
    path.write_text("\n".join(["student,name,email", *rows, ""]))
    return str(path)


def test_the_roster_says_what_students_are_called(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    for student in ("eve@umich.edu", "ada@umich.edu"):
        enter(instructor, student, a=24, b=36, c=20, d=20)
    people = _class(instructor, "ada-l,Ada Lovelace,ada@umich.edu", "zoe-f,Zoe Fischer,zoe@umich.edu")
    result = instructor.run("fetch", "tiny", "autograder_io", "--roster", people)
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["student"], row["name"], row["score"]) for row in rows] == [
        ("ada-l", "Ada Lovelace", "10"),
        ("eve@umich.edu", "", "10"),
    ]
    assert "and called as on the server: eve@umich.edu" in result.stderr


def test_a_roster_of_another_class_is_refused(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    for student in ("eve@umich.edu", "ada@umich.edu"):
        enter(instructor, student, a=24, b=36, c=20, d=20)
    people = _class(instructor, "zoe-f,Zoe Fischer,zoe@umich.edu")
    output = instructor.root / "grades.csv"
    result = instructor.run("fetch", "tiny", "autograder_io", "--roster", people, "--output", output)
    assert is_refused(result, "roster.csv: none of the 2 students on the server is on it", "--roster")
    assert not output.exists()
