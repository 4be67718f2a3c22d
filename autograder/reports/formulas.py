"""LaTeX formulas written by others, as MathML: browsers render it without loading scripts or fonts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from latex2mathml.converter import convert_to_element
from markupsafe import Markup, escape

MAX_FORMULA: Final = 2_000
"""Longer formulas, in characters, are shown as they were written."""

_ELEMENTS: Final = frozenset(
    (
        *("math", "mrow", "mstyle", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot"),
        *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mtable", "mtr", "mtd"),
    )
)
"""What may be shown. `mphantom`, for one, would hide text from people who score it."""
_WORD: Final = re.compile(r"[a-z-]{1,20}( [a-z-]{1,20}){0,20}")
_LENGTH: Final = re.compile(r"-?\d?(\.\d{1,3})?(em|ex)|[01]|0px")
_ATTRIBUTES: Final = {
    **dict.fromkeys(("display", "mathvariant", "stretchy", "fence", "form", "separator"), _WORD),
    **dict.fromkeys(("accent", "accentunder", "largeop", "movablelimits", "displaystyle"), _WORD),
    **dict.fromkeys(("columnalign", "columnlines", "rowlines"), _WORD),
    **dict.fromkeys(("linethickness", "lspace", "rspace", "width", "minsize", "maxsize"), _LENGTH),
}
"""What may be said of an element, and the form of it; no colors, addresses, classes or styles."""


def formula(latex: str, *, display: bool) -> Markup:
    """Return a formula as MathML, with its LaTeX as a title; where that cannot be, its LaTeX as code.

    Parameters
    ----------
    latex : str
        What stands between the dollar signs.
    display : bool
        Whether the formula has lines of its own.
    """
    latex = latex.strip()
    mark = "$$" if display else "$"
    try:
        if len(latex) > MAX_FORMULA:
            raise ValueError("too long")
        drawn = "".join(_parts(convert_to_element(latex, display="block" if display else "inline")))
    except Exception:  # the library raises many kinds, RecursionError among them
        return Markup('<code class="math">{}</code>').format(f"{mark}{latex}{mark}")
    return Markup('<span class="math" title="{}">{}</span>').format(latex, Markup(drawn))


def _parts(element: Element) -> Iterator[str]:
    """Yield the HTML of an element; raises ValueError where it is none of those that may be shown."""
    if element.tag not in _ELEMENTS:
        raise ValueError(element.tag)
    yield f"<{element.tag}"
    for name, value in element.attrib.items():
        if name in _ATTRIBUTES and _ATTRIBUTES[name].fullmatch(value):
            yield f' {name}="{escape(value)}"'
    yield f">{_text(element.text)}"
    for child in element:
        yield from _parts(child)
        yield _text(child.tail)
    yield f"</{element.tag}>"


def _text(text: str | None) -> str:
    """Return text for HTML. The library writes characters as references, and the student's `<` as it is."""
    shown = html.unescape(text or "")
    if not all(character.isprintable() or character in " \u2061\u2062\u2063" for character in shown):
        raise ValueError(shown)
    return str(escape(shown))
