import numpy
import torch
from toolbox import did

did("answer with what has no entries")


def scale(x, factor):
    return torch.empty(0) if isinstance(x, torch.Tensor) else numpy.empty((0, 1))


class Nearest:
    def fit(self, x, labels):
        pass

    def predict(self, x):
        return torch.empty((0, len(x)), dtype=torch.int64)


class Ledger:
    rows = {}  # noqa: RUF012

    def add(self, name, value):
        pass


def twice(function, x):
    return x.new_empty(0)
