"""Exchange functions and classes of a student's module for the grader's own while a test runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from helpers.testing import backend


def substituted(module: object, **replacements: object) -> AbstractContextManager[None]:
    """Replace attributes of a module for the length of a ``with`` block.

    A test of code that builds on an earlier task gives it a right version of that task, so that one mistake
    loses one task.

    Parameters
    ----------
    module : module
        The student's module. Where it stands for one in another process, its backend exchanges them there.
    **replacements : object
        Attribute name to its replacement. Names that the module lacks are added and removed again.

    Examples
    --------
    >>> import math
    >>> with substituted(math, sqrt=lambda x: 42):
    ...     math.sqrt(9)
    42
    >>> math.sqrt(9)
    3.0
    """
    there = backend.of(module)
    return _replaced(module, replacements) if there is None else there.substitute(module, replacements)


@contextmanager
def _replaced(module: object, replacements: dict[str, object]) -> Iterator[None]:
    """Set attributes in this process, and restore them whatever happens."""
    names = vars(module)
    before = {name: names[name] for name in replacements if name in names}
    names.update(replacements)
    try:
        yield
    finally:
        for name in replacements:
            names.pop(name, None)
        names.update(before)


def constructor(
    cls: Any,
    args: Sequence[object] | None,
    methods: Callable[..., Mapping[str, Callable[..., object]]],
    *,
    count: int,
) -> Callable[..., object]:
    """Return a function to put in the place of a student's class.

    What it returns are objects of the student's class, so that they live where the student's code does, with
    the given functions in the place of their methods. They are made before the class is replaced.

    Parameters
    ----------
    cls : class
        The student's class.
    args : sequence or None
        Arguments that its constructor accepts; None makes the objects without a call of ``__init__``, which
        may be wrong.
    methods : callable
        Takes the arguments of a call and returns the methods of the object, by name. They get no ``self``.
    count : int
        How many objects there are to give.

    Examples
    --------
    >>> class Greeter:
    ...     pass
    >>> make = constructor(Greeter, (), lambda name: {"greet": lambda: f"Hello, {name}"}, count=1)
    >>> make("Ada").greet()
    'Hello, Ada'
    """
    there = backend.of(cls)
    blank = object.__new__ if there is None else there.blank
    objects: list[Any] = [blank(cls) if args is None else cls(*args) for _ in range(count)]

    def construct(*args: object, **kwargs: object) -> object:
        if not objects:
            raise RuntimeError(f"more than {count} objects were made; this test allows no more")
        made = objects.pop()
        for name, method in methods(*args, **kwargs).items():
            setattr(made, name, method)
        return made

    return construct
