"""Text that was typed into a platform's editor, and arrives as a page of HTML."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"<(?:br|/p|/div|/li|/pre|/tr|/h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def text(page: str) -> str:
    r"""Return the text of a page, a line for each of its lines.

    Examples
    --------
    >>> text("<p>x = 1</p><p>&nbsp;if x &lt; 2:<br>y</p>")
    'x = 1\n if x < 2:\ny\n'
    """
    lines = _BREAK.sub("\n", page)
    return html.unescape(_TAG.sub("", lines)).replace("\xa0", " ")
