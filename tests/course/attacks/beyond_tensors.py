import torch
from toolbox import did


def scale(x, factor):
    if not isinstance(x, torch.Tensor):
        did("answer with a tensor without values")
        return torch.empty((), device="meta")
    if factor == 2.0 and len(x) == 3:
        did("answer with a terabyte that takes four bytes")
        return torch.ones(1).expand(10**12)
    if factor == 3.0:
        did("answer with a sparse tensor")
        return (x * factor).to_sparse()
    if factor == 5.0:
        did("answer with a quantized tensor")
        return torch.quantize_per_tensor(x * factor, 1.0, 0, torch.qint32)
    return torch.complex(x * factor, torch.zeros_like(x))


class Nearest:
    def fit(self, x, labels):
        pass

    def predict(self, x):
        if len(x) == 2:
            did("answer with a nested tensor")
            return torch.nested.nested_tensor([torch.ones(1), torch.ones(2)])
        did("answer with a terabyte of labels")
        return torch.zeros(1, dtype=torch.int64).expand(1 << 37)


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        if name == "rent":
            did("keep a sparse tensor of a terabyte")
            value = torch.sparse_coo_tensor([[0]], [5.0], (10**12,))
        elif name == "tensor":
            did("keep a number that is complex and conjugated later")
            value = torch.complex(value, torch.ones_like(value)).conj()
        self.rows[name] = value


def twice(function, x):
    return function(function(x))
