import ctypes
import os
import posix
import sys

from toolbox import CANARY, libc, try_to


def by_getenv():
    library = libc()
    library.getenv.restype = ctypes.c_char_p
    return library.getenv(b"GITHUB_TOKEN")


def by_pointer():
    pointer = ctypes.POINTER(ctypes.c_char_p).in_dll(libc(), "environ")
    found = []
    for position in range(1000):
        if not pointer or pointer[position] is None:
            break
        found.append(pointer[position])
    return [entry for entry in found if CANARY.encode() in entry or b"TOKEN" in entry]


try_to(
    "read os.environ",
    lambda: [v for v in os.environ.values() if CANARY in v] or os.environ.get("GITHUB_TOKEN"),
)
try_to("read posix.environ", lambda: [v for v in posix.environ.values() if CANARY.encode() in v])
try_to("read it by getenv", by_getenv)
try_to("read it by pointer", by_pointer)
try_to(
    "read the command line",
    lambda: [v for v in (*sys.argv, *sys.orig_argv, *sys._xoptions) if CANARY in str(v)],
)
try_to(
    "read the shell's files",
    lambda: "".join(open(os.path.expanduser(f"~root/{name}")).read() for name in (".bash_history", ".netrc")),
)


def twice(function, x):
    return function(function(x))
