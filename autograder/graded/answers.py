"""Written answers: questions of a notebook, answers of students, and the points that people gave."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from autograder.graded.results import ResultModel

ANSWER = "YOUR ANSWER HERE"
"""What stands for a written answer in a released notebook, as in nbgrader."""
Found = Literal["answered", "unanswered", "not_found"]
ImageType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]


@dataclass(frozen=True)
class Prompt:
    """A question as the released notebook asks it.

    Attributes
    ----------
    question : str
        Id of the question.
    cell : str
        Id of its cell.
    text : str
        Content of the cell as students get it, without what stands for the answer.
    reference : str
        The answer in the course's own notebook.
    """

    question: str
    cell: str
    text: str
    reference: str


@dataclass(frozen=True)
class Questionnaire:
    """What a released notebook asks.

    Attributes
    ----------
    prompts : tuple of Prompt
        In the order of the notebook.
    cells : dict of str to str
        Id of every released cell to its content; what else a notebook holds, its student added.
    """

    prompts: tuple[Prompt, ...]
    cells: dict[str, str]

    def prompt(self, question: str) -> Prompt | None:
        """Return how the notebook asks a question, or None if it does not."""
        return next((one for one in self.prompts if one.question == question), None)


def checksum(source: str, cell_type: str, meta: Mapping[str, Any]) -> str:
    """Return nbgrader's checksum of a cell, by which it sees whether a student changed it.

    Parameters
    ----------
    meta : mapping
        nbgrader's metadata of the cell, complete.
    """
    locked = not meta["solution"] and (meta["grade"] or meta["locked"])
    parts = [source, cell_type, str(meta["grade"]), str(meta["solution"]), str(locked), meta["grade_id"]]
    if meta["grade"]:
        parts.append(str(float(meta["points"])))
    return hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest()


class Image(ResultModel):
    """A picture in an answer."""

    type: ImageType
    data: str
    """Base64."""


class Answer(ResultModel):
    """What a student answered to one question."""

    question: str
    """Id of the question: the ``grade_id`` of its cell."""
    title: str
    max_points: float
    extra: bool = False
    """Whether the points come on top of the maximum."""
    status: Found
    text: str = ""
    """Markdown; empty unless the question was answered."""
    images: dict[str, Image] = Field(default_factory=dict)
    """Name to picture, for ``![](attachment:NAME)`` in the text."""
    note: str = ""
    """A sentence about where the answer was found, or why there is none."""

    @property
    def digest(self) -> str:
        """Identify what was answered: a SHA-256, or nothing if there is no answer."""
        if self.status != "answered":
            return ""
        parts = [self.text, *(f"{name}\0{image.data}" for name, image in sorted(self.images.items()))]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


class AnswerSheet(ResultModel):
    """The answers of one student, in the order of the assignment."""

    schema_version: Literal[1] = 1
    assignment: str
    student: str
    notebook: str | None = None
    """SHA-256 of the notebook that they were read from; None if there was none."""
    answers: list[Answer]


class Mark(ResultModel):
    """The points that a person gave for an answer; they survive every regrade."""

    question: str
    points: float = Field(ge=0, allow_inf_nan=False)
    comment: str = ""
    """The student reads it."""
    by: str = Field(min_length=1)
    at: AwareDatetime
    answer: str = ""
    """`Answer.digest` of what was scored."""
