"""A course with a question, the notebook that its students get, and what they make of it."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from copy import deepcopy
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.graded.answers import ANSWER, Answer, Mark, Prompt, Questionnaire
from autograder.release import notebook

QUESTION = """
[[questions]]
id = "why-sums"
title = "Why sums"
points = 4
rubric = ["Names **addition**.", "Says why."]
"""

NOTEBOOK = """\
---
jupytext:
  text_representation:
    format_name: myst
---

# A toy

```{code-cell} ipython3
import toy
```

## Think

+++ {"nbgrader": {"grade": true, "solution": true, "grade_id": "why-sums", "points": 4}}

**Question.** Think about the sums that were computed above.

1. Why do sums grow with every further summand?
2. Which of them would be smaller?

<!-- BEGIN SOLUTION -->
Because summands are positive.
<!-- END SOLUTION -->

+++

## Hand it in

```{code-cell} ipython3
submit.build("toy")
```
"""


def add_question(course: Course) -> None:
    """Have the assignment ``toy`` ask a question."""
    folder = course.root / "solutions" / "toy"
    settings = folder / "assignment.toml"
    settings.write_text(settings.read_text() + QUESTION)
    (folder / "toy.md").write_text(NOTEBOOK)


def questionnaire() -> Questionnaire:
    """Return what the notebook asks, as read off the released one."""
    plain = released()
    cells = {cell["id"]: cell["source"] for cell in plain["cells"]}
    (asked,) = (cell for cell in plain["cells"] if ANSWER in cell["source"])
    text = asked["source"].replace(ANSWER, "").strip()
    return Questionnaire((Prompt("why-sums", asked["id"], text, "Because."),), cells)


def released() -> dict[str, Any]:
    """Return the notebook as students get it."""
    book = notebook.build(NOTEBOOK, "toy.md", "toy", {})
    plain: dict[str, Any] = json.loads(notebook.dumps(book.release))
    for cell in plain["cells"]:
        cell["source"] = "".join(cell["source"])
    return plain


def place(plain: dict[str, Any]) -> int:
    """Return the number of the question's cell."""
    return next(n for n, cell in enumerate(plain["cells"]) if ANSWER in cell["source"])


def answered(text: str, **cell: Any) -> bytes:
    """Return a notebook whose question was answered where students are asked to."""
    plain = deepcopy(released())
    asked = plain["cells"][place(plain)]
    asked["source"] = asked["source"].replace(ANSWER, text)
    asked.update(cell)
    return packed(plain)


def packed(plain: dict[str, Any]) -> bytes:
    """Return a notebook as Jupyter writes it."""
    return json.dumps(plain, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass")


def png(width: int = 3, height: int = 2, *, claimed: tuple[int, int] | None = None) -> bytes:
    """Return a picture, which may claim to have another size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"\x20\x80\xc0" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", *(claimed or (width, height)), 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def encoded(content: bytes) -> str:
    """Return bytes as Base64."""
    return base64.b64encode(content).decode()


def answer(text: str = "Because.", **fields: Any) -> Answer:
    """Return an answer to the question."""
    facts: dict[str, Any] = {"question": "why-sums", "title": "Why sums", "max_points": 4}
    status = "answered" if text else "unanswered"
    return Answer(**(facts | {"status": status, "text": text} | fields))


def mark(points: float, of: Answer, **fields: Any) -> Mark:
    """Return the points that a person gave for an answer."""
    facts: dict[str, Any] = {"question": of.question, "by": "Grace", "at": "2026-03-01T12:00:00Z"}
    return Mark(**(facts | {"points": points, "answer": of.digest} | fields))


def class_folder(root: Path, answers: dict[str, bytes | None]) -> Path:
    """Write a class whose students hand in working code, and notebooks where there is one."""
    for student, content in answers.items():
        (root / student).mkdir(parents=True)
        (root / student / "toy.py").write_text("pass")
        if content is not None:
            (root / student / "toy.ipynb").write_bytes(content)
    return root
