"""What fork servers run in the tests of `autograder.engine.launcher`: a child that does what it is told."""

import os
import sys
import time
from pathlib import Path

from autograder.engine import forkserver


def child(descriptors: list[int]) -> None:
    """Do what the text from the first descriptor says, with an answer into the second."""
    task = os.read(descriptors[0], 1 << 12).decode()
    if task == "exit":
        os._exit(3)
    if task == "raise":
        raise RuntimeError("raised in the child")
    if task == "sleep":
        time.sleep(1000)
    if task == "say":
        print("said by the child", file=sys.stderr, flush=True)
    known = {
        "modules": "colorsys" in sys.modules,
        "folder": str(Path.cwd()),
        "session": os.getsid(0) == os.getpid(),
    }
    known["environment"] = sorted(os.environ)
    known["descriptors"] = sorted(map(str, Path("/proc/self/fd").iterdir()))
    os.write(descriptors[1], repr(known).encode())


if __name__ == "__main__":
    forkserver.serve(child)
