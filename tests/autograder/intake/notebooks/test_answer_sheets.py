"""Answers are found in notebooks as students and platforms leave them; what is not found says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from autograder.course.assignment import Assignment, Question, TestLimits
from autograder.graded.answers import ANSWER, AnswerSheet, Questionnaire, checksum
from autograder.intake import Submission
from autograder.intake.notebooks import repair
from autograder.intake.notebooks.album import MAX_PICTURES
from autograder.intake.notebooks.answer_sheets import LOST, MAX_TEXT, answer_sheet
from tests.support import written_class as made

Cells = list[dict[str, Any]]
TOY = Assignment(
    "toy",
    "A toy",
    Path(),
    Path(),
    ("toy",),
    (),
    {},
    TestLimits(),
    questions=(Question("why-sums", "Why sums", Fraction(4)),),
)
ITEM = "2. Which of them would be smaller?"


@pytest.fixture(scope="module")
def asked() -> Questionnaire:
    return made.questionnaire()


def sheet(notebook: bytes | None, asked: Questionnaire, *earlier: bytes | None) -> AnswerSheet:
    before = tuple(Submission("ada", Path(), notebook=one) for one in earlier)
    return answer_sheet(TOY, Submission("ada", Path(), notebook=notebook, earlier=before), asked)


def found(notebook: bytes | None, asked: Questionnaire) -> tuple[str, str, str]:
    (answer,) = sheet(notebook, asked).answers
    return answer.status, answer.text, answer.note


def edited(change: Callable[[Cells, int], object]) -> bytes:
    plain = made.released()
    change(plain["cells"], made.place(plain))
    return made.packed(plain)


def write(cells: Cells, n: int, text: str, *, instead: str = ANSWER) -> None:
    cells[n]["source"] = cells[n]["source"].replace(instead, text)


def test_an_answer_where_students_are_asked_to_write(asked: Questionnaire) -> None:
    assert found(made.answered("1. They add.\n2. None."), asked) == ("answered", "1. They add.\n2. None.", "")
    whole = sheet(made.answered("1. They add."), asked)
    assert (whole.student, whole.assignment, len(whole.notebook or "")) == ("ada", "toy", 64)
    (answer,) = whole.answers
    assert (answer.question, answer.title, answer.max_points, answer.extra) == (
        "why-sums",
        "Why sums",
        4,
        False,
    )


@pytest.mark.parametrize("text", [ANSWER, "", "  \n\n", f"{ANSWER}\n\n"])
def test_nothing_written(text: str, asked: Questionnaire) -> None:
    assert found(made.answered(text), asked) == ("unanswered", "", "")


def test_no_notebook(asked: Questionnaire) -> None:
    assert found(None, asked) == ("not_found", "", "No notebook was handed in.")
    assert sheet(None, asked).notebook is None


def test_the_latest_attempt_with_a_notebook_counts(asked: Questionnaire) -> None:
    first, second = made.answered("first"), made.answered("second")
    assert sheet(None, asked, first, second).answers[0].text == "second"
    assert sheet(second, asked, first).answers[0].text == "second"


def test_answers_between_the_items_keep_these_around_them(asked: Questionnaire) -> None:
    content = edited(lambda cells, n: write(cells, n, f"They add.\n\n{ITEM}", instead=ITEM))
    status, text, _ = found(content, asked)
    assert status == "answered"
    assert "1. Why do sums grow with every further summand?\nThey add.\n\n2. Which" in text
    assert ANSWER not in text


def test_who_writes_over_the_question(asked: Questionnaire) -> None:
    content = edited(lambda cells, n: cells[n].update(source="They add."))
    assert found(content, asked) == ("answered", "They add.", "")


def test_who_leaves_the_mark_in_place(asked: Questionnaire) -> None:
    assert found(made.answered(f"{ANSWER}\n\nThey add."), asked)[1] == "They add."


def test_windows_ends_of_lines(asked: Questionnaire) -> None:
    content = edited(lambda cells, n: (write(cells, n, "a\nb"), write(cells, n, "\r\n", instead="\n")))
    assert found(content, asked) == ("answered", "a\nb", "")


def test_cells_below_the_question_belong_to_the_answer(asked: Questionnaire) -> None:
    figure = {"output_type": "display_data", "data": {"image/png": made.encoded(made.png())}, "metadata": {}}
    printed = {"output_type": "stream", "name": "stdout", "text": "6\n"}

    def change(cells: Cells, n: int) -> None:
        cells[n + 1 : n + 1] = [
            {"cell_type": "markdown", "metadata": {}, "source": "See below."},
            {"cell_type": "code", "metadata": {}, "source": "print(f'```{6}')", "outputs": [printed, figure]},
        ]

    (answer,) = sheet(edited(change), asked).answers
    assert answer.text == (
        "See below.\n\n````python\nprint(f'```{6}')\n````\n\n```text\n6\n```\n\n![](attachment:picture-1)"
    )
    assert answer.note == "Cells added below the question: 2."
    assert list(answer.images) == ["picture-1"]


def test_a_cell_of_the_release_ends_the_answer_also_without_ids(asked: Questionnaire) -> None:
    def change(cells: Cells, n: int) -> None:
        cells.insert(n + 1, {"cell_type": "markdown", "source": "Mine."})
        for cell in cells:
            cell.pop("id", None)

    assert found(edited(change), asked)[:2] == ("answered", "Mine.")


def test_metadata_is_lost_but_the_id_is_there(asked: Questionnaire) -> None:
    def change(cells: Cells, n: int) -> None:
        write(cells, n, "Mine.")
        for cell in cells:
            cell["metadata"] = {"id": cell.pop("id")}  # as Colab writes it

    assert found(edited(change), asked) == ("answered", "Mine.", "")


def test_ids_and_metadata_are_lost_but_the_words_are_there(asked: Questionnaire) -> None:
    def change(cells: Cells, n: int) -> None:
        write(cells, n, "Mine.")
        for cell in cells:
            del cell["id"]
            cell["metadata"] = {}

    note = "Found by the words of the question, whose cell has lost its id."
    assert found(edited(change), asked) == ("answered", "Mine.", note)


def test_the_cell_is_gone_but_something_stands_in_its_place(asked: Questionnaire) -> None:
    content = edited(lambda cells, n: cells.__setitem__(n, {"cell_type": "markdown", "source": "Mine."}))
    assert found(content, asked)[:2] == ("answered", "Mine.")
    assert "stands in its place" in found(content, asked)[2]


def test_the_cell_is_gone(asked: Questionnaire) -> None:
    content = edited(lambda cells, n: cells.pop(n))
    assert found(content, asked) == ("not_found", "", "The question's cell is not in the notebook.")


def test_a_copied_cell_does_not_hide_the_answer(asked: Questionnaire) -> None:
    def change(cells: Cells, n: int) -> None:
        cells.insert(n, json.loads(json.dumps(cells[n])))
        write(cells, n + 1, "Mine.")

    assert found(edited(change), asked)[:2] == ("answered", "Mine.")


def test_a_notebook_cut_behind_the_answer(asked: Questionnaire) -> None:
    content = made.answered("Mine.")
    status, text, note = found(content[: content.index(b"Hand it in")], asked)
    assert (status, text) == ("answered", "Mine.")
    assert note.startswith("The notebook is damaged; ")


def test_a_notebook_cut_before_it_says_so(asked: Questionnaire) -> None:
    status, _, note = found(made.answered("Mine.")[:200], asked)
    assert (status, note) == ("not_found", "The notebook is damaged; 1 cell of it could be read.")


@pytest.mark.parametrize(
    "text",
    [
        "![a](attachment:my%20plot.png)",
        "![a](<attachment:my plot.png>)",
        '<img alt="a" src="attachment:my%20plot.png" width="400"/>',
        f"![a](data:image/png;base64,{made.encoded(made.png())})",
    ],
)
def test_pictures_come_along(text: str, asked: Questionnaire) -> None:
    attachments = {"my plot.png": {"image/png": made.encoded(made.png())}}
    (answer,) = sheet(made.answered(f"See {text}.", attachments=attachments), asked).answers
    assert "(attachment:picture-1)" in answer.text or "(<attachment:picture-1>)" in answer.text
    assert answer.images["picture-1"].data == made.encoded(made.png())
    assert answer.note == ""


def test_pictures_that_are_none_are_left_out_with_a_note(asked: Questionnaire) -> None:
    attachments = {"x.svg": {"image/svg+xml": made.encoded(b"<svg onload='alert(1)'/>")}}
    (answer,) = sheet(made.answered("![](attachment:x.svg)", attachments=attachments), asked).answers
    assert (answer.text, answer.images) == ("![](attachment:left-out)", {})
    assert answer.note == "x.svg is not a PNG, JPEG, GIF or WebP; it was left out."


def test_an_album_ends(asked: Questionnaire) -> None:
    one = f"![](data:image/png;base64,{made.encoded(made.png())})\n"
    (answer,) = sheet(made.answered(one * (MAX_PICTURES + 5)), asked).answers
    assert len(answer.images) == MAX_PICTURES
    assert "More than 20 pictures" in answer.note


def test_ten_megabytes_of_text(asked: Questionnaire) -> None:
    status, text, note = found(made.answered("word " * 2_000_000), asked)
    assert (status, len(text)) == ("answered", MAX_TEXT)
    assert note == "Only the first 100,000 characters were kept."


def test_a_repaired_notebook_whose_answer_was_lost_is_not_taken_for_an_empty_one(
    asked: Questionnaire,
) -> None:
    whole = made.answered("Mine.")
    content, _ = repair.repair(whole[: whole.index(b"Mine.")], made.packed(made.released()))
    assert found(content, asked) == ("not_found", "", LOST)
    content, _ = repair.repair(whole[: whole.index(b"Hand it in")], made.packed(made.released()))
    assert found(content, asked) == ("answered", "Mine.", "")


def test_an_untouched_question_of_an_earlier_release_is_not_answered(asked: Questionnaire) -> None:
    def reworded(cells: Cells, n: int, more: str = "") -> None:
        write(cells, n, "Which one would be smaller?", instead=ITEM)
        meta = cells[n]["metadata"]["nbgrader"]
        meta["checksum"] = checksum(cells[n]["source"], "markdown", meta)
        write(cells, n, more or ANSWER)

    assert found(edited(reworded), asked)[0] == "unanswered"
    status, text, _ = found(edited(lambda cells, n: reworded(cells, n, "Mine.")), asked)
    assert (status, text.endswith("Mine.")) == ("answered", True)


@pytest.mark.parametrize("points", [None, "x", [], float("nan"), 10**400, {}])
def test_metadata_of_others_stops_nothing(points: object, asked: Questionnaire) -> None:
    def change(cells: Cells, n: int) -> None:
        cells[n]["metadata"]["nbgrader"]["points"] = points
        write(cells, n, "Mine.")

    assert found(edited(change), asked)[:2] == ("answered", "Mine.")


def test_a_cell_of_an_earlier_release_is_no_answer(asked: Questionnaire) -> None:
    old = {"cell_type": "markdown", "id": "0123456789abcdef", "source": "## Hand in", "metadata": {}}
    content = edited(lambda cells, n: (write(cells, n, "Mine."), cells.insert(n + 1, old)))
    assert found(content, asked) == ("answered", "Mine.", "")


def test_a_question_of_code(asked: Questionnaire) -> None:
    (prompt,) = asked.prompts
    stub = Questionnaire((type(prompt)(prompt.question, "c", "raise NotImplementedError", ""),), {"c": ""})
    cell = {"cell_type": "code", "id": "c", "source": "raise NotImplementedError", "outputs": []}
    assert found(json.dumps({"cells": [cell]}).encode(), stub)[0] == "unanswered"
    cell["source"] = "x = 1"
    assert found(json.dumps({"cells": [cell]}).encode(), stub)[1] == "```python\nx = 1\n```"
