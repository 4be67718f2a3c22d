"""Submissions of students, read safely into memory."""

from autograder.intake.handin import find_changed, read_class, read_one
from autograder.intake.inference import infer_assignment
from autograder.intake.submission import ClassHandin, Submission

__all__ = ["ClassHandin", "Submission", "find_changed", "infer_assignment", "read_class", "read_one"]
