import ctypes
import os
import platform
import resource

from toolbox import system_call, try_to

assert platform.machine() == "x86_64"
PARAMETERS = ctypes.create_string_buffer(256)


def replace_a_page():
    """Write to memory that is read-only, the way a debugger does."""
    descriptor = os.open("/proc/self/mem", os.O_RDWR)
    return os.pwrite(descriptor, b"\0", id(PARAMETERS))


def program_in_memory():
    descriptor = os.memfd_create("program")
    return os.write(descriptor, b"#!/bin/sh\ntouch /tmp/PWNED\n")


def execute_at():
    return system_call(322, os.open("/bin/sh", os.O_PATH), b"", None, None, 0x1000)


def new_limit():
    resource.setrlimit(resource.RLIMIT_CPU, (10**6, 10**6))
    return "more time"


try_to("queue system calls by io_uring", lambda: system_call(425, 8, PARAMETERS))
try_to("enter io_uring", lambda: system_call(426, 3, 1, 1, 0, None, 0))
try_to("register with io_uring", lambda: system_call(427, 3, 0, None, 0))
try_to("write a program to memory", program_in_memory)
try_to("execute by descriptor", execute_at)
try_to("execute a path by execveat", lambda: system_call(322, -100, b"/bin/true", None, None, 0))
try_to("make a process by clone3", lambda: system_call(435, (17).to_bytes(40, "little") + bytes(48), 88) or 1)
try_to("make a name space by clone3", lambda: system_call(435, (1 << 28).to_bytes(88, "little"), 88) or 1)
try_to("handle page faults", lambda: system_call(323, 1))
try_to("read a key", lambda: system_call(250, 11, -3, PARAMETERS, 256))
try_to("add a key", lambda: system_call(248, b"user", b"PWNED", b"x", 1, -3))
try_to("ask for a key", lambda: system_call(249, b"user", b"PWNED", None, -3))
try_to("write to memory by /proc/self/mem", replace_a_page)
try_to("load a program into the kernel", lambda: system_call(321, 0, PARAMETERS, 128))
try_to("count events of the processor", lambda: system_call(298, PARAMETERS, 0, -1, -1, 0))
try_to("leave the name spaces", lambda: system_call(272, 0x10000000) or 1)
try_to("mount something", lambda: system_call(165, b"none", b"/tmp", b"tmpfs", 0, None) or 1)
try_to("open a tree of mounts", lambda: system_call(428, -100, b"/", 1))
try_to("change the root", lambda: system_call(161, b"/tmp") or 1)
try_to("open by handle", lambda: system_call(304, -100, PARAMETERS, 0))
try_to("take a descriptor of the grader", lambda: system_call(438, system_call(434, os.getppid(), 0), 0, 0))
try_to(
    "write into the grader's memory", lambda: system_call(311, os.getppid(), PARAMETERS, 1, PARAMETERS, 1, 0)
)
try_to("trace the parent", lambda: system_call(101, 16, os.getppid(), 0, 0) or 1)
try_to(
    "compare descriptors with the grader's", lambda: system_call(312, os.getpid(), os.getppid(), 0, 0, 0) + 1
)
try_to("raise a limit", new_limit, ValueError)
try_to("lock memory", lambda: system_call(149, PARAMETERS, 4096) or 1)
try_to(
    "move pages of the grader", lambda: system_call(279, os.getppid(), 1, PARAMETERS, None, PARAMETERS, 0) + 1
)
try_to("become root", lambda: os.setresuid(0, 0, 0) or 1)
try_to("watch files", lambda: system_call(294, 0))
try_to("watch the whole file system", lambda: system_call(300, 0, 0))
try_to("set the clock", lambda: system_call(227, 0, PARAMETERS) or 1)
try_to("make a name for a socket without a path", lambda: system_call(41, 1, 1, 0))


def twice(function, x):
    return function(function(x))
