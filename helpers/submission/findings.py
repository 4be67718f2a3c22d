"""Findings that a student should know before submitting the work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Weight = Literal["problem", "open", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing to know.

    Attributes
    ----------
    weight : str
        ``"problem"`` for what costs points though the work may be there, ``"open"`` for work that is not
        done, ``"note"`` for what is good to know.
    text : str
        Sentences, which name the file and say what to do.
    code : str or None
        A line of the student's that it is about.
    """

    weight: Weight
    text: str
    code: str | None = None
