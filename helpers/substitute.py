"""Exchange functions of a student's module for the grader's own while a test runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager


def substituted(module: object, **replacements: object) -> AbstractContextManager[None]:
    """Replace attributes of a module for the length of a ``with`` block.

    A test of code that builds on an earlier task gives it a right version of that task, so that one mistake
    loses one task.

    Parameters
    ----------
    module : module
        The student's module. Where it stands for one in another process, its type exchanges the functions
        there, through ``__substitute__``.
    **replacements : object
        Attribute name to its replacement; ``**{"Class.method": function}`` replaces a method. Names that the
        module lacks are added and removed again.

    Examples
    --------
    >>> import math
    >>> with substituted(math, sqrt=lambda x: 42):
    ...     math.sqrt(9)
    42
    >>> math.sqrt(9)
    3.0
    """
    hook = getattr(type(module), "__substitute__", None)
    if hook is not None:
        context: AbstractContextManager[None] = hook(module, replacements)
        return context
    return _replaced(module, replacements)


@contextmanager
def _replaced(module: object, replacements: dict[str, object]) -> Iterator[None]:
    """Set attributes in this process, and restore them whatever happens."""
    with ExitStack() as undo:
        for path, replacement in replacements.items():
            *owners, name = path.split(".")
            owner = module
            for part in owners:
                owner = getattr(owner, part)
            if name in vars(owner):
                undo.callback(setattr, owner, name, vars(owner)[name])
            else:
                undo.callback(delattr, owner, name)
            setattr(owner, name, replacement)
        yield
