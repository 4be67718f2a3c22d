"""How similar the name of a file is to the name that an assignment asks for."""

from __future__ import annotations

import re
import unicodedata
from enum import IntEnum

_EXTRA = re.compile(r"(\.(txt|text|download|bak|old|orig|save|py|ipynb|json|zip))+$")
"""Endings that browsers, mail programs and editors append."""
_OLDER_ENDING = re.compile(r"\.(bak|old|orig|save)\b")
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"v?\d{1,3}")
_OLDER_WORDS = """
old alt backup bak sicherung orig original copy kopie copia copie cópia draft entwurf tmp temp before
"""
_OTHER_WORDS = """
a abgabe assignment changed complete completed corrected correct cs de done edited exercise fertig final
finale fixed from homework hw korrigiert last latest loesung lösung mine my neu new nouveau of release
solution student sub submission submit submitted task the this to updated upload v version von work working
"""
_OLDER = frozenset(_OLDER_WORDS.split())
_MARKS = _OLDER | frozenset(_OTHER_WORDS.split())


class Likeness(IntEnum):
    """How near a name is; the nearest has the highest number."""

    older = 1
    """A copy or backup by its name: ``knn_old.py``, ``knn copy.py``."""
    near = 2
    """Changed by a browser, a platform or a habit: ``knn (1).py``, ``knn_final.py``, ``KNN.py``."""
    exact = 3


def normalize(name: str) -> str:
    """Return a name as it is compared: composed, without capitals and blanks at its ends."""
    return unicodedata.normalize("NFC", name).strip().casefold()


def measure_likeness(name: str, wanted: str) -> Likeness | None:
    """Return how near the name of a file is to a wanted one, or None if it is another.

    Examples
    --------
    >>> measure_likeness("KNN-1-1.py.txt", "knn.py"), measure_likeness("Kopie von knn.py", "knn.py")
    (<Likeness.near: 2>, <Likeness.older: 1>)
    >>> measure_likeness("knn_tests.py", "knn.py") is measure_likeness("knn.pyc", "knn.py") is None
    True
    """
    if unicodedata.normalize("NFC", name) == wanted:
        return Likeness.exact
    stem, _, suffix = wanted.rpartition(".")
    found = normalize(name)
    head, dot, tail = found.partition(f".{suffix}")
    if not dot or (tail and tail != "~" and not _EXTRA.fullmatch(tail)):
        return None
    rest = _without(_words(head), _words(stem))
    if rest is None or not all(word in _MARKS or _NUMBER.fullmatch(word) for word in rest):
        return None
    is_older = tail == "~" or not _OLDER.isdisjoint(rest) or _OLDER_ENDING.search(tail)
    return Likeness.older if is_older else Likeness.near


def affix(name: str, wanted: str) -> str:
    """Return what a name says besides a wanted one: whose it is, where files of a class lie in one folder.

    Examples
    --------
    >>> affix("ada_park-knn.py", "knn.py"), affix("knn_ada.py", "knn.py"), affix("bob.py", "knn.py")
    ('ada_park', 'ada', '')
    """
    stem, _, suffix = wanted.rpartition(".")
    pattern = rf"(?:(?P<before>.+?)[ _-]+{re.escape(stem)}|{re.escape(stem)}[ _-]+(?P<after>.+?))\.{suffix}"
    found = re.fullmatch(pattern, unicodedata.normalize("NFC", name), re.IGNORECASE)
    return (found["before"] or found["after"]) if found else ""


def is_test(name: str) -> bool:
    """Tell whether a file of this name holds tests or settings of tests, and is no part of a solution."""
    stem = normalize(name).partition(".")[0]
    return stem.startswith("test_") or stem.endswith("_test") or stem in {"conftest", "setup", "tests"}


def is_notebook(name: str) -> bool:
    """Tell whether a file of this name is a notebook, whatever a browser has appended."""
    _, dot, tail = normalize(name).partition(".ipynb")
    return bool(dot) and (not tail or _EXTRA.fullmatch(tail) is not None)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _without(words: list[str], wanted: list[str]) -> list[str] | None:
    """Return the words without the wanted ones, which stand together; None if they are not there."""
    for start in range(len(words) - len(wanted) + 1):
        if words[start : start + len(wanted)] == wanted:
            return words[:start] + words[start + len(wanted) :]
    return None
