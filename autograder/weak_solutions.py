"""Weak solutions of an assignment: what must miss a threshold, named beside the suite in ``weak.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from autograder import settings, specimens
from autograder.assignment import Assignment
from autograder.errors import SuiteError
from autograder.intake import Submission

FILE: Final = "weak.toml"
Text = Annotated[str, Field(min_length=1)]


class _Entry(settings.Table):
    """One weak solution: the reference with one text replaced, or with other saved weights."""

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


class _Table(settings.Table):
    weak: tuple[_Entry, ...]


@dataclass(frozen=True)
class Weak:
    """A solution that runs, and is too weak to pass.

    Attributes
    ----------
    name : str
        What is weak about it: ``"one epoch"``.
    threshold : str
        Which threshold it must miss.
    submission : Submission
        The reference, changed.
    """

    name: str
    threshold: str
    submission: Submission


def read(assignment: Assignment) -> tuple[Weak, ...]:
    """Return the weak solutions of an assignment; none if its suite names none.

    Raises
    ------
    ConfigError
        ``weak.toml`` is malformed.
    SuiteError
        It changes what the reference does not hold.
    """
    path = assignment.suite / FILE
    if not path.exists():
        return ()
    return tuple(_weak(assignment, path, entry) for entry in settings.read(path, _Table).weak)


def _weak(assignment: Assignment, path: Path, entry: _Entry) -> Weak:
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
    return Weak(entry.name, entry.threshold, Submission(f"({entry.name})", path, files))
