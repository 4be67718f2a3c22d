import multiprocessing
import os
import subprocess
import threading
import time

import torch
from toolbox import PLACES, did, frame, send, system_call, try_to


def later():
    """Wait until everybody looks elsewhere, then write."""
    time.sleep(0.2)
    try:
        open(PLACES["output"] + "/PWNED-daemon", "w").write("20")
    finally:
        send(frame({"seq": 0, "ok": 1, "changed": []}) * 10)


def daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            later()
        os._exit(0)
    return "forked"


try_to("become a daemon", daemon)
try_to("fork by clone", lambda: system_call(56, 17, 0, 0, 0, 0) or os._exit(0))
try_to("fork by vfork", lambda: system_call(58) or os._exit(0))
try_to("fork by clone3", lambda: system_call(435, (17).to_bytes(40, "little") + bytes(48), 88) or os._exit(0))
try_to("start a program", lambda: subprocess.Popen(["sleep", "1"]))
try_to("start a program by spawn", lambda: os.posix_spawn("/bin/sleep", ["sleep", "1"], {}))
try_to("start a shell", lambda: os.system("sleep 1") == 0)
try_to(
    "start a process of Python",
    lambda: multiprocessing.get_context("fork").Process(target=later).start() or 1,
)
try_to("become another program", lambda: os.execv("/bin/sleep", ["sleep", "1"]))
try_to("leave the session", lambda: os.setsid() and 0)


def scale(x, factor):
    did("leave a thread behind")
    for daemonic in (True, False):
        threading.Thread(target=later, daemon=daemonic).start()
    return torch.zeros(2) if isinstance(x, torch.Tensor) else 0


def twice(function, x):
    return function(function(x))
