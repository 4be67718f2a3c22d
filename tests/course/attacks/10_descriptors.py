import os
import stat

from toolbox import try_to, wire


def others():
    """List what is open beside the standard streams and the wire."""
    found = []
    for descriptor in range(3, 4096):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        if descriptor != wire():
            found.append((descriptor, stat.S_IFMT(mode)))
    return found


def files():
    found = []
    for descriptor in range(4096):
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) or stat.S_ISDIR(os.fstat(descriptor).st_mode):
                found.append(descriptor)
        except OSError:
            continue
    return found


def through(descriptor):
    return os.listdir(os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=descriptor))


def attack():
    try_to("find a descriptor that was left open", others)
    try_to("find an open file or folder", files)
    try_to("read from standard input", lambda: os.read(0, 100))
    try_to("list /proc/self/fd", lambda: os.listdir("/proc/self/fd"))
    try_to("walk up from standard output", lambda: through(1))
    try_to("read its own output back", lambda: os.read(1, 100))
    try_to("seek in its output", lambda: os.lseek(1, 0, 0))
    try_to("open the terminal", lambda: os.open("/dev/tty", os.O_RDWR))


def twice(function, x):
    attack()
    return function(function(x))
