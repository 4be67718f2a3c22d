import faulthandler
import logging
import os
import sys
import warnings

import torch
from toolbox import did


def scale(x, factor):
    did("tell by printing")
    text = str(x.tolist() if isinstance(x, torch.Tensor) else x)
    print(text)
    print(text, file=sys.stderr)
    print(text, file=sys.__stdout__)
    os.write(1, text.encode())
    os.write(2, text.encode())
    warnings.warn(text, stacklevel=1)
    logging.error(text)
    sys.excepthook(ValueError, ValueError(text), None)
    faulthandler.dump_traceback()
    return x


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        did("tell by the exit status")
        print(f"last words: {name} {value}", flush=True)
        os._exit(len(name))


def twice(function, x):
    return function(function(x))
