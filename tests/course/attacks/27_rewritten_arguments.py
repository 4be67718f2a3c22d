import torch
from toolbox import did, frame, send, sequence

ZEROS = [6, "float32", [2], 0, False, None]


def scale(x, factor):
    """Claim that every argument, and the list of arguments, became something else."""
    did("rewrite the arguments")
    if isinstance(x, torch.Tensor):
        changed = [[0, [1, [ZEROS]]], [1, [6, "float32", [1], 1, False, None]], [2, [3, [["factor", 0]]]]]
        buffers = [bytes(8), bytes(4)]
        send(frame({"seq": sequence(), "ok": [15, 1], "changed": changed}, buffers))
    else:
        send(frame({"seq": sequence(), "ok": [15, 0], "changed": [[7, [1, []]]]}))
    import time

    time.sleep(60)


def twice(function, x):
    return function(function(x))
