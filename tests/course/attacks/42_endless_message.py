import torch
from toolbox import did


class Long(Exception):
    def __str__(self):
        return "x" * (1 << 26) * 4

    __repr__ = __str__


class Endless(Exception):
    def __str__(self):
        while True:
            pass

    __repr__ = __str__


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("raise with a message of 256 MB")
        raise Long
    if factor == 5.0:
        did("raise with a message of 64 MB that is there already")
        raise ValueError("y" * (1 << 26))
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("raise with a message that never ends")
            raise Endless
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    if x.sum() == 0:
        did("raise for a reason that has a reason, 100,000 times")
        error = None
        for _ in range(100_000):
            later = ValueError("because")
            later.__cause__, error = error, later
        raise error
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        if name == "rent":
            did("raise a group of groups, 50,000 deep")
            error = ValueError("inside")
            for _ in range(50_000):
                error = ExceptionGroup("outside", [error])
            raise error
        self.rows[name] = value
