import os
import time

from toolbox import PLACES, did, try_to

GRADER = os.getppid()


def clock(pid):
    """Return the CPU time of another process, as `clock_getcpuclockid(3)` finds its clock."""
    return time.clock_gettime((~pid << 3) | 2)


try_to("see that a file exists, and its size", lambda: os.stat(PLACES["suite"]).st_size)
try_to("see that a process exists", lambda: os.getpriority(os.PRIO_PROCESS, GRADER) + 1)
try_to("see another process's CPU time", lambda: clock(GRADER))
try_to("see the host's name", lambda: os.uname().nodename)
did("look around")


def twice(function, x):
    return function(function(x))
