"""Wording of texts for students."""

from __future__ import annotations

from collections.abc import Iterable

OPENINGS = ("the", "a", "an", "what", "how", "each", "its", "one", "two")
"""Words that begin a description in English, rather than the name of something in the code."""


def enumerate_words(names: Iterable[str]) -> str:
    """Return names as a list in a sentence.

    Examples
    --------
    >>> enumerate_words(["knn.py"]), enumerate_words(["a.py", "b.py", "c.py"])
    ('knn.py', 'a.py, b.py and c.py')
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def number(points: float) -> str:
    """Write points with at most two decimals.

    Examples
    --------
    >>> number(10.0), number(2.5), number(1.4286)
    ('10', '2.5', '1.43')
    """
    return f"{points:.2f}".rstrip("0").rstrip(".")


def sentence(text: str) -> str:
    """Begin a sentence with a capital letter, unless it begins with a name, such as ``dx``.

    Examples
    --------
    >>> sentence("the loss: wrong value."), sentence("dx: wrong shape."), sentence("f(x): not a tensor.")
    ('The loss: wrong value.', 'dx: wrong shape.', 'f(x): not a tensor.')
    """
    return text[:1].upper() + text[1:] if text.partition(" ")[0] in OPENINGS else text
