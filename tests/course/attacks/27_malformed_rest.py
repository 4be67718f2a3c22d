import struct
import time

import torch
from toolbox import did, frame, send, sequence


def scale(x, factor):
    """Send what the two other attacks have no test left for."""
    if not isinstance(x, torch.Tensor) or len(x) == 3:
        did("send no msgpack")
        send(struct.pack("<II", 4, 0) + b"\xc1\xc1\xc1\xc1")
    else:
        did("send an array that reads past its end")
        part = [7, "float64", [1000], 0]
        send(frame({"seq": sequence(), "ok": part, "changed": []}, [bytes(8)]))
    time.sleep(1)
