import torch
from toolbox import did


def escaped(transform):
    """Return what a transformation wraps its argument in, once it is over."""
    box = []
    transform(lambda x: (box.append(x), x.sum())[1])(torch.ones(3))
    return box[0]


def without_memory():
    x = torch.ones(1 << 20)
    x.untyped_storage().resize_(0)
    return x


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("answer with zeros that have no memory")
        return torch._efficientzerotensor(5)
    if factor == 2.0 and len(x) == 3:
        did("answer with a tensor that escaped from vmap")
        return escaped(torch.vmap)
    if factor == 3.0:
        did("answer with a tensor whose memory was given back")
        return without_memory()
    if factor == 5.0:
        did("answer with a tensor of 60 dimensions")
        return torch.ones([1] * 60)
    return x * factor


class Nearest:
    def fit(self, x, labels):
        pass

    def predict(self, x):
        if len(x) == 2:
            did("answer with a tensor of a trillion empty rows")
            return torch.empty(1 << 40, 0)
        did("answer with one in another program's memory layout")
        return torch.ones(16).to_mkldnn()


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        if name == "rent":
            did("keep a tensor that escaped from a gradient")
            value = escaped(torch.func.grad)
        elif name == "tensor":
            did("keep a tensor for recording programs")
            value = torch._to_functional_tensor(value + 1)
        self.rows[name] = value


def twice(function, x):
    return function(function(x))
