"""Names and identifiers in a form for comparison."""

from __future__ import annotations

import re
import unicodedata

_PLACEHOLDERS = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nil", "#n/a"})
_PROTECTED = re.compile(r'="(.*)"', re.DOTALL)


def fold_name(text: str) -> str:
    r"""Return ``text`` as it is compared: NFC, without upper case, invisible characters and repeated blanks.

    Examples
    --------
    >>> fold_name("Zoe\u0308  FISCHER") == fold_name("Zoë Fischer")
    True
    """
    visible = "".join(one for one in text if one.isspace() or unicodedata.category(one) not in ("Cc", "Cf"))
    folded = unicodedata.normalize("NFC", visible).casefold()
    return unicodedata.normalize("NFC", " ".join(folded.split()))


def identifier(cell: str) -> str:
    """Return the identifier in a cell; empty where the cell only says that there is none.

    Spreadsheets are kept from calculating with an identifier by writing ``="0815"``.

    Examples
    --------
    >>> identifier('="0815"'), identifier(" n/a ")
    ('0815', '')
    """
    text = " ".join(cell.split())
    protected = _PROTECTED.fullmatch(text)
    text = protected[1].strip() if protected else text
    return "" if fold_name(text) in _PLACEHOLDERS else text


def spellings(name: str) -> set[str]:
    """Return a name in the ways in which it may be written: ``Last, First`` turned round, too.

    Examples
    --------
    >>> sorted(spellings("Park, Ada"))
    ['ada park', 'park ada', 'park, ada']
    """
    last, comma, first = (fold_name(part) for part in name.partition(","))
    turned = {f"{first} {last}".strip(), f"{last} {first}".strip()} if comma else set()
    return ({fold_name(name)} | turned) - {""}
