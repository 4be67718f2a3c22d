"""How endings read."""

from __future__ import annotations

from helpers.statuses import WORDS, Status


def test_every_status_has_words() -> None:
    assert WORDS.keys() == set(Status)
