"""System calls by name, with their numbers on both architectures.

A table per purpose; each line holds a name, its number on x86_64 and its number on aarch64. A dash stands
for a call that an architecture does not have: aarch64 came late and left the oldest ones out. Together,
all tables but ``RULED`` and ``OTHERS`` are what student code may call freely. They were recorded with strace
from torch, numpy and the standard library at work; anything that opens a way out was then taken away.
"""

from __future__ import annotations

import functools
import platform
import struct
import sys
from typing import Final

FILES: Final = """
read                        0   63
readv                      19   65
pread64                    17   67
preadv                    295   69
write                       1   64
writev                     20   66
lseek                       8   62
close                       3   57
close_range               436  436
dup                        32   23
dup2                       33    -
dup3                      292   24
open                        2    -
openat                    257   56
fstat                       5   80
newfstatat                262   79
stat                        4    -
lstat                       6    -
statx                     332  291
statfs                    137   43
fstatfs                   138   44
access                     21    -
faccessat                 269   48
faccessat2                439  439
readlink                   89    -
readlinkat                267   78
getdents                   78    -
getdents64                217   61
getcwd                     79   17
fadvise64                 221  223
pipe                       22    -
pipe2                     293   59
eventfd2                  290   19
"""
"""Reading, and writing to descriptors; what can be opened is the filesystem layer's business."""

WAITING: Final = """
poll                        7    -
ppoll                     271   73
select                     23    -
pselect6                  270   72
epoll_create              213    -
epoll_create1             291   20
epoll_ctl                 233   21
epoll_wait                232    -
epoll_pwait               281   22
epoll_pwait2              441  441
"""

MEMORY: Final = """
brk                        12  214
mmap                        9  222
munmap                     11  215
mremap                     25  216
mprotect                   10  226
madvise                    28  233
membarrier                324  283
"""

THREADS: Final = """
futex                     202   98
set_robust_list           273   99
set_tid_address           218   96
rseq                      334  293
sched_yield                24  124
sched_getaffinity         204  123
sched_getscheduler        145  120
sched_getparam            143  121
sched_get_priority_max    146  125
sched_get_priority_min    147  126
getcpu                    309  168
gettid                    186  178
exit                       60   93
exit_group                231   94
arch_prctl                158    -
"""
"""``arch_prctl`` is how oneDNN asks for the AMX registers; refusing it would change results."""

SIGNALS: Final = """
rt_sigaction               13  134
rt_sigprocmask             14  135
rt_sigreturn               15  139
rt_sigpending             127  136
rt_sigsuspend             130  133
rt_sigtimedwait           128  137
sigaltstack               131  132
restart_syscall           219  128
pause                      34    -
alarm                      37    -
setitimer                  38  103
getitimer                  36  102
"""
"""Handlers, masks and timers of the process itself."""

CLOCKS: Final = """
clock_nanosleep           230  115
nanosleep                  35  101
gettimeofday               96  169
time                      201    -
times                     100  153
getrusage                  98  165
"""

ITSELF: Final = """
getpid                     39  172
getppid                   110  173
getuid                    102  174
geteuid                   107  175
getgid                    104  176
getegid                   108  177
getresuid                 118  148
getresgid                 120  150
getgroups                 115  158
getpgid                   121  155
getpgrp                   111    -
getsid                    124  156
getpriority               140  141
getrlimit                  97  163
uname                      63  160
sysinfo                    99  179
getrandom                 318  278
capget                    125   90
umask                      95  166
"""
"""What a process may know about itself and the machine."""

RULED: Final = """
clone                      56  220
clone3                    435  435
kill                       62  129
tgkill                    234  131
prlimit64                 302  261
prctl                     157  167
fcntl                      72   25
ioctl                      16   29
clock_gettime             228  113
clock_getres              229  114
"""
"""Allowed or refused by their arguments; see `seccomp`."""

OTHERS: Final = """
capset                    126   91
seccomp                   317  277
socket                     41  198
execve                     59  221
ptrace                    101  117
process_vm_readv          310  270
io_uring_setup            425  425
memfd_create              319  279
userfaultfd               323  282
keyctl                    250  219
bpf                       321  280
perf_event_open           298  241
unshare                   272   97
name_to_handle_at         303  264
open_by_handle_at         304  265
pidfd_open                434  434
shmget                     29  194
sched_setaffinity         203  122
landlock_create_ruleset   444  444
landlock_add_rule         445  445
landlock_restrict_self    446  446
"""
"""Never allowed: used to set the sandbox up, or by the probe to try them."""

ARCHITECTURES: Final = ("x86_64", "aarch64")
FIRST_SHARED: Final = 424
"""From this number on, calls have the same number on every architecture: those since Linux 5.1."""
_POINTER_BYTES: Final = 8
"""Of a 64-bit process; a 32-bit one on the same machine has numbers of its own."""


def _columns(table: str) -> dict[str, tuple[str, str]]:
    rows = (line.split() for line in table.split("\n") if line)
    return {name: (first, second) for name, first, second in rows}


_FREE = {
    name: numbers
    for table in (FILES, WAITING, MEMORY, THREADS, SIGNALS, CLOCKS, ITSELF)
    for name, numbers in _columns(table).items()
}
_KNOWN = {**_FREE, **_columns(RULED), **_columns(OTHERS)}


def architecture() -> str | None:
    """Return the architecture whose numbers this process uses, or None where there is no table for it."""
    if sys.platform != "linux" or sys.byteorder != "little" or struct.calcsize("P") != _POINTER_BYTES:
        return None
    machine = platform.machine()
    return machine if machine in ARCHITECTURES else None


def numbers(machine: str) -> dict[str, int]:
    """Return every known call of an architecture, by name."""
    column = ARCHITECTURES.index(machine)
    return {name: int(row[column]) for name, row in _KNOWN.items() if row[column] != "-"}


def free(machine: str) -> tuple[str, ...]:
    """Return the names of the calls that are allowed whatever their arguments, the commonest first."""
    column = ARCHITECTURES.index(machine)
    return tuple(name for name, row in _FREE.items() if row[column] != "-")


@functools.cache
def number(name: str) -> int:
    """Return the number of a call on this machine.

    Raises
    ------
    KeyError
        There is no table for this architecture, and the call is not one that all have in common; or there is
        no such call on it.
    """
    machine = architecture()
    known = numbers(machine or ARCHITECTURES[0])[name]
    if machine is None and known < FIRST_SHARED:
        raise KeyError(name)
    return known
