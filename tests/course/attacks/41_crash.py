import ctypes
import os

import torch
from toolbox import did


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("read where no memory is")
        ctypes.string_at(8)
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("abort")
            os.abort()
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    if x.sum() == 0:
        did("overflow the stack of C")
        nest = iter([1])
        for _ in range(1_000_000):
            nest = filter(None, nest)
        next(nest)
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value
