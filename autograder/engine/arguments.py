"""Changes by student code to its arguments: written to the test's own objects, undone after the test.

Suites keep hidden inputs in constants and hand them to student code in more than one test. If nothing were
undone, a submission could overwrite them in one test and know the answers in the next.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from autograder.engine.wire.frames import ProtocolError


class Changes:
    """The objects of one test that were written to, and how to restore them."""

    def __init__(self) -> None:
        self._restore: dict[int, tuple[object, Callable[[], None]]] = {}

    def write(self, node: object, content: Any) -> None:
        """Give a tensor, array, list or dict new content, in place.

        Raises
        ------
        ProtocolError
            If the object cannot hold it.
        """
        if type(node) is np.ndarray and not node.flags.writeable:
            raise ProtocolError("a read-only array changed")
        if id(node) not in self._restore:
            self._restore[id(node)] = (node, _keep(node))
        _write(node, content)

    def undo(self) -> None:
        """Restore every object as it was before the first change."""
        for _, restore in self._restore.values():
            restore()
        self._restore.clear()


def _write(node: object, content: Any) -> None:
    if type(node) is torch.Tensor:
        with torch.no_grad():
            if node.shape == content.shape and node.dtype == content.dtype:
                with contextlib.suppress(RuntimeError):  # an expanded tensor has no place for every entry
                    node.copy_(content)
                    return
            if node.requires_grad and not (content.is_floating_point() or content.is_complex()):
                raise ProtocolError("a tensor with a gradient changed its dtype to one that has none")
            node.data = content
    elif type(node) is np.ndarray:
        if node.shape != content.shape or node.dtype != content.dtype:
            raise ProtocolError("an array changed its shape or dtype in place")
        node[...] = content
    elif type(node) is list:
        node[:] = content
    elif isinstance(node, dict):
        node.clear()
        node.update(content)


def _keep(node: Any) -> Callable[[], None]:
    """Return a function that gives an object back the content that it has now."""
    if type(node) is torch.Tensor:
        return _keep_tensor(node)
    kept = node.copy()
    return lambda: _write(node, kept)


def _keep_tensor(node: torch.Tensor) -> Callable[[], None]:
    place, kept = node.detach(), node.detach().clone()

    def restore() -> None:
        node.data = place  # the same memory, so that its views and its base are restored too
        with torch.no_grad(), contextlib.suppress(RuntimeError):  # an expanded tensor was never written to
            place.copy_(kept)

    return restore
