"""Escapes by system calls: everything the filter must refuse, whatever else would refuse it too."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Callable
from typing import Final, Literal

from autograder.sandbox import kernel, syscalls
from autograder.sandbox.scene import Escape, Scene

# Arguments of calls for which Python has no names, with the numbers of the headers that their pages name.
# Structures that only have to be there are zeros, of a size that the call accepts.
_PTRACE_TRACEME: Final = 0  # ptrace(2)
_PTRACE_SEIZE: Final = 0x4206
_BPF_MAP_CREATE: Final = 0  # bpf(2)
_BPF_ATTR: Final = bytes(128)  # union bpf_attr
_PERF_EVENT_ATTR: Final = bytes(128)  # struct perf_event_attr of perf_event_open(2)
_PERF_THIS_PROCESS: Final = 0
_PERF_ANY_CPU: Final = -1
_PERF_NO_GROUP: Final = -1
_KEYCTL_GET_KEYRING_ID: Final = 0  # keyctl(2)
_KEY_SPEC_SESSION_KEYRING: Final = -3
_SHM_KEY: Final = 1  # shmget(2): of a segment that others can find too; 0 would be IPC_PRIVATE
_SHM_BYTES: Final = 4096  # one page, the least there is
_URING_ENTRIES: Final = 1
_URING_PARAMS: Final = bytes(120)  # struct io_uring_params of io_uring_setup(2)
_UFFD_USER_MODE_ONLY: Final = 1  # userfaultfd(2)
_AT_FDCWD: Final = -100  # open_by_handle_at(2): what belongs to the file system of the current folder
_FILE_HANDLE: Final = bytes(16)  # struct file_handle with room for a small handle
_INIT: Final = 1  # the first process, which always is there
_NO_SIGNAL: Final = 0  # kill(2): it is not sent, but whether it might be is checked
_ALL_PROCESSES: Final = -1  # kill(2)

_IOVEC: Final = struct.Struct("@PN")
"""``struct iovec`` of process_vm_readv(2): an address, and how many bytes are there."""
_BYTES_TO_PEEK: Final = 8
"""Any number would do: that the memory can be read at all is what counts."""
_CONNECT_SECONDS: Final = 2
"""A connection to this machine takes thousandths of one. A silent refusal would otherwise last a minute."""
_NO_ERRNO: Final = 255
"""Exit status of a child that failed, but with no error of a call; errnos are smaller."""


def on_calls(scene: Scene) -> list[Escape]:
    """Return the escapes that the filter must refuse; running a program comes last, for it might succeed."""
    return [*_network(scene), *_CALLS]


def _tcp(scene: Scene) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as link:
        if scene.port is not None:
            link.settimeout(_CONNECT_SECONDS)
            link.connect(("127.0.0.1", scene.port))
    return "connected"


def _makes(family: int, kind: int) -> Callable[[Scene], str]:
    def run(scene: Scene) -> str:
        socket.socket(family, kind).close()
        return "made"

    return run


def _socketpair(scene: Scene) -> str:
    for end in socket.socketpair():
        end.close()
    return "made"


def _network(scene: Scene) -> list[Escape]:
    """Escapes by the network; a machine without a network gives no control."""
    control: Literal["must work", "may work"] = "may work" if scene.port is None else "must work"
    return [
        Escape("connect to the parent by TCP", "seccomp", _tcp, control=control),
        Escape("make a UDP socket", "seccomp", _makes(socket.AF_INET, socket.SOCK_DGRAM), control=control),
        Escape("make a unix socket", "seccomp", _makes(socket.AF_UNIX, socket.SOCK_STREAM)),
        Escape("make a pair of sockets", "seccomp", _socketpair),
    ]


def _apart(deed: Callable[[], object]) -> None:
    """Do something in a child of its own; where none can be forked, here.

    Raises
    ------
    OSError
        With the error that the deed met.
    """
    try:
        child = os.fork()
    except OSError:
        deed()
        return
    if child == 0:
        status = _NO_ERRNO
        try:
            deed()
            status = 0
        except OSError as error:
            status = error.errno or _NO_ERRNO
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status:
        raise OSError(status, os.strerror(abs(status)))


def _fork(scene: Scene) -> str:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


def _exec(scene: Scene) -> str:
    _apart(lambda: os.execv("/bin/true", ["true"]))
    return "ran a program"


def _ptrace_me(scene: Scene) -> str:
    _apart(lambda: kernel.syscall(syscalls.number("ptrace"), _PTRACE_TRACEME, 0, 0, 0))
    return "may be traced"


def _new_namespace(scene: Scene) -> str:
    _apart(lambda: kernel.syscall(syscalls.number("unshare"), kernel.CLONE_NEWUSER))
    return "entered"


def _signal(scene: Scene) -> str:
    os.kill(scene.parent, _NO_SIGNAL)
    return "it can be signalled"


def _signal_all(scene: Scene) -> str:
    os.kill(_ALL_PROCESSES, _NO_SIGNAL)
    return "they can be signalled"


def _nice(scene: Scene) -> str:
    os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + 1)
    return "changed"


def _cores(scene: Scene) -> str:
    os.sched_setaffinity(0, os.sched_getaffinity(0))
    return "changed"


def _calls(name: str, *arguments: int | bytes | None) -> Callable[[Scene], str]:
    def run(scene: Scene) -> str:
        result = kernel.syscall(syscalls.number(name), *arguments)
        return f"the kernel answered {result}"

    return run


def _seize(scene: Scene) -> str:
    kernel.syscall(syscalls.number("ptrace"), _PTRACE_SEIZE, scene.parent, 0, 0)
    return "traced"


def _peek(scene: Scene) -> str:
    # One piece of memory here, and what the parent, of which this is a fork, has at the same address.
    here = ctypes.create_string_buffer(_BYTES_TO_PEEK)
    vector = _IOVEC.pack(ctypes.addressof(here), len(here))
    local, remote = (ctypes.create_string_buffer(vector, len(vector)) for _ in range(2))
    kernel.syscall(syscalls.number("process_vm_readv"), scene.parent, local, 1, remote, 1, 0)
    return "read"


def _prctl(option: int, value: int) -> Callable[[Scene], str]:
    def run(scene: Scene) -> str:
        kernel.prctl(option, value)
        return "changed"

    return run


def _rare(name: str, call: str, *arguments: int | bytes | None) -> Escape:
    """Try a call that many machines refuse to everybody, so that there is no control."""
    return Escape(name, "seccomp", _calls(call, *arguments), control="may work")


_CALLS: Final = [
    Escape("fork a process", "seccomp", _fork),
    Escape(
        "make a process by clone3",
        "seccomp",
        _calls("clone3", None, 0),
        frozenset({errno.ENOSYS}),
        "may work",
    ),
    Escape("signal the parent", "seccomp", _signal),
    Escape("signal all processes", "seccomp", _signal_all, control="may work"),
    Escape("have itself traced", "seccomp", _ptrace_me),
    Escape("trace the parent", "seccomp", _seize, control="skip"),
    Escape("read the parent's memory", "seccomp", _peek, control="may work"),
    Escape("survive the parent's death", "seccomp", _prctl(kernel.PR_SET_PDEATHSIG, 0)),
    Escape("become open to other processes", "seccomp", _prctl(kernel.PR_SET_DUMPABLE, 1)),
    Escape("change its priority", "seccomp", _nice),
    Escape("choose its cores", "seccomp", _cores),
    Escape("make a file in memory", "seccomp", _calls("memfd_create", b"probe\0", 0)),
    _rare("share memory with others", "shmget", _SHM_KEY, _SHM_BYTES, 0),
    _rare("use io_uring", "io_uring_setup", _URING_ENTRIES, _URING_PARAMS),
    _rare("handle page faults", "userfaultfd", _UFFD_USER_MODE_ONLY),
    _rare("load a BPF program", "bpf", _BPF_MAP_CREATE, _BPF_ATTR, len(_BPF_ATTR)),
    _rare(
        "watch performance events",
        "perf_event_open",
        *(_PERF_EVENT_ATTR, _PERF_THIS_PROCESS, _PERF_ANY_CPU, _PERF_NO_GROUP, 0),
    ),
    _rare("use the key store", "keyctl", _KEYCTL_GET_KEYRING_ID, _KEY_SPEC_SESSION_KEYRING, 0),
    Escape("enter a new user namespace", "seccomp", _new_namespace, control="may work"),
    _rare("hold a process by descriptor", "pidfd_open", _INIT, 0),
    _rare("open a file by handle", "open_by_handle_at", _AT_FDCWD, _FILE_HANDLE, 0),
    Escape("run a program", "seccomp", _exec),
]
