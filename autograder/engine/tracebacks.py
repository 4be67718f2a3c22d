"""Describe an exception of student code as plain, capped text."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from autograder.engine.wire.values import ValueRefused

# What is told of an exception. The grader cuts what a worker tells to the same lengths.
MAX_MESSAGE: Final = 2000
"""Characters: messages of PyTorch have some hundreds, and pages show less."""
MAX_NAME: Final = 80
"""Characters of the name of a class, a file or a function."""
MAX_BASES: Final = 8
"""Of a class, itself included: most exceptions have four to six."""
MAX_TRACE: Final = 20
"""Lines of a traceback, the innermost: of endless recursion, what follows is the same again."""


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
            trace.append([code.co_filename, frame.tb_lineno, code.co_name[:MAX_NAME]])
        frame = frame.tb_next
    try:
        # Of a syntax error the place is stated apart.
        message = str(error.msg if isinstance(error, SyntaxError) else error)[:MAX_MESSAGE]
    except BaseException:
        message = ""
    return {
        "type": type(error).__name__[:MAX_NAME],
        "bases": [kind.__name__[:MAX_NAME] for kind in type(error).__mro__[:MAX_BASES]],
        "message": message,
        "where": trace[-1] if trace else None,
        "trace": trace[-MAX_TRACE:],
        "refused": isinstance(error, ValueRefused),
    }
