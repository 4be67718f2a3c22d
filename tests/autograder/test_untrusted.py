"""Text of a submission cannot steer a terminal, a spreadsheet or a file system."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import untrusted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 数 🙂", "plain é 数 🙂"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("a\rb\x08", "a\\rb\\x08"),
        ("file\u202egnp.exe", "file\\u202egnp.exe"),
        ("\u2066x\u2069\u200b\ufeff", "\\u2066x\\u2069\\u200b\\ufeff"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\n\tb", "a\n\tb"),
    ],
)
def test_hidden_characters_are_shown(text: str, shown: str) -> None:
    assert untrusted.printable(text) == shown


@given(st.text(st.characters()))
def test_printable_text_is_stable_and_encodable(text: str) -> None:
    shown = untrusted.printable(text)
    assert untrusted.printable(shown) == shown
    shown.encode("utf-8")
    assert "\x1b" not in shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r", "\n", " =", "＝"])  # noqa: RUF001
def test_formulas_are_defused(start: str) -> None:
    shown = untrusted.cell(f'{start}HYPERLINK("http://x")')
    assert shown.startswith("'")
    assert "\n" not in shown


@pytest.mark.parametrize("text", ["ada", "12.5", "a=b", "", "O'Brien, Ann"])
def test_other_cells_stay(text: str) -> None:
    assert untrusted.cell(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ada", "ada"),
        ("Ada Lovelace", "Ada Lovelace"),
        ("a/b\\c", "a_b_c"),
        ("..", ""),
        (".hidden", "hidden"),
        (" . ", ""),
        ("a\x00b\nc\u202e", "a_b_c_"),
        ("\udcff", "_"),
        ("e\u0301", "é"),
        ("x" * 500, "x" * 200),
    ],
)
def test_file_names(text: str, name: str) -> None:
    assert untrusted.file_name(text) == name


@given(st.text(st.characters()))
def test_file_names_are_safe(text: str) -> None:
    name = untrusted.file_name(text)
    assert len(name.encode("utf-8")) <= 200
    assert not name.startswith((".", " "))
    assert "/" not in name
    assert "\x00" not in name
    assert untrusted.file_name(name) == name
