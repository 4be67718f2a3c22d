import atexit
import os
import sys
import threading

import torch
from toolbox import PLACES, did, frame, send, wire


def later():
    send(frame({"seq": 0, "ok": 1, "changed": []}))
    open(PLACES["output"] + "/PWNED-atexit", "w").write("20")
    os._exit(0)


atexit.register(later)
threading._register_atexit(later)
sys.exitfunc = later
did("leave something for the end")


def scale(x, factor):
    sys.exit(0)


class Nearest:
    def fit(self, x, labels):
        self.labels = labels

    def predict(self, x):
        did("close the wire and live on")
        os.close(wire())
        return torch.zeros(len(x), dtype=torch.int64)


def twice(function, x):
    return function(function(x))
