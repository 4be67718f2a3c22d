import builtins
import sys
import threading

import torch
from toolbox import did


def scale(x, factor):
    did("leave no room on the stack")
    sys.setrecursionlimit(2**31 - 1)
    threading.stack_size(64 << 20)
    sys.setrecursionlimit(len(builtins.dir()) * 0 + 80)
    return torch.zeros(2) if isinstance(x, torch.Tensor) else 0


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        did("fall into itself without end")
        sys.setrecursionlimit(2**31 - 1)
        self.add(name, value)


def twice(function, x):
    return function(function(x))
