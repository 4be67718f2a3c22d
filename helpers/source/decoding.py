"""The text of a submitted Python file: decoded as Python does, without lines left over from notebooks.

What is read of a file, and what runs, is the text that comes from here: a coding line, or a line that is left
out, changes both alike. This module needs the standard library alone, so that another Python can be asked
whether it understands a file: ``python3.13 -I -S helpers/source/decoding.py`` reads one from its standard
input.
"""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import tokenize
import warnings
from dataclasses import dataclass, field

MAX_MAGICS = 200
"""At most this many lines of a file are left out; a file with more is not Python."""

_PLAIN = bytes(range(128)) + b" \\n \\x41 \\u0041 +AGEA-"
"""Text that every encoding suitable for programs reads like ASCII."""
_OTHER_LANGUAGE = re.compile(
    r"\s*%%(bash|sh|script|html|svg|javascript|js|latex|markdown|perl|ruby|cython|bigquery|shell)\b"
)
_MAGIC = re.compile(r"(\s*)(?:%{1,2}[A-Za-z].*|!.*|\?{1,2}[\w.]+\s*|[\w.]+\?{1,2}\s*)$")
_ASSIGNED_MAGIC = re.compile(r"(\s*)([A-Za-z_][\w, ]*?)\s*=\s*(?:!|%{1,2}[A-Za-z]).*$")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Source:
    """The text of a file that runs, and what was done to it.

    Attributes
    ----------
    text : str
        Its lines are numbered as those of the file.
    magics : tuple of int
        Numbers of the lines that were left out because notebooks alone understand them.
    tree : ast.Module
        The text, parsed.
    """

    text: str
    magics: tuple[int, ...]
    tree: ast.Module = field(repr=False, compare=False)


def read(content: bytes, name: str) -> Source:
    """Return the text of a file.

    Parameters
    ----------
    content : bytes
        Hostile or not; nothing of it runs.
    name : str
        The file, for messages.

    Raises
    ------
    SyntaxError
        It is no text, or not Python even without the lines that notebooks alone understand.
    """
    text = decode(content, name)
    if is_notebook(text):
        raise _syntax_error("this is a notebook, not a Python file", name, 1, text)
    return _without_magics(text, name)


def decode(content: bytes, name: str) -> str:
    """Return the text that Python would read, with lines that end in a line feed.

    Raises
    ------
    SyntaxError
        If Python would not read it, or if its coding line gives letters of ASCII another meaning.
    """
    if content.startswith(_UTF_16):
        raise _syntax_error("this is UTF-16, which Python cannot read", name, 1)
    encoding = _find_encoding(content, name)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"a byte that is not {encoding.removesuffix('-sig')} text (0x{content[error.start]:02x})"
        raise _syntax_error(found, name, line) from None
    if "\0" in text:
        raise _syntax_error(
            "source code cannot contain null bytes", name, text[: text.index("\0")].count("\n") + 1
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _find_encoding(content: bytes, name: str) -> str:
    """Return the encoding that a file names in its first lines, or UTF-8."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError as error:
        if "unknown" in str(error):
            raise _syntax_error(str(error.msg), name, 1) from None
        return "utf-8"  # not even the first lines are UTF-8: which one, decoding tells
    if not _keeps_ascii(encoding):
        raise _syntax_error(f"the encoding {encoding} is not one to write programs in", name, 1)
    return encoding


def _keeps_ascii(encoding: str) -> bool:
    """Tell whether letters of ASCII mean themselves in an encoding."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _PLAIN.decode(encoding) == _PLAIN.decode("ascii")
    except (UnicodeError, LookupError):
        return False


def is_notebook(text: str) -> bool:
    """Tell whether a text is the JSON of a notebook."""
    if not text.lstrip().startswith("{"):
        return False
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError):
        return '"cells"' in text and '"cell_type"' in text
    return isinstance(plain, dict) and isinstance(plain.get("cells"), list)


def is_blank(text: str) -> bool:
    """Tell whether a file holds nothing but white space and comments."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.split("\n"))


def parse(text: str) -> ast.Module:
    """Parse a text without showing warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _without_magics(text: str, name: str) -> Source:
    """Replace lines that only notebooks understand, but only where Python cannot parse them."""
    lines = text.split("\n")
    magics: list[int] = []
    while True:
        try:
            tree = parse("\n".join(lines))
        except (RecursionError, MemoryError):
            raise _syntax_error("the source is nested too deeply to be read", name, 1) from None
        except (ValueError, OverflowError) as error:
            raise _syntax_error(str(error), name, 1) from None
        except SyntaxError as error:
            number = error.lineno or 0
            plain = _plain(lines[number - 1]) if 1 <= number <= len(lines) else None
            if plain is None or number in magics or len(magics) >= MAX_MAGICS:
                raise _in_file(error, name) from None
            other = _OTHER_LANGUAGE.match(lines[number - 1])
            if other:
                raise _syntax_error(f"a %%{other[1]} cell, which is not Python", name, number) from None
            lines[number - 1] = plain
            magics.append(number)
        else:
            return Source("\n".join(lines), tuple(magics), tree)


def _plain(line: str) -> str | None:
    """Return a line that does nothing, in place of one that only a notebook understands, or None."""
    assigned = _ASSIGNED_MAGIC.match(line)
    if assigned:
        return f"{assigned[1]}{assigned[2]} = None"
    magic = _MAGIC.match(line)
    return f"{magic[1]}pass" if magic else None


def _syntax_error(problem: str, name: str, line: int, text: str = "") -> SyntaxError:
    return SyntaxError(problem, (name, line, 1, text.split("\n")[0][:200] if text else None))


def _in_file(error: SyntaxError, name: str) -> SyntaxError:
    error.filename = name
    return error


def main() -> int:
    """Return 0 if this Python understands the file on its standard input, and 1 if not; run nothing of it."""
    try:
        source = read(sys.stdin.buffer.read(), "file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source.text, "file", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
