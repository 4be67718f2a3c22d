"""Replace functions and classes of a student's module with the grader's own while a test runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from helpers.testing import backend


def substituted(owner: object, **replacements: object) -> AbstractContextManager[None]:
    """Replace attributes of a module or a class for the length of a ``with`` block.

    A test of code that builds on an earlier task gives it a right version of that task, so that one mistake
    loses one task.

    Parameters
    ----------
    owner : module or class
        The student's module, or a class in it. Where it stands for one in another process, its backend
        exchanges the attributes there.
    **replacements : object
        Attribute name to its replacement. Names that the owner lacks are added and removed again. Functions
        in the place of methods get no ``self``.

    Examples
    --------
    >>> import math
    >>> with substituted(math, sqrt=lambda x: 42):
    ...     math.sqrt(9)
    42
    >>> math.sqrt(9)
    3.0
    """
    there = backend.backend_of(owner)
    return _replace(owner, replacements) if there is None else there.substitute(owner, replacements)


@contextmanager
def _replace(owner: object, replacements: dict[str, object]) -> Iterator[None]:
    """Set attributes in this process, and restore them whatever happens."""
    names = vars(owner)
    before = {name: names[name] for name in replacements if name in names}
    try:
        for name, value in replacements.items():
            static = isinstance(owner, type) and callable(value)
            setattr(owner, name, staticmethod(value) if static else value)  # type: ignore[arg-type]
        yield
    finally:
        for name in replacements:
            if name in before:
                setattr(owner, name, before[name])
            elif name in names:
                delattr(owner, name)


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
    there = backend.backend_of(cls)
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
