import ctypes
import gc
import re

from toolbox import did, libc, memory, try_to

SECRETS = re.compile(rb"CANAR[Y]-(?:token|command|suite|neighbor)")
PAGE = 4096
AT_RANDOM = 25


def stack():
    """Return the end of the stack: what the kernel put there when the zygote was started."""
    library = libc()
    library.getauxval.restype = ctypes.c_ulong
    start, data = library.getauxval(AT_RANDOM) // PAGE * PAGE, b""
    try:
        while True:
            data += memory(start + len(data), PAGE)
    except OSError:
        return data


def on_the_stack():
    data = stack()
    did(f"read {'something' if data else 'nothing'} of the initial stack")
    did(f"see the zygote's own arguments there: {b'autograder.engine.zygote' in data}")
    return SECRETS.findall(data)


def on_the_heap():
    """Search all memory around Python's objects, page by page."""
    blocks = {id(thing) >> 20 for thing in gc.get_objects()}
    found, read = set(), 0
    for block in sorted(blocks):
        for start in range(block << 20, (block + 1) << 20, 1 << 16):
            try:
                data = memory(start, 1 << 16)
            except OSError:
                continue
            read += len(data)
            found.update(SECRETS.findall(data))
    did(f"read {'more' if read > 1 << 20 else 'less'} than a megabyte of the heap")
    return found


class Ledger:
    def __init__(self):
        try_to("find a token on the initial stack", on_the_stack)
        try_to("find a token on the heap", on_the_heap)


def twice(function, x):
    return function(function(x))
