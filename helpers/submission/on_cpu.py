"""Keep tensors on the CPU where there is no GPU, whatever code asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from helpers.source.references import GPU


def stay_on_cpu() -> None:
    """Put every tensor of this thread on the CPU from now on that is asked for on a GPU.

    ``x.cuda()`` is `x`, and ``x.get_device()`` the CPU: the -1 that PyTorch returns is no device. What asks
    whether there is a GPU hears, as before, that there is none.
    """
    _OnCpu().__enter__()  # type: ignore[no-untyped-call]


class _OnCpu(TorchFunctionMode):
    """Hand the CPU to every function of PyTorch that is given a GPU."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is torch.Tensor.cuda:
            return args[0]
        if func is torch.Tensor.get_device:
            return torch.device("cpu")
        return func(*map(_cpu, args), **{name: _cpu(value) for name, value in (kwargs or {}).items()})


def _cpu(value: Any) -> Any:
    """Return the CPU for a GPU, by name or as a device, and any other value as it is."""
    names_gpu = type(value) is str and GPU.fullmatch(value)
    return "cpu" if names_gpu or (type(value) is torch.device and value.type == "cuda") else value
