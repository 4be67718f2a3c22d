"""Describe an exception of student code as plain, capped text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from autograder.engine.wire.values import ValueRefused

_MAX_TEXT = 2000
_MAX_NAME = 80
_MAX_TRACE = 20


def describe(error: BaseException, files: Collection[str]) -> dict[str, Any]:
    """Return an exception's type, bases, message and lines in the student's own files.

    Parameters
    ----------
    error : BaseException
        Of whatever class; nothing of it but text is kept. Its `__str__` may fail.
    files : collection of str
        File names as compiled code states them; lines of other files are left out.
    """
    trace, frame = [], error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        if code.co_filename in files:
            trace.append([code.co_filename, frame.tb_lineno, code.co_name[:_MAX_NAME]])
        frame = frame.tb_next
    try:
        # Of a syntax error the place is stated apart.
        message = str(error.msg if isinstance(error, SyntaxError) else error)[:_MAX_TEXT]
    except BaseException:
        message = ""
    return {
        "type": type(error).__name__[:_MAX_NAME],
        "bases": [kind.__name__[:_MAX_NAME] for kind in type(error).__mro__[:8]],
        "message": message,
        "where": trace[-1] if trace else None,
        "trace": trace[-_MAX_TRACE:],
        "refused": isinstance(error, ValueRefused),
    }
