"""Fetch the scores that autograder.io has given, as a table like the gradebook of a graded class."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, Final

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.errors import ServerError
from autograder.exporters import grades
from autograder.exporters.servers.autograder_io import project as projects
from autograder.exporters.servers.autograder_io.api import Api
from autograder.exporters.servers.autograder_io.settings import Settings
from autograder.exporters.servers.autograder_io.upload import find_project, get_suites
from autograder.graded.results import write_exact
from autograder.graded.standing import Standing
from autograder.untrusted import cell, line

_NOTE: Final = re.compile(projects.note(r"(\w+)", r"(public|hidden)", 0).replace(" 0 ", r" (\d+) "))
_QUERY: Final = {"full_results": "true", "include_staff": "false", "groups_per_page": "200"}
_FINISHED: Final = frozenset({"finished_grading"})


@dataclass(frozen=True)
class Case:
    """A test case there.

    Attributes
    ----------
    pk : int
        Its number there.
    task : str
        Id of the task.
    scale : int
        Points there for one here.
    worth : int
        What it is worth there.
    """

    pk: int
    task: str
    scale: int
    worth: int


def fetch(course: Course, assignment: Assignment, settings: Settings, token_file: str) -> str:
    """Return the score of every student's final submission, as CSV.

    Columns: student, name (empty, as the server does not tell), score, max_score, the points of each task,
    status, summary, overrides, notes.

    Raises
    ------
    ConfigError
        There is no token.
    ServerError
        The server cannot be reached or refuses, has no such project, or is still grading.
    """
    name = settings.project_of(assignment)
    with Api.open(settings.url, token_file) as api:
        selection = SimpleNamespace(name=settings.course, semester=settings.semester, year=settings.year)
        _, found = find_project(api, selection, name)
        if not found:
            remedy = f"run: autograder upload {assignment.name} autograder_io"
            raise ServerError(api.url, f"{settings.term} has no project {name}", remedy)
        waiting = sum(api.get_numbers(f"/api/projects/{found['pk']}/num_queued_submissions/"))
        if waiting:
            raise _is_grading(api, waiting)
        cases = _find_cases(api, found, assignment)
        path = f"/api/projects/{found['pk']}/all_ultimate_submission_results/"
        entries = list(api.get_pages(path, _QUERY, "username", "group", "ultimate_submission"))
        try:
            active = [one for one in entries if _status(one) not in {None, *_FINISHED}]
            if active:
                raise _is_grading(api, len(active))
            return _table(assignment, cases, entries)
        except (KeyError, TypeError, AttributeError):
            raise api.strange(path) from None


def _is_grading(api: Api, number: int) -> ServerError:
    found = f"is still grading; submissions that have not finished: {number}"
    return ServerError(api.url, found, "wait until it has finished, and run it again")


def _status(entry: Mapping[str, Any]) -> str | None:
    submission = entry["ultimate_submission"]
    return None if submission is None else str(submission["status"])


def _find_cases(api: Api, project: Mapping[str, Any], assignment: Assignment) -> dict[int, Case]:
    """Return the test cases that uploads have made, by their number there."""
    found: dict[int, Case] = {}
    for suite in get_suites(api, project["pk"]):
        for case in suite["ag_test_cases"] if suite["name"] == projects.SUITE else ():
            note = _NOTE.fullmatch(case["internal_admin_notes"])
            if note is not None:
                worth = sum(one["max_points_for_custom_scoring"] for one in case["ag_test_commands"])
                found[case["pk"]] = Case(case["pk"], note[1], int(note[3]), worth)
    if not _is_whole(assignment, found.values()):
        problem = f"project {line(project['name'])} was uploaded from another version of {assignment.name}"
        remedy = "upload a new bundle, and rerun the submissions there"
        raise ServerError(api.url, problem, remedy)
    return found


def _is_whole(assignment: Assignment, cases: Collection[Case]) -> bool:
    """Tell whether test cases are worth what the assignment's tasks are, but for rounding."""
    worth = {task.id: Fraction() for task in assignment.tasks}
    for case in cases:
        if case.task not in worth:
            return False
        worth[case.task] += case.worth
    scales = {case.scale for case in cases}
    return len(scales) == 1 and all(
        abs(worth[task.id] - task.points * scale) <= 1 for task in assignment.tasks for scale in scales
    )


def _table(assignment: Assignment, cases: Mapping[int, Case], entries: Sequence[Mapping[str, Any]]) -> str:
    tasks = [task.id for task in assignment.tasks]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "name", "score", "max_score", *tasks, *grades.REMARKS])
    for entry in sorted(entries, key=lambda one: str(one["username"])):
        writer.writerow(_row(entry, tasks, cases, write_exact(float(assignment.max_points))))
    return text.getvalue()


def _row(entry: Mapping[str, Any], tasks: list[str], cases: Mapping[int, Case], most: str) -> Iterator[str]:
    student, submission = cell(str(entry["username"])), entry["ultimate_submission"]
    if submission is None and entry["group"]["num_submissions"]:
        note = "Handed in, and held back by autograder.io: an extension has not ended, or nothing counts."
        return iter([student, "", "", most, *("" for _ in tasks), Standing.unfinished.value, "", "", note])
    if submission is None:
        return iter([student, "", "", most, *("" for _ in tasks), Standing.absent.value, "", "", ""])
    points = _points(submission["results"], cases)
    if points.keys() != {case.task for case in cases.values()}:
        note = "Some test cases have no score yet; rerun them on autograder.io."
        return iter([student, "", "", most, *("" for _ in tasks), Standing.unfinished.value, "", "", note])
    score = write_exact(float(sum(points.values(), Fraction())))
    cells = [write_exact(float(points[task])) for task in tasks]
    note = f"Handed in {submission['timestamp']}."
    return iter([student, "", score, most, *cells, Standing.graded.value, "", "", cell(note)])


def _points(results: Mapping[str, Any], cases: Mapping[int, Case]) -> dict[str, Fraction]:
    """Return the points of each task all of whose test cases have printed a score."""
    earned: dict[str, Fraction] = {}
    left = set(cases)
    for suite in results.get("ag_test_suite_results", ()):
        for result in suite["ag_test_case_results"]:
            case = cases.get(result["ag_test_case_pk"])
            broken = any(one["custom_scoring_error"] for one in result["ag_test_command_results"])
            if case is not None and case.pk in left and not broken:
                left.remove(case.pk)
                there = Fraction(result["total_points"], case.scale)
                earned[case.task] = earned.get(case.task, Fraction()) + there
    missing = {cases[pk].task for pk in left}
    return {task: points for task, points in earned.items() if task not in missing}
