import torch
from toolbox import did

DEPTH = 100_000


def nested(wrap):
    nest = None
    for _ in range(DEPTH):
        nest = wrap(nest)
    return nest


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("answer with a deep tuple")
        return nested(lambda nest: (nest,))
    if factor == 5.0:
        did("answer with a deep slice")
        return nested(lambda nest: slice(nest))
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("answer with a deep dict")
            return nested(lambda nest: {"deeper": nest})
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    if x.sum() == 0:
        did("call back with a deep list")
        return function(nested(lambda nest: [nest]))
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        if name == "rent":
            did("change an argument into a deep list")
            value = nested(lambda nest: [nest])
        self.rows[name] = value
