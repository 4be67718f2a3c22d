"""What an instructor reads of a failed test: places, lines and what was raised, without pytest's own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from autograder.engine.details import describe_failure


def _raise(text: str) -> None:
    raise ValueError(text)


@contextlib.contextmanager
def _decorated() -> Iterator[None]:
    yield


def _caught(act: object) -> BaseException:
    try:
        act()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError


def test_each_line_stands_below_its_place_and_what_was_raised_comes_last() -> None:
    text = describe_failure(_caught(lambda: _raise("no\nmore")))
    lines = text.splitlines()
    assert lines[-2:] == ["E   ValueError: no", "E   more"]
    assert lines[-3] == "    raise ValueError(text)"
    assert lines[-4].endswith(": in _raise")
    assert lines[-4].startswith("tests/autograder/engine/test_details.py:")


def test_what_led_to_it_comes_first_unless_it_is_hidden() -> None:
    def chain(hidden: bool) -> None:
        try:
            _raise("one")
        except ValueError as error:
            raise KeyError("two") from None if hidden else error

    text = describe_failure(_caught(lambda: chain(False)))
    assert text.index("\nE   ValueError: one") < text.index("direct cause") < text.index("\nE   KeyError")
    hidden = describe_failure(_caught(lambda: chain(True))).splitlines()
    assert [line for line in hidden if line.startswith("E ")] == ["E   KeyError: 'two'"]


def test_decorators_of_the_standard_library_are_left_out() -> None:
    text = describe_failure(_caught(_decorated()(lambda: _raise("x"))))
    assert "contextlib" not in text
    assert "E   ValueError: x" in text


def test_an_endless_chain_ends() -> None:
    error = ValueError("first")
    error.__context__ = other = KeyError("two")
    other.__context__ = error
    assert describe_failure(error).count("E   ") <= 10
