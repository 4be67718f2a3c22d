"""The reference and the stub of an assignment, as submissions."""

from __future__ import annotations

from autograder.assignment import Assignment
from autograder.intake import Submission
from autograder.release.stripper import stub_module

REFERENCE, STUB = "(reference)", "(stub)"


def reference(assignment: Assignment) -> Submission:
    """Return the reference solution as a submission."""
    return _submission(assignment, REFERENCE, _sources(assignment))


def stub(assignment: Assignment) -> Submission:
    """Return what students receive as a submission."""
    stubs = {name: stub_module(text, name, assignment.name) for name, text in _sources(assignment).items()}
    return _submission(assignment, STUB, stubs)


def _sources(assignment: Assignment) -> dict[str, str]:
    names = [f"{module}.py" for module in assignment.modules]
    return {name: (assignment.folder / name).read_text(encoding="utf-8") for name in names}


def _submission(assignment: Assignment, student: str, files: dict[str, str]) -> Submission:
    return Submission(student, assignment.folder, {name: text.encode() for name, text in files.items()})
