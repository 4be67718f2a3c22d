"""The example classes: what their students hand in, and what each of them must get."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograder import course, intake
from autograder.course import assignment
from autograder.grading import specimens
from autograder.intake import Submission

ROOT = Path(__file__).parents[1]
CLASSES = ROOT / "examples" / "submissions"
NAMES = tuple(sorted(path.name.removesuffix("-scores.toml") for path in CLASSES.glob("*-scores.toml")))


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
        The only task that loses points, for a student who made one mistake; the task that settings are for.
    causes : tuple of str
        What the likely causes that the student reads say; empty where nobody can know.
    """

    score: float
    reason: str
    task: str | None
    causes: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether there is nothing wrong with the submission."""
        return self.reason.startswith("right")


def read_expected(name: str) -> dict[str, Expected]:
    """Return what each student of a class must get."""
    return {student: _to_expected(entry) for student, entry in _table(name, "scores").items()}


def read_mistakes(name: str) -> dict[str, Expected]:
    """Return what each student must get who makes one mistake in the reference; none for most classes."""
    return {student: _to_expected(entry) for student, entry in _table(name, "mistakes").items()}


def read_settings(name: str) -> dict[str, Expected]:
    """Return what other settings in the reference must get in their task; the score is not known."""
    return {student: _to_expected(entry) for student, entry in _table(name, "settings").items()}


def students(name: str) -> list[Submission]:
    """Return what the students of a class hand in."""
    own = course.Course.load(ROOT)
    return list(intake.read_class(CLASSES / name, assignment.load(own, name)).submissions)


def make_mistaken(name: str) -> list[Submission]:
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


def with_settings(name: str) -> list[Submission]:
    """Return the reference with other settings of training, right and wrong; none for most classes."""
    chosen = assignment.load(course.Course.load(ROOT), name)
    functions = {function.name: function for function in specimens.find_student_functions(chosen)}
    return [
        replace(
            specimens.with_body(chosen, functions[entry["function"]], entry["body"].strip()), student=label
        )
        for label, entry in _table(name, "settings").items()
    ]


def is_right(causes: set[str], wanted: Expected) -> bool:
    """Return whether the likely cause is shown where there is one, and none that is not the mistake's."""
    right = [any(text in cause for text in wanted.causes) for cause in causes]
    return bool(causes) == bool(wanted.causes) and all(right)


def _table(name: str, kind: str) -> dict[str, Any]:
    path = CLASSES / f"{name}-{kind}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _to_expected(entry: dict[str, Any]) -> Expected:
    cause = entry.get("cause", ())
    causes = tuple([cause] if isinstance(cause, str) else cause)
    return Expected(entry.get("score", 0), entry["reason"], entry.get("task"), tuple(filter(None, causes)))
