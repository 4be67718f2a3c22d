import torch
from toolbox import did


def named(base, text, *arguments):
    """Return an object of a class whose every name says something."""
    kind = type(text, (base,), {"__module__": text, "__qualname__": text, "__doc__": text})
    return kind(*arguments)


def scale(x, factor):
    did("tell by the type of a number, a tensor, a list")
    text = f"T{x.tolist() if isinstance(x, torch.Tensor) else x}"
    if factor == 3.0:
        return named(float, text, 1.0)
    if factor == 5.0:
        return [named(str, text, text)]
    return named(object, text)


class Nearest:
    def fit(self, x, labels):
        self.labels = labels

    def predict(self, x):
        did("tell by the name of an attribute")
        return getattr(self, f"attribute{[int(point) for point in x.flatten()]}")


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value

    def __getattribute__(self, name):
        rows = object.__getattribute__(self, "__dict__").get("rows", {})
        if name == "rows" and rows:
            did("tell by the type of what is reached")
            return named(dict, f"R{list(rows)}", rows)
        return object.__getattribute__(self, name)


def twice(function, x):
    return function(function(x))
