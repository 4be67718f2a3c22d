"""Measurements of a call: dispatched tensor operations, the largest new tensor, CPU time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from helpers.testing import backend
from helpers.testing.backend import Measurement


def measure(fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Measurement:
    """Call a function and count what it does, in whichever process it lives.

    Operations on NumPy arrays and plain Python numbers are not seen; a memory ceiling and the CPU time are.

    Examples
    --------
    >>> measure(torch.add, torch.ones(2), torch.ones(2)).operations
    1
    """
    there = backend.backend_of(fn)
    return count_call(fn, args, kwargs) if there is None else there.measure(fn, args, kwargs)


def count_call(fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Measurement:
    """Call a function of this process under a counter."""
    with _Counter() as counter:
        start = time.process_time()
        result = fn(*args, **kwargs)
        seconds = time.process_time() - start
    return Measurement(result, counter.operations, counter.largest, seconds)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Count operations and the bytes that they allocate."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0
        self.largest = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep PyTorch's compiler out: only to be told to skip this class, it would be imported (0.6 s)."""
        return False

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Run one operation and look at the tensors that came out of it."""
        kwargs = kwargs or {}
        self.operations += 1
        out = func(*args, **kwargs)
        shared = {_storage(value)[0] for value in _tensors((args, kwargs))}
        fresh = (_storage(value) for value in _tensors(out))
        self.largest = max([self.largest, *(size for place, size in fresh if place not in shared)])
        return out


def _tensors(value: object) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested lists, tuples and dicts."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _storage(value: torch.Tensor) -> tuple[int, int]:
    """Return address and bytes of the memory behind a tensor."""
    if value.layout is not torch.strided:
        return id(value), value.numel() * value.element_size()
    storage = value.untyped_storage()
    return storage.data_ptr(), storage.nbytes()
