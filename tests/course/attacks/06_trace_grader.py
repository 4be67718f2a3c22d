import ctypes
import os

from toolbox import system_call, try_to

ZYGOTE = os.getppid()
ATTACH, SEIZE = 16, 0x4206


def peek():
    here = ctypes.create_string_buffer(8)
    vector = ctypes.addressof(here).to_bytes(8, "little") + (8).to_bytes(8, "little")
    return system_call(310, ZYGOTE, vector, 1, vector, 1, 0)


def poke():
    here = ctypes.create_string_buffer(8)
    vector = ctypes.addressof(here).to_bytes(8, "little") + (8).to_bytes(8, "little")
    return system_call(311, ZYGOTE, vector, 1, vector, 1, 0)


def everybody(deed):
    """Try it with every process that may be around."""

    def run():
        error = None
        # Numbers begin anew after the largest, so the zygote's may be above the worker's.
        around = {near + step for near in (ZYGOTE, os.getpid()) for step in range(-40, 5)}
        for pid in sorted(around - {os.getpid()}):
            if pid < 2:
                continue
            try:
                return deed(pid) or pid
            except ProcessLookupError as gone:
                error = error or gone
            except OSError as refused:
                error = refused
        raise error

    return run


try_to("attach to the zygote", lambda: system_call(101, ATTACH, ZYGOTE, 0, 0) or "attached")
try_to("seize any process", everybody(lambda pid: system_call(101, SEIZE, pid, 0, 0)))
try_to("read the zygote's memory", peek)
try_to("write the zygote's memory", poke)
try_to("hold a process by descriptor", lambda: system_call(434, ZYGOTE, 0))
try_to("take a descriptor of it", lambda: system_call(438, 3, 0, 0))
try_to("compare its descriptors", lambda: system_call(312, ZYGOTE, os.getpid(), 0, 0, 0) + 1)
try_to("kill the zygote", lambda: os.kill(ZYGOTE, 9) or "sent")
try_to("kill any process", everybody(lambda pid: os.kill(pid, 0)))
try_to("kill any thread", everybody(lambda pid: system_call(234, pid, pid, 0)))
try_to("kill by tkill", everybody(lambda pid: system_call(200, pid, 0)))
try_to("queue a signal", everybody(lambda pid: system_call(129, pid, 0, bytes(128))))
try_to("raise its limits", lambda: system_call(302, ZYGOTE, 0, bytes(16), None) or "raised")
try_to("slow it down", lambda: os.setpriority(os.PRIO_PROCESS, ZYGOTE, 19) or "slowed")
try_to("watch its performance events", lambda: system_call(298, bytes(128), ZYGOTE, -1, -1, 0))
try_to("become its tracee", lambda: system_call(101, 0, 0, 0, 0) or "traced")


def twice(function, x):
    return function(function(x))
