"""Call the Linux kernel where Python has no function for it: ``syscall(2)`` and ``prctl(2)``.

Packages for single parts of it need a compiler or libseccomp on the machine; two C functions do for all.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys

LINUX = sys.platform == "linux"

# Options of prctl(2), with the numbers of <linux/prctl.h>. That page says what each of them does.
PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_NAME = 15
PR_GET_NAME = 16
PR_GET_SECCOMP = 21
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_TIMERSLACK = 29
PR_GET_TIMERSLACK = 30
PR_SET_NO_NEW_PRIVS = 38
PR_GET_NO_NEW_PRIVS = 39
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4  # no option, but the second argument of PR_CAP_AMBIENT
PR_SVE_GET_VL = 51  # how long ARM's vector registers are, which numerical libraries ask
PR_SET_VMA = 0x53564D41  # to give memory a name; the number spells "SVMA" in ASCII


@functools.cache
def libc() -> ctypes.CDLL:
    """Return the C library of this process; loaded on first use, so that importing is safe anywhere."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def syscall(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make one system call by number.

    Parameters
    ----------
    number : int
        Its number on this architecture.
    *arguments : int, bytes, buffer or None
        Integers are passed as machine words; bytes, buffers and None as pointers.

    Raises
    ------
    OSError
        The kernel refused, with its reason as ``errno``.
    """
    # The C function takes any number of arguments, so ctypes would pass an int as 32 bits: half a register.
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(libc().syscall(ctypes.c_long(number), *words))
    if result < 0:
        reason = ctypes.get_errno()
        raise OSError(reason, os.strerror(reason), f"system call {number}")
    return result


def prctl(option: int, *arguments: int) -> int:
    """Make one ``prctl`` call; missing arguments are zero.

    Raises
    ------
    OSError
        The kernel refused, with its reason as ``errno``.
    """
    padded = (*arguments, 0, 0, 0, 0)[:4]  # some options fail with EINVAL unless the rest is zero
    result = int(libc().prctl(ctypes.c_int(option), *(ctypes.c_ulong(a) for a in padded)))
    if result < 0:
        reason = ctypes.get_errno()
        raise OSError(reason, os.strerror(reason), f"prctl {option}")
    return result
