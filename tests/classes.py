"""The example classes: what their students hand in, and what each of them must get."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder import assignment, course, intake, scoring
from autograder.engine.pool import Pool
from autograder.intake import Submission
from autograder.results import Provenance, SubmissionResult

ROOT = Path(__file__).parent.parent
CLASSES = ROOT / "examples" / "submissions"
NAMES = tuple(sorted(path.name.removesuffix("-scores.toml") for path in CLASSES.glob("*-scores.toml")))
PROVENANCE = Provenance(kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={})


@dataclass(frozen=True)
class Expected:
    """What a student must get.

    Attributes
    ----------
    score : float
        Of 100 points, and those of extra credit.
    reason : str
        What the student did; begins with "right" where nothing is wrong.
    task : str or None
        The only task that loses points, for a student who made one mistake.
    causes : tuple of str
        What the likely causes that the student reads say; empty where nobody can know.
    """

    score: float
    reason: str
    task: str | None
    causes: tuple[str, ...]


def expected(name: str) -> dict[str, Expected]:
    """Return what each student of a class must get."""
    return {student: _expected(entry) for student, entry in _table(name, "scores").items()}


def expected_of_mistakes(name: str) -> dict[str, Expected]:
    """Return what each student must get who makes one mistake in the reference; none for most classes."""
    return {student: _expected(entry) for student, entry in _table(name, "mistakes").items()}


def students(name: str) -> list[Submission]:
    """Return what the students of a class hand in."""
    own = course.Course.load(ROOT)
    return list(intake.read_class(CLASSES / name, assignment.load(own, name)).submissions)


def mistaken(name: str) -> list[Submission]:
    """Return the reference with one text replaced, once for each mistake."""
    folder = ROOT / "solutions" / name
    reference = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    weights = {path.name: path.read_bytes() for path in folder.glob("*.pt")}
    made = []
    for student, entry in _table(name, "mistakes").items():
        file = f"{entry['file']}.py"
        if reference[file].count(entry["old"]) != 1:
            raise ValueError(f"{name}-mistakes.toml: {student}: `old` does not stand in {file} once")
        files = reference | {file: reference[file].replace(entry["old"], entry["new"])}
        made.append(
            Submission(student, folder, {key: text.encode() for key, text in files.items()} | weights)
        )
    return made


def graded(folder: Path, name: str, submissions: Iterable[Submission]) -> dict[str, SubmissionResult]:
    """Grade submissions in a copy of the course in `folder`, which makes a secret of its own."""
    for part in ("course.toml", f"solutions/{name}", f"autograder/suites/{name}"):
        source, copy = ROOT / part, folder / part
        copy.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
    own = course.Course.load(folder)
    one = assignment.load(own, name)
    with Pool(one, own, jobs=2, sandbox="full") as pool:
        return {
            done.submission.student: scoring.score(
                one,
                pool.plan,
                done.submission,
                done.outcomes,
                sandbox=pool.sandbox,
                provenance=PROVENANCE,
            )
            for done in pool.grade(submissions)
        }


def lost(result: SubmissionResult, own: str | None) -> list[str]:
    """Return the tasks in which points are missing; extra credit that was left out counts if it is `own`."""
    return [
        task.id
        for task in result.tasks
        if task.points < task.max_points and (not task.extra or task.points > 0 or task.id == own)
    ]


def shown(result: SubmissionResult) -> set[str]:
    """Return the likely causes that the student reads."""
    said = (test.feedback.likely_cause for test in result.tests if test.feedback is not None)
    return {cause for cause in said if cause is not None}


def is_right(causes: set[str], wanted: Expected) -> bool:
    """Return whether the likely cause is shown where there is one, and none that is not the mistake's."""
    right = [any(text in cause for text in wanted.causes) for cause in causes]
    return bool(causes) == bool(wanted.causes) and all(right)


def _table(name: str, kind: str) -> dict[str, Any]:
    path = CLASSES / f"{name}-{kind}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _expected(entry: dict[str, Any]) -> Expected:
    cause = entry.get("cause", ())
    causes = tuple([cause] if isinstance(cause, str) else cause)
    return Expected(entry["score"], entry["reason"], entry.get("task"), tuple(filter(None, causes)))
