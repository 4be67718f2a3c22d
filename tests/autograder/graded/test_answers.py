"""Answers are identified by what they say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from autograder.graded.answers import AnswerSheet, Image
from tests.support import written_class as made


def test_a_digest_is_that_of_text_and_pictures() -> None:
    one = Image(type="image/png", data="aa")
    digests = {
        made.answer("a").digest,
        made.answer("b").digest,
        made.answer("a", images={"x": one}).digest,
        made.answer("a", images={"x": Image(type="image/png", data="bb")}).digest,
    }
    assert len(digests) == 4
    assert made.answer("a", title="Other", note="Found elsewhere.").digest == made.answer("a").digest


def test_no_answer_has_no_digest() -> None:
    assert made.answer("").digest == ""
    assert made.answer("", status="not_found").digest == ""


def test_a_sheet_is_read_as_it_was_written() -> None:
    sheet = AnswerSheet(assignment="toy", student="ada", answers=[made.answer("ü\u202e")])
    assert AnswerSheet.model_validate_json(sheet.model_dump_json()) == sheet
    with pytest.raises(ValidationError):
        AnswerSheet.model_validate_json(sheet.model_dump_json().replace('"student"', '"pupil"'))


@pytest.mark.parametrize(
    "wrong", [{"points": -1}, {"points": float("nan")}, {"points": float("inf")}, {"by": ""}]
)
def test_a_mark_has_points_and_somebody_who_gave_them(wrong: dict[str, object]) -> None:
    answer = made.answer()
    assert made.mark(1, answer).answer == answer.digest
    with pytest.raises(ValidationError):
        made.mark(**{"points": 1, "of": answer} | wrong)
