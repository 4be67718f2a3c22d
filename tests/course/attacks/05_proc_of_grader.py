import os

from toolbox import CANARY, try_to

NEAR = [os.getpid(), os.getppid(), *range(max(1, os.getppid() - 100), os.getppid())]


def read(name, size=4096):
    def deed():
        found, error = [], None
        for pid in NEAR:
            try:
                with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
                    data = file.read(size)
            except OSError as one:
                error = one
                continue
            if data:
                found.append((pid, CANARY.encode() in data))
        if not found and error is not None:
            raise error
        return found

    return deed


def links(name):
    return lambda: os.readlink(f"/proc/{os.getppid()}/{name}")


def attack():
    for name in ("environ", "cmdline", "maps", "status", "stat", "task"):
        try_to(f"read /proc/PID/{name}", read(name))
    try_to("open /proc/PID/mem", lambda: os.open(f"/proc/{os.getppid()}/mem", os.O_RDWR))
    try_to("open its own /proc/self/mem", lambda: os.open("/proc/self/mem", os.O_RDWR))
    try_to("list /proc", lambda: os.listdir("/proc"))
    try_to("follow /proc/PID/cwd", links("cwd"))
    try_to("follow /proc/PID/root", lambda: os.listdir(f"/proc/{os.getppid()}/root"))
    try_to("follow /proc/PID/fd/0", links("fd/0"))
    try_to("read the kernel's messages", lambda: open("/dev/kmsg").readline())


def twice(function, x):
    attack()
    return function(function(x))
