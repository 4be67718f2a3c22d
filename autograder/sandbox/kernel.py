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
_PRCTL_ARGUMENTS = 4  # after the option

# Python has most of the following under the same names, but not on every system: a filter can be built, and
# its tests can run, on a machine of another kind than the one it is for.

# Flags of clone(2), with the numbers of <linux/sched.h>.
CLONE_VM = 0x00000100
CLONE_FS = 0x00000200
CLONE_FILES = 0x00000400
CLONE_SIGHAND = 0x00000800
CLONE_THREAD = 0x00010000
CLONE_SYSVSEM = 0x00040000
CLONE_SETTLS = 0x00080000
CLONE_PARENT_SETTID = 0x00100000
CLONE_CHILD_CLEARTID = 0x00200000
CLONE_DETACHED = 0x00400000  # musl passes it, Linux ignores it
CLONE_NEWUSER = 0x10000000

# Flags of open(2), with the numbers of <asm-generic/fcntl.h>.
O_ACCMODE = 0o3  # the bits that hold O_RDONLY, O_WRONLY or O_RDWR
O_CREAT = 0o100
O_TRUNC = 0o1000
O_TMPFILE_BIT = 0o20000000  # __O_TMPFILE: what is left of O_TMPFILE without O_DIRECTORY

# Commands of fcntl(2), with the numbers of <linux/fcntl.h> and <asm-generic/fcntl.h>.
F_DUPFD = 0
F_GETFD = 1
F_SETFD = 2
F_GETFL = 3
F_SETFL = 4
F_DUPFD_CLOEXEC = 1030

# Requests of ioctl(2), with the numbers of <asm-generic/ioctls.h>.
TCGETS = 0x5401  # by which Python's isatty asks whether a file is a terminal
TCGETS2 = 0x802C542A  # the same in newer C libraries
FIONREAD = 0x541B  # how many bytes can be read?
FIONBIO = 0x5421  # do not wait
FIONCLEX = 0x5450
FIOCLEX = 0x5451  # close on exec


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
    # Some options fail with EINVAL unless the rest is zero.
    padded = (*arguments, *[0] * _PRCTL_ARGUMENTS)[:_PRCTL_ARGUMENTS]
    result = int(libc().prctl(ctypes.c_int(option), *(ctypes.c_ulong(a) for a in padded)))
    if result < 0:
        reason = ctypes.get_errno()
        raise OSError(reason, os.strerror(reason), f"prctl {option}")
    return result
