"""Python source in other encodings than UTF-8, which Python reads and Windows writes."""

from __future__ import annotations

import codecs
import re

from autograder.intake.files.snapshot import Unreadable
from helpers.source import signatures

_DECLARED = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?$")
_KNOWN = re.compile(
    r"(iso8859-\d+|cp\d{3,4}|mac-\w+|koi8-\w|ascii|gb\w+|big5\w*|shift_jis\w*|euc_\w+|johab|tis-620|hz)"
)
_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"))


def as_utf8(shown: str, content: bytes) -> tuple[bytes, str]:
    """Return source as UTF-8, and a sentence if it was another encoding; messages call the file `shown`.

    An encoding counts that the file declares in its first two lines, as in Python, or that its first bytes
    are the mark of.

    Raises
    ------
    Unreadable
        It is neither UTF-8 nor what it declares to be, or it is a PDF, a picture or the like.
    """
    found = signatures.kind(content)
    if found is not None:
        raise Unreadable(f"{shown} is {found}, not Python; hand in the .py file that you edited instead.")
    marks = (*_MARKS, (codecs.BOM_UTF16_BE, "utf-16"))
    marked = next((name for mark, name in marks if content.startswith(mark)), "")
    declared, start, end = _declaration(content)
    name = marked or _codec(declared)
    if not name or name == "utf-8":
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(
                f"{shown} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8."
            ) from None
        return content, ""
    if not marked:  # or Python would read UTF-8 as what the file says
        content = content[:start] + b"utf-8".ljust(end - start) + content[end:]
    try:
        return content.decode(name).encode(), f"{shown} is text in {name} and was read as that."
    except UnicodeError:
        raise Unreadable(
            f"{shown} declares the encoding {name} but is not in it; save it as UTF-8."
        ) from None


def _declaration(content: bytes) -> tuple[str, int, int]:
    """Return the encoding that the first two lines declare, and where its name stands."""
    place = 0
    for row in content.split(b"\n", 2)[:2]:
        found = _DECLARED.match(row.rstrip(b"\r"))
        if found:
            return found[1].decode("ascii", "replace"), place + found.start(1), place + found.end(1)
        if not _BLANK.match(row.rstrip(b"\r")):
            break
        place += len(row) + 1
    return "", 0, 0


def _codec(declared: str) -> str:
    """Return Python's name of an encoding that holds text, byte by byte; empty for any other."""
    try:
        name = codecs.lookup(declared).name if declared else ""
    except (LookupError, ValueError):
        return ""
    return name if name == "utf-8" or _KNOWN.fullmatch(name) else ""
