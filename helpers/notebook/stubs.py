"""One-line messages for notebook cells that call a function which is not written yet."""

from __future__ import annotations

import re
from types import TracebackType
from typing import Any

from helpers.notebook import frontend
from helpers.submission.handout import Handout

_MESSAGE = re.compile(r"(\w+): ([\w.]+)")
"""What released stubs raise NotImplementedError with: module and function."""

_files: dict[str, Handout] = {}
"""Files of modules to the assignment that they belong to."""


def observe(found: Handout) -> None:
    """Have the notebook tell in one line that a function of this assignment is not written yet.

    Errors of all other kinds are shown as before; nothing happens outside of a notebook.
    """
    _files.update({str(found.file(module)): found for module in found.modules})
    shell = frontend.shell()
    if shell is not None and NotImplementedError not in shell.custom_exceptions:
        _install(shell)


def sentence(error: BaseException) -> str | None:
    """Return what a notebook says instead of a traceback, or None where the traceback should stay.

    Only an exception that a released stub raises counts: a NotImplementedError of the student's own, or of
    PyTorch's, is an error like any other.
    """
    found = _files.get(_innermost(error.__traceback__))
    match = _MESSAGE.fullmatch(str(error))
    if found is None or match is None or match[1] not in found.modules:
        return None
    return f"{match[2]} in {match[1]}.py is not written yet{_task(found, f'{match[1]}.py', match[2])}."


def is_stub(source: str, module: str, name: str) -> bool:
    """Tell whether the source of a module still holds the stub of a function."""
    return f'NotImplementedError("{module}: {name}")' in source


def task_number(found: Handout, id: str) -> int:
    """Return the number of a task in the notebook, counted from 1."""
    return [task.id for task in found.tasks].index(id) + 1


def task_name(found: Handout, id: str) -> str:
    """Return how the notebook calls a task: ``task 4``, or ``extra credit``, which has no number."""
    number = task_number(found, id)
    return "extra credit" if found.tasks[number - 1].extra else f"task {number}"


def _task(found: Handout, file: str, name: str) -> str:
    ids = [function.task for function in found.functions if (function.file, function.name) == (file, name)]
    return "" if not ids or ids[0] is None else f" ({task_name(found, ids[0])})"


def _innermost(trace: TracebackType | None) -> str:
    """Return the file in which an exception was raised."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else trace.tb_frame.f_code.co_filename


def _install(shell: Any) -> None:
    # IPython knows one handler; Colab's, which is for imports that fail, must go on working.
    types, earlier = shell.custom_exceptions, getattr(shell, "CustomTB", None)

    def handle(shell: Any, type: Any, error: Any, trace: Any, tb_offset: int | None = None) -> Any:
        line = sentence(error)
        if line is None and earlier is not None and isinstance(error, types):
            return earlier(type, error, trace, tb_offset=tb_offset)
        if line is not None:
            error._render_traceback_ = lambda: [line]
        return shell.showtraceback((type, error, trace), tb_offset=tb_offset)

    shell.set_custom_exc((*types, NotImplementedError), handle)
