"""What the attacks share: they try something and print how it went, where only the instructor reads it.

Every attack hands this in as a second file. The tests fill in `PLACES`: an attacker may know them all.
"""

import ctypes
import importlib
import os
import stat
import struct
import sys

msgpack = importlib.import_module("msgpack")  # no import statement: those reach the course's packages alone

PLACES = {}
CANARY = "CANAR" + "Y-"


def try_to(what, deed, *refusals):
    """Try a deed and print what it reached, found or met; an error not among `refusals` is a fault here."""
    try:
        found = deed()
    except (OSError, *refusals) as error:
        print(f"tried: {what}: refused ({type(error).__name__})", flush=True)
    except BaseException as error:
        print(f"tried: {what}: broke ({type(error).__name__}: {error})", flush=True)
    else:
        print(f"tried: {what}: {f'reached {found!r}'[:300] if found else 'found nothing'}", flush=True)


def did(what):
    """Print that something was done that nothing forbids."""
    print(f"tried: {what}: done", flush=True)


def libc():
    """Return the C library."""
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall.restype = ctypes.c_long
    return library


def system_call(number, *arguments):
    """Make a system call by number."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc().syscall(ctypes.c_long(number), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def memory(start, size):
    """Return what lies at an address; OSError where nothing does. A pipe asks the kernel to look first."""
    hear, say = os.pipe()
    try:
        os.write(say, (ctypes.c_char * size).from_address(start))
        return os.read(hear, size)
    finally:
        os.close(hear)
        os.close(say)


def wire():
    """Return the descriptor of the socket to the grader."""
    for descriptor in range(256):
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                return descriptor
        except OSError:
            continue
    raise LookupError("no socket")


def frame(header, buffers=()):
    """Return a frame as the wire wants it."""
    packed = msgpack.packb(header, use_bin_type=True)
    lengths = struct.pack(f"<{len(buffers)}Q", *map(len, buffers))
    return struct.pack("<II", len(packed), len(buffers)) + lengths + packed + b"".join(buffers)


def send(data):
    """Write bytes to the grader behind the back of everybody else here."""
    view = memoryview(data)
    while view:
        view = view[os.writev(wire(), [view]) :]


def sequence():
    """Return the number of the request that is being served, out of a frame further up."""
    walker = sys._getframe()
    while walker is not None:
        header = walker.f_locals.get("header")
        if type(header) is dict and "seq" in header:
            return header["seq"]
        walker = walker.f_back
    raise LookupError("no request")
