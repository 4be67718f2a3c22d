"""Make text that came from a submission safe to show; every report passes such text through here."""

from __future__ import annotations

import re
import unicodedata

HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def printable(text: str) -> str:
    r"""Return ``text`` with every character that a reader cannot see written as its code point.

    Terminal control sequences, bidirectional controls, zero-width characters and lone surrogates
    become ``\x1b``, ``\u202e`` and the like. Line feeds and tabs stay.

    Examples
    --------
    >>> printable("\x1b[2J")
    '\\x1b[2J'
    """
    return "".join(_escape(character) if _hides(character) else character for character in text)


def line(text: str) -> str:
    r"""Return `printable` text on one line.

    Examples
    --------
    >>> line("two\n  words")
    'two words'
    """
    return " ".join(printable(text).split())


def markdown(text: str) -> str:
    r"""Return ``text`` on one line for Markdown, so that nothing in it is taken for markup.

    Examples
    --------
    >>> markdown("a_b <i>| x")
    'a\\_b &lt;i&gt;\\| x'
    """
    shown = line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"([\\`*_{}\[\]()#+!|~$^])", r"\\\1", shown)
    return re.sub(r"^(\d+)\.(?=\s|$)|^-", lambda found: f"{found[1]}\\." if found[1] else "\\-", shown)


def cell(text: str) -> str:
    """Return ``text`` for a spreadsheet cell, so that no program takes it for a formula.

    Examples
    --------
    >>> cell("=1+1")
    "'=1+1"
    """
    shown = line(text)
    return f"'{shown}" if text.startswith(FORMULA_STARTS) or shown.startswith(FORMULA_STARTS) else shown


def undo_cell(text: str) -> str:
    """Return what `cell` was given, as far as it was one line.

    Examples
    --------
    >>> undo_cell("'=1+1"), undo_cell("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else text


def file_name(text: str, *, max_bytes: int = 200) -> str:
    """Return ``text`` as a file name that is safe on every system; empty if nothing is left of it.

    Separators, control characters and the characters that Windows refuses become ``_``; leading
    dots and blanks at the ends go.

    Examples
    --------
    >>> file_name("../Ada Lovelace")
    '_Ada Lovelace'
    """
    normal = unicodedata.normalize("NFC", text)
    kept = "".join("_" if _hides(c) or c in '\n\t<>:"/\\|?*' else c for c in normal)
    kept = kept.strip().lstrip(".").rstrip(". ").lstrip()
    return kept.encode("utf-8")[:max_bytes].decode("utf-8", "ignore").rstrip(". ")


def _hides(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in HIDDEN_CATEGORIES


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
