"""Code in text: typed into a platform's editor, where it arrives as HTML, or quoted in Markdown."""

from __future__ import annotations

import html
import re

_BREAK = re.compile(r"<(?:br|/p|/div|/li|/pre|/tr|/h\d)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)")


def read_source(name: str, content: str) -> str:
    r"""Return the code in a file of this name; all of it, unless the file is a page or has fenced blocks.

    Examples
    --------
    >>> read_source("knn.md", "My work:\n```python\nx = 1\n```\nThat is it.\n")
    'x = 1\n'
    """
    plain = read_text(content) if name.casefold().endswith((".html", ".htm")) else content
    rows = plain.splitlines(keepends=True)
    if not any(_FENCE.match(row) for row in rows):
        return plain
    inside, code = False, []
    for row in rows:
        if _FENCE.match(row):
            inside = not inside
        elif inside:
            code.append(row)
    return "".join(code)


def read_text(page: str) -> str:
    r"""Return the text of a page, a line for each of its lines.

    Examples
    --------
    >>> read_text("<p>x = 1</p><p>&nbsp;if x &lt; 2:<br>y</p>")
    'x = 1\n if x < 2:\ny\n'
    """
    lines = _BREAK.sub("\n", page)
    return html.unescape(_TAG.sub("", lines)).replace("\xa0", " ")
