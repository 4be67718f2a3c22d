"""Right functions in the place of those of the student's layers, while networks are checked."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from unittest import mock

Function = Callable[..., object]


def replaced(cls: Any, forward: Function, backward: Function) -> AbstractContextManager[object]:
    """Replace the functions of a student's layer; the class stays, with whatever it inherits or adds."""
    right = {"forward": forward, "backward": backward}
    if isinstance(cls, type):
        return mock.patch.multiple(cls, **{name: staticmethod(right[name]) for name in right})
    for name in right:  # in a worker names are looked up anew: nothing could be put back, and it ends here
        setattr(cls, name, right[name])
    return nullcontext()
