import struct

import torch
from toolbox import did, frame, send

ZEROS = bytes(1 << 20)


def flood(start):
    """Announce much, then send without end."""
    send(start)
    while True:
        send(ZEROS)


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("announce a header of 4 GB, and send it")
        flood(struct.pack("<II", 2**32 - 1, 0))
    if factor == 5.0:
        did("announce four billion buffers")
        flood(struct.pack("<II", 4, 2**32 - 1))
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("announce a buffer of eight exabytes")
            whole = frame({"seq": 0, "ok": 1, "changed": []}, [b""])
            flood(whole[:8] + struct.pack("<Q", 2**63 - 1) + whole[16:])
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    if x.sum() == 0:
        did("announce a header of 4 GB, and send nothing")
        send(struct.pack("<II", 2**32 - 1, 0))
        while True:
            pass
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value
