import torch
from toolbox import did


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        did("tell by message, notes and cause")
        error = ValueError(f"{name} {value}")
        error.add_note(f"a note: {name}")
        raise error from RuntimeError(f"the cause: {name}")


def scale(x, factor):
    told = f"Told{x.tolist() if isinstance(x, torch.Tensor) else x}"
    did("tell by the exception's type and its bases")
    base = type(f"Base{told}", (Exception,), {"__module__": told})
    raise type(told, (base,), {"__qualname__": told, "__module__": told})(told)


class Nearest:
    def fit(self, x, labels):
        did("tell by what looks like another kind of failure")
        raise MemoryError(f"out of memory: {labels.tolist()}")


def twice(function, x):
    return function(function(x))
