"""Variants of the reference for calibration, listed beside the suite: right ones and weak ones.

``weak.toml`` names what must miss a threshold, ``right.toml`` right solutions that must reach it as surely as
the reference does, such as one with other settings of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from autograder import settings
from autograder.course.assignment import Assignment
from autograder.errors import SuiteError
from autograder.grading import specimens
from autograder.intake import Submission

WEAK: Final = "weak.toml"
RIGHT: Final = "right.toml"
Text = Annotated[str, Field(min_length=1)]


class _VariantEntry(settings.TomlTable):
    """The reference with one text replaced, or with other saved weights."""

    name: Text
    threshold: Text
    file: str = ""
    old: str = ""
    new: str = ""
    weights: dict[str, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if bool(self.old) == bool(self.weights):
            raise ValueError("expected either `old` and `new`, or `weights`")
        return self


class _Weak(settings.TomlTable):
    weak: tuple[_VariantEntry, ...]


class _Right(settings.TomlTable):
    right: tuple[_VariantEntry, ...]


@dataclass(frozen=True)
class Variant:
    """A solution that runs: the reference, changed.

    Attributes
    ----------
    name : str
        What is changed about it: ``"one epoch"``.
    threshold : str
        Which threshold it must miss, or reach.
    submission : Submission
        Its files.
    file : str
        Where it is named: `WEAK` or `RIGHT`.
    """

    name: str
    threshold: str
    submission: Submission
    file: str


def read(assignment: Assignment, file: str) -> tuple[Variant, ...]:
    """Return the variants that a file of the suite names, `WEAK` or `RIGHT`; none if it is not there.

    Raises
    ------
    ConfigError
        The file is malformed.
    SuiteError
        It changes what the reference does not hold.
    """
    path = assignment.suite / file
    if not path.exists():
        return ()
    entries = settings.read(path, _Weak).weak if file == WEAK else settings.read(path, _Right).right
    return tuple(_variant(assignment, path, entry) for entry in entries)


def _variant(assignment: Assignment, path: Path, entry: _VariantEntry) -> Variant:
    files = dict(specimens.reference(assignment).files)
    where = f"{path}, {entry.name!r}"
    if entry.old:
        file = f"{entry.file or assignment.modules[0]}.py"
        text = files.get(file, b"").decode()
        if text.count(entry.old) != 1:
            found = f"{file} holds `old` {text.count(entry.old)} times"
            raise SuiteError(where, found, "expected a text that is there exactly once")
        files[file] = text.replace(entry.old, entry.new).encode()
    for name, source in entry.weights.items():
        if name not in assignment.weights or not (path.parent / source).is_file():
            found = f"{name!r} or {path.parent / source} is not there"
            raise SuiteError(where, found, "expected a file of saved weights, and one beside the suite")
        files[name] = (path.parent / source).read_bytes()
    submission = Submission(f"({entry.name})", path, files)
    return Variant(entry.name, entry.threshold, submission, path.name)
