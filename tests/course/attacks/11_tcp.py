import asyncio
import ctypes
import socket
import struct
import urllib.request

from toolbox import PLACES, libc, system_call, try_to

PORT = PLACES["tcp"]


def connect(address):
    def deed():
        with socket.create_connection(address, timeout=1) as link:
            link.sendall(b"secrets")
        return "sent"

    return deed


def by_libc():
    descriptor = libc().socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "socket")
    address = struct.pack("<H", socket.AF_INET) + struct.pack(">H", PORT) + bytes([127, 0, 0, 1]) + bytes(8)
    return libc().connect(descriptor, address, 16) == 0


def listen():
    server = socket.socket()
    server.bind(("0.0.0.0", 0))
    server.listen()
    return server.getsockname()


async def stream():
    _, writer = await asyncio.open_connection("127.0.0.1", PORT)
    writer.write(b"secrets")
    return "sent"


try_to("connect to the loopback interface", connect(("127.0.0.1", PORT)))
try_to("connect to it by IPv6", connect(("::1", PORT)))
try_to("connect to the metadata address", connect(("169.254.169.254", 80)))
try_to("connect by libc", by_libc)
try_to("connect by io_uring", lambda: system_call(425, 8, ctypes.create_string_buffer(120)))
try_to("connect by asyncio", lambda: asyncio.run(stream()))
try_to("fetch a page", lambda: urllib.request.urlopen(f"http://127.0.0.1:{PORT}/secrets", timeout=1))
try_to("listen", listen)
for family in (16, 17, 38, 40, 44):  # netlink, packet, cryptography, virtual machines, express data path
    try_to(f"open a socket of family {family}", lambda family=family: socket.socket(family, socket.SOCK_RAW))


def twice(function, x):
    return function(function(x))
