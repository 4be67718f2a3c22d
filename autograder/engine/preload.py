"""What a zygote imports and runs once, so that no worker has to."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Final

from helpers.submission import prefetch

_COMMON: Final = (
    *("torch.nn.functional", "torch.optim", "numpy.random"),
    *("autograder.engine.worker",),
    *("helpers.testing.checks", "helpers.testing.evidence", "helpers.testing.constraints"),
    *("helpers.testing.substitute", "helpers.seeds"),
    *("collections", "copy", "dataclasses", "enum", "functools", "heapq", "itertools", "json", "math"),
    *("operator", "pathlib", "random", "statistics", "string", "time", "typing", "warnings"),
)
"""What student modules and PyTorch import sooner or later; workers find it in memory."""

_LATE: Final = (
    *("torch._dynamo", "torch._subclasses.schema_check_mode", "torch.profiler._cupti_monitor"),
    *("torch.utils.data", "torch.utils.serialization.config", "torch.autograd.functional", "torch.func"),
    *("torch.optim.lr_scheduler", "torch.testing", "torch.nn.utils.parametrizations", "torch.distributions"),
    *("numpy.fft", "numpy.linalg", "numpy.polynomial", "numpy.testing", "numpy.ma", "numpy.ctypeslib"),
    *("numpy.lib.stride_tricks", "matplotlib.backends.backend_agg", "tqdm.auto"),
)
"""What PyTorch and NumPy import when first used, and what students import beside the standard library."""

_UNWANTED: Final = frozenset(
    (
        *("__main__", "antigravity", "distutils", "ensurepip", "idlelib", "lib2to3", "pip", "test", "tests"),
        *("this", "tkinter", "turtle", "turtledemo", "venv"),
    )
)
"""Modules of the standard library that do something when imported, or open windows."""


def preload_common() -> None:
    """Import what most workers need, and run what PyTorch sets up at first use."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    with _font_cache():
        _import(_COMMON)
    x = torch.ones(2, 1, 4, 4, requires_grad=True)
    y = torch.nn.functional.conv2d(x, torch.ones(1, 1, 3, 3))
    (y.sum() + (x[:, 0] @ x[:, 0]).sum()).backward()
    torch.cdist(torch.ones(2, 2), torch.ones(2, 2)).sort()
    x[0, 0].detach().numpy() @ x[0, 0].detach().numpy()
    importlib.import_module("helpers.testing.evidence").count_call(torch.add, (x, x), {})


def preload_all(packages: Iterable[str]) -> None:
    """Import what a worker without any file might want: the standard library, and the packages."""
    with warnings.catch_warnings(), _font_cache():
        warnings.simplefilter("ignore")
        for name in (*_standard_library(), *_LATE, *prefetch.all_modules(packages)):
            with contextlib.suppress(ImportError):  # of another system, or not installed
                _import([name])


def preload_more(names: Iterable[str]) -> bool:
    """Import what `prefetch.select_modules` chose, as far as it is there; return whether a module is new."""
    before = len(sys.modules)
    with warnings.catch_warnings(), _font_cache():
        warnings.simplefilter("ignore")
        for name in names:
            if name not in sys.modules:
                with contextlib.suppress(ImportError):
                    _import([name])
    return len(sys.modules) > before


def _standard_library() -> Iterator[str]:
    """Yield the public modules of the standard library, and those one level below its packages."""
    for name in sorted(sys.stdlib_module_names - _UNWANTED):
        if not name.startswith("_"):
            yield name
            for module in pkgutil.iter_modules(getattr(sys.modules.get(name), "__path__", ())):
                if not module.name.startswith("_") and module.name not in _UNWANTED:
                    yield f"{name}.{module.name}"


def _import(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)


@contextlib.contextmanager
def _font_cache() -> Iterator[None]:
    """Give matplotlib a folder for the list of fonts that it writes when imported."""
    with tempfile.TemporaryDirectory() as caches:
        kept = os.environ["MPLCONFIGDIR"]
        os.environ["MPLCONFIGDIR"] = caches
        try:
            yield
        finally:
            os.environ["MPLCONFIGDIR"] = kept
