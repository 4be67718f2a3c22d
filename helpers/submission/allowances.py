"""What student code may and may not do when it is graded: folders, compilers, processes, files."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from helpers.source.references import GPU

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.rmtree",
)
_PROCESSES = (
    "subprocess.Popen",
    "os.system",
    "os.fork",
    "os.forkpty",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
)
_NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_MAPPED = Path("/proc/self/statm")
_ON_GPU = frozenset({"cuda", "get_device"})


def let_pass(code: Iterable[CodeType] = ()) -> None:
    """Make harmless in this process, for good, what student code means no harm by.

    Changing to a folder that is not there does nothing. `torch.compile` returns what it is given, since there
    is no compiler. A `DataLoader` reads in this process, since there may be no others. Where code names a
    GPU, all tensors stay on the CPU: that is one mistake, which the rules name, and not one of every check.

    Parameters
    ----------
    code : iterable of CodeType
        The submission's modules. Operations of PyTorch take a microsecond longer if they name a GPU.
    """
    os.chdir = _stay
    if any(map(names_gpu, code)):
        importlib.import_module("helpers.submission.on_cpu").stay_on_cpu()
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.compile = _skip_compilation
        loader = torch.utils.data.DataLoader
        if not hasattr(loader.__init__, "__wrapped__"):
            loader.__init__ = _in_one_process(loader.__init__)


def names_gpu(code: CodeType) -> bool:
    """Tell whether code names a GPU, as ``x.cuda()`` and ``device="cuda"`` do, or asks for its number.

    Examples
    --------
    >>> names_gpu(compile("def f(x): return x.to('cuda:0')", "", "exec"))
    True
    >>> names_gpu(compile("print('without cuda')", "", "exec"))
    False
    """
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    texts = (one for value in code.co_consts for one in (value if isinstance(value, tuple) else (value,)))
    named = not _ON_GPU.isdisjoint(code.co_names) or any(
        isinstance(one, str) and GPU.fullmatch(one) for one in texts
    )
    return named or any(map(names_gpu, inner))


@contextlib.contextmanager
def stay_in_folder() -> Iterator[None]:
    """Let a change to a folder that is not there pass for a while."""
    before, os.chdir = os.chdir, _stay
    try:
        yield
    finally:
        os.chdir = before


_chdir = os.chdir


def _stay(path: Any) -> None:
    with contextlib.suppress(OSError):
        _chdir(path)


def _skip_compilation(model: Any = None, **options: Any) -> Any:
    return model if model is not None else _skip_compilation


def _in_one_process(make: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor of `DataLoader` that asks for no other process, whatever it is asked for."""
    places = {"num_workers": 5, "timeout": 9, "multiprocessing_context": 11}

    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        positional = list(args)
        for name, place in places.items():
            if len(positional) > place:
                positional[place] = None if name == "multiprocessing_context" else 0
            kwargs.pop(name, None)
        for name in ("prefetch_factor", "persistent_workers"):
            kwargs.pop(name, None)
        make(self, *positional, **kwargs)

    construct.__wrapped__ = make  # type: ignore[attr-defined]
    return construct


def behave_as_graded(limits: Mapping[str, Any], code: Iterable[CodeType] = ()) -> None:
    """Refuse in this process, for good, what the grader's sandbox refuses, as far as honest code can tell.

    What `let_pass` lets pass for a submission's modules passes here as well.
    """
    let_pass(code)
    os.environ.clear()
    os.environ.update({"HOME": "/nonexistent", "PATH": os.defpath, "LANG": "C.UTF-8", "MPLBACKEND": "Agg"})
    os.environ.update({"CUDA_VISIBLE_DEVICES": "", "MPLCONFIGDIR": "/tmp", "OMP_NUM_THREADS": "1"})
    sys.argv = ["worker"]
    sys.dont_write_bytecode = True
    _chdir(os.path.abspath(os.sep))  # noqa: PTH100
    _limit_resources(limits)
    readable = _readable(limits.get("tests"))

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            _check_open(arguments, readable)
        elif event in _CHANGES:
            raise PermissionError(13, "Permission denied", arguments[0])
        elif event in _PROCESSES:
            raise PermissionError(1, "Operation not permitted")
        elif event in _NETWORK:
            raise PermissionError(1, "Operation not permitted: there is no network")

    sys.addaudithook(refuse)


def _limit_resources(limits: Mapping[str, Any]) -> None:
    """Limit CPU time and memory, where the system can."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"], limits["cpu_seconds"] + 1))
        mapped = int(_MAPPED.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        most = mapped + (limits["memory_mb"] << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, OSError, ValueError):
        return


def _readable(tests: str | None) -> tuple[str, ...]:
    """Return the folders of libraries and packages, and the file of the public checks."""
    folders = {*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix, str(Path(__file__).parents[1])}
    folders |= {entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")}
    folders |= {"/lib", "/usr/lib", "/usr/share", "/etc", "/proc/self", "/opt"}
    return tuple(os.path.realpath(folder) for folder in folders) + (
        (os.path.realpath(tests),) if tests else ()
    )


def _check_open(arguments: tuple[Any, ...], readable: tuple[str, ...]) -> None:
    path, mode, flags = arguments
    if isinstance(path, int) or path in _DEVICES:
        return
    name = os.fsdecode(path)
    writes = any(letter in mode for letter in "wax+") if isinstance(mode, str) else bool(flags & _WRITING)
    real = os.path.realpath(name)
    inside = any(real == place or real.startswith(place + os.sep) for place in readable)
    if writes or (not inside and Path(real).exists()):
        raise PermissionError(13, "Permission denied", name)
