import ctypes
import os
import platform
import resource

from toolbox import attempt, system_call

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


attempt("queue system calls by io_uring", lambda: system_call(425, 8, PARAMETERS))
attempt("enter io_uring", lambda: system_call(426, 3, 1, 1, 0, None, 0))
attempt("register with io_uring", lambda: system_call(427, 3, 0, None, 0))
attempt("write a program to memory", program_in_memory)
attempt("execute by descriptor", execute_at)
attempt("execute a path by execveat", lambda: system_call(322, -100, b"/bin/true", None, None, 0))
attempt(
    "make a process by clone3", lambda: system_call(435, (17).to_bytes(40, "little") + bytes(48), 88) or 1
)
attempt("make a name space by clone3", lambda: system_call(435, (1 << 28).to_bytes(88, "little"), 88) or 1)
attempt("handle page faults", lambda: system_call(323, 1))
attempt("read a key", lambda: system_call(250, 11, -3, PARAMETERS, 256))
attempt("add a key", lambda: system_call(248, b"user", b"PWNED", b"x", 1, -3))
attempt("ask for a key", lambda: system_call(249, b"user", b"PWNED", None, -3))
attempt("write to memory by /proc/self/mem", replace_a_page)
attempt("load a program into the kernel", lambda: system_call(321, 0, PARAMETERS, 128))
attempt("count events of the processor", lambda: system_call(298, PARAMETERS, 0, -1, -1, 0))
attempt("leave the name spaces", lambda: system_call(272, 0x10000000) or 1)
attempt("mount something", lambda: system_call(165, b"none", b"/tmp", b"tmpfs", 0, None) or 1)
attempt("open a tree of mounts", lambda: system_call(428, -100, b"/", 1))
attempt("change the root", lambda: system_call(161, b"/tmp") or 1)
attempt("open by handle", lambda: system_call(304, -100, PARAMETERS, 0))
attempt("take a descriptor of the grader", lambda: system_call(438, system_call(434, os.getppid(), 0), 0, 0))
attempt(
    "write into the grader's memory", lambda: system_call(311, os.getppid(), PARAMETERS, 1, PARAMETERS, 1, 0)
)
attempt("trace the parent", lambda: system_call(101, 16, os.getppid(), 0, 0) or 1)
attempt(
    "compare descriptors with the grader's", lambda: system_call(312, os.getpid(), os.getppid(), 0, 0, 0) + 1
)
attempt("raise a limit", new_limit, ValueError)
attempt("lock memory", lambda: system_call(149, PARAMETERS, 4096) or 1)
attempt(
    "move pages of the grader", lambda: system_call(279, os.getppid(), 1, PARAMETERS, None, PARAMETERS, 0) + 1
)
attempt("become root", lambda: os.setresuid(0, 0, 0) or 1)
attempt("watch files", lambda: system_call(294, 0))
attempt("watch the whole file system", lambda: system_call(300, 0, 0))
attempt("set the clock", lambda: system_call(227, 0, PARAMETERS) or 1)
attempt("make a name for a socket without a path", lambda: system_call(41, 1, 1, 0))


def twice(function, x):
    return function(function(x))
