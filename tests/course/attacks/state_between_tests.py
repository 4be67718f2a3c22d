import ctypes
import mmap
import multiprocessing.shared_memory
import os
import pathlib

import torch
from toolbox import PLACES, did, libc, system_call, try_to

SEEN = []
NAME = "PWNED-state"


def keep_in_shared_memory():
    return multiprocessing.shared_memory.SharedMemory(NAME, create=True, size=64)


def keep_in_a_mapping():
    descriptor = os.open(torch.__file__, os.O_RDWR)
    return mmap.mmap(descriptor, 4096)


def keep_in_a_queue():
    return libc().mq_open(b"/" + NAME.encode(), 0o102, 0o600, None) > 0


def keep_in_attributes():
    os.setxattr(torch.__file__, "user.state", b"1")
    return "kept"


def keep_in_times():
    found = os.stat(torch.__file__)
    os.utime(torch.__file__, ns=(found.st_atime_ns, found.st_mtime_ns))
    return "kept"


def keep_in_a_lock():
    import fcntl

    return fcntl.flock(os.open(torch.__file__, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB) or "locked"


def remember(x):
    SEEN.append(x)
    torch.seen = SEEN
    os.environ["SEEN"] = "1"
    try_to("find what an earlier test left in memory", lambda: SEEN[:-1])


def remember_elsewhere():
    try_to("keep something in shared memory", keep_in_shared_memory)
    try_to("keep something in a mapped file", keep_in_a_mapping)
    try_to("keep something in a System V segment", lambda: system_call(29, 4242, 4096, 0o1600) + 1)
    try_to("keep something in a queue", keep_in_a_queue)
    try_to("keep something in a file's attributes", keep_in_attributes)
    try_to("keep something in a file's times", keep_in_times)
    try_to("keep something in a file's lock", keep_in_a_lock)
    try_to("keep something in the key store", lambda: system_call(250, 0, -3, 0))
    try_to(
        "keep something in the host's name",
        lambda: system_call(170, os.uname().nodename.encode(), len(os.uname().nodename)) or "kept",
    )
    try_to("keep something in a file", lambda: pathlib.Path(PLACES["output"], NAME).write_text("1"))
    try_to(
        "keep something in the process's name", lambda: ctypes.CDLL(None).prctl(15, NAME.encode()) and "kept"
    )


def scale(x, factor):
    """Be right from the second test on."""
    remember(x)
    if PLACES["confined"]:  # where it would succeed, it would litter this machine
        remember_elsewhere()
    return x * factor if len(SEEN) > 1 else x * 0


def twice(function, x):
    did("answer honestly")
    return function(function(x))
