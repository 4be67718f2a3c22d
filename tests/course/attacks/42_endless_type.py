import torch
from toolbox import did


class Endless(type):
    """Whatever is asked about such a class, the answer takes for ever."""

    def __getattribute__(cls, name):
        while True:
            pass


class Spun(Exception, metaclass=Endless):
    pass


class Noted(Exception):
    __notes__ = 5
    __module__ = "m" * (1 << 24)


def deep(levels):
    """Raise from far below, through functions with long names."""
    if levels == 0:
        raise ValueError("below")
    deep(levels - 1)


def wide():
    """Return a class of exceptions with 500 bases."""
    bases = (type(f"Base{number}", (Exception,), {}) for number in range(500))
    return type("Wide", tuple(bases), {})


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("raise an exception of a type with a name of 128 MB")
        raise type("n" * (1 << 27), (Noted,), {})
    if factor == 5.0:
        did("raise an exception with 500 bases")
        raise wide()
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        if len(x) == 2:
            did("raise an exception of a type that never answers")
            raise Spun
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    if x.sum() == 0:
        did("raise from 900 functions below")
        deep(900)
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        if name == "rent":
            did("raise an exception whose trace goes round in circles")
            error = ValueError("round")
            error.__context__ = error.__cause__ = error
            raise error
        self.rows[name] = value
