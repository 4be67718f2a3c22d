import os
import sys

import torch
from toolbox import did


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("print 256 MB")
        for _ in range(256):
            print("x" * (1 << 20))
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("write 256 MB of errors behind Python's back")
            for _ in range(256):
                os.write(2, bytes(1 << 20))
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    if x.sum() == 0:
        did("print a line of 64 MB, and lines that say nothing")
        sys.stdout.write("y" * (1 << 26))
        sys.stdout.write("\n" * (1 << 22))
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value
