import os
import threading
import time

import torch
from toolbox import did, frame, send, sequence, wire


def drain():
    while True:
        os.read(wire(), 1 << 16)


def twice(function, x):
    """Call the test's function without pause, so that the grader never waits and never looks at the clock."""
    if x.sum() > 0:
        return function(function(x))
    did("call back without end")
    threading.Thread(target=drain, daemon=True).start()
    # A megabyte that costs nothing to send and most of a second to read.
    long = frame({"callback": 0, "args": [1, [[1, [0] * 1_000_000]]], "kwargs": [3, []]})
    while True:
        send(long)


def scale(x, factor):
    """Answer byte by byte, for ever."""
    if isinstance(x, torch.Tensor):
        raise NotImplementedError
    did("answer drop by drop")
    answer = frame({"seq": sequence(), "ok": "x" * 100_000, "changed": []})
    for position in range(len(answer)):
        send(answer[position : position + 1])
        time.sleep(0.01)
