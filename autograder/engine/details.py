"""What an instructor reads of a test that failed: the lines that its exception passed, and what it says.

pytest parses the whole test file to show one statement of it, which took a third of the time of grading a
submission with many mistakes. Here it is the one line that was at work.
"""

from __future__ import annotations

import contextlib
import traceback
from pathlib import Path
from types import TracebackType
from typing import Final

_CAUSE: Final = "The above exception was the direct cause of the following exception:"
_CONTEXT: Final = "During handling of the above exception, another exception occurred:"
_PYTEST: Final = frozenset(("_pytest", "pluggy"))
_MOST_CHAINED: Final = 10


def describe_failure(error: BaseException) -> str:
    """Return the lines that an exception and those before it passed, without those of pytest, and their text.

    Lines of decorators made with contextlib are left out too. Each other line stands below its place,
    ``file:line: in function``; what an exception says begins with ``E``. Paths are relative to the current
    folder where they lie in it.
    """
    parts: list[str] = []
    this: BaseException | None = error
    while this is not None and len(parts) < _MOST_CHAINED:
        link, before = _before(this)
        parts.append((f"\n{link}\n" if before is not None else "") + _describe_one(this))
        this = before
    return "\n".join(reversed(parts))


def _before(error: BaseException) -> tuple[str, BaseException | None]:
    """Return the exception that led to another one, and how."""
    if error.__cause__ is not None:
        return _CAUSE, error.__cause__
    return _CONTEXT, None if error.__suppress_context__ else error.__context__


def _describe_one(error: BaseException) -> str:
    said = "".join(traceback.format_exception_only(error)).splitlines()
    return "\n".join([*_places(error.__traceback__), *(f"E   {line}".rstrip() for line in said)])


def _places(trace: TracebackType | None) -> list[str]:
    here, lines = Path.cwd(), []
    for frame in traceback.extract_tb(trace):
        path = Path(frame.filename)
        if _PYTEST.isdisjoint(path.parts) and frame.filename != contextlib.__file__:
            shown = path.relative_to(here) if path.is_relative_to(here) else path
            lines.append(f"{shown}:{frame.lineno}: in {frame.name}")
            lines += [f"    {frame.line}"] if frame.line else []
    return lines
