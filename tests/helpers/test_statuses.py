"""Which tests count, and how endings read."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.statuses import WORDS, Status, set_aside


@dataclass(frozen=True)
class Planned:
    """A test, as far as the rule knows it."""

    id: str
    task: str
    kind: str


TESTS = (
    Planned("right", "sums", "value"),
    Planned("no_loop", "sums", "constraint"),
    Planned("mean", "means", "value"),
    Planned("spread", "means", "value"),
    Planned("no_mean", "means", "constraint"),
)


def test_a_constraint_counts_once_all_values_of_its_task_are_right() -> None:
    assert set_aside(TESTS, {"right", "no_loop", "mean", "no_mean"}) == {"no_mean"}
    assert set_aside(TESTS, {"right", "mean", "spread"}) == frozenset()
    assert set_aside(TESTS, {"no_loop", "no_mean"}) == {"no_loop", "no_mean"}


def test_every_status_has_words() -> None:
    assert WORDS.keys() == set(Status)
