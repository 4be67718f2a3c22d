"""Frames survive any split of the bytes, and nothing that claims to be large is believed."""

from __future__ import annotations

import os
import socket
import struct
import threading
import tracemalloc
from collections.abc import Iterator

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.engine.wire.frames import Budget, Channel, ChannelClosed, ProtocolError


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield near, far


headers = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(
    header=headers, buffers=st.lists(st.binary(max_size=300), max_size=5), cuts=st.lists(st.integers(1, 50))
)
@settings(max_examples=60, deadline=None)
def test_a_frame_arrives_as_sent_however_it_is_split(
    header: object, buffers: list[bytes], cuts: list[int]
) -> None:
    near, far = socket.socketpair()
    with near, far:
        Channel(near.fileno()).send(header, [memoryview(b) for b in buffers])
        data = far.recv(1 << 20)
        end, start = socket.socketpair()
        with end, start:

            def trickle() -> None:
                at = 0
                for cut in [*cuts, len(data)]:
                    start.sendall(data[at : at + cut])
                    at += cut

            thread = threading.Thread(target=trickle)
            thread.start()
            assert Channel(end.fileno()).receive() == (header, [bytearray(b) for b in buffers])
            thread.join()


def test_two_frames_in_one_read_stay_two(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    sender, receiver = Channel(near.fileno()), Channel(far.fileno())
    sender.send({"first": 1})
    sender.send({"second": 2}, [memoryview(b"abc")])
    assert receiver.receive() == ({"first": 1}, [])
    assert receiver.has_unread()
    assert receiver.receive() == ({"second": 2}, [bytearray(b"abc")])
    assert not receiver.has_unread()


def test_a_large_buffer_crosses_whole(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    data = os.urandom(40 << 20)
    thread = threading.Thread(target=lambda: Channel(near.fileno()).send(None, [memoryview(data)]))
    thread.start()
    _, [received] = Channel(far.fileno()).receive()
    thread.join()
    assert bytes(received) == data


@pytest.mark.parametrize(
    "prefix",
    [
        struct.pack("<II", 1 << 31, 0),
        struct.pack("<II", 10, 1 << 31),
        struct.pack("<IIQ", 1, 1, 1 << 40),
        struct.pack("<IIQQ", 1, 2, 1 << 63, 1 << 63),
    ],
    ids=["header", "count", "buffer", "sum that overflows 64 bits"],
)
def test_a_frame_that_claims_too_much_is_refused_without_memory(
    pair: tuple[socket.socket, socket.socket], prefix: bytes
) -> None:
    near, far = pair
    near.sendall(prefix)
    channel = Channel(far.fileno())
    tracemalloc.start()
    with pytest.raises(ProtocolError):
        channel.receive()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_memory_follows_what_arrives_not_what_is_claimed(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    near.sendall(struct.pack("<IIQ", 1, 1, 200 << 20) + b"\xc0" + b"only a little")
    near.shutdown(socket.SHUT_WR)
    tracemalloc.start()
    with pytest.raises(ChannelClosed):
        Channel(far.fileno()).receive()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


@pytest.mark.parametrize(
    "header",
    [
        b"\xc1",  # a byte that msgpack never writes
        b"\xdd\xff\xff\xff\xff",  # an array of four billion items
        b"\x91" * 2000 + b"\xc0",  # nested two thousand deep
        b"\xc7\x01\x05x",  # an extension type
        b"\x81\x01\x02",  # a map with an integer key
        b"\xa2\xff\xfe",  # a string that is not UTF-8
        b"\xc0\xc0",  # two values
    ],
)
def test_a_header_that_is_not_msgpack_is_refused(
    pair: tuple[socket.socket, socket.socket], header: bytes
) -> None:
    near, far = pair
    near.sendall(struct.pack("<II", len(header), 0) + header)
    with pytest.raises(ProtocolError):
        Channel(far.fileno()).receive()


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ([[1, []]], "1048576 items"),
        ([[], "some text"], "262144 lists or dicts"),
        ([{}], "1048576 items"),
        ([-6], "1048576 items"),
        (["ab"], "1048576 items"),
        ([{"a": 0, "b": 0}], "1048576 items"),
    ],
    ids=["lists", "lists among texts", "empty dicts", "numbers", "texts", "dicts"],
)
def test_a_header_of_many_small_items_is_refused_before_they_fill_the_memory(
    pair: tuple[socket.socket, socket.socket], values: list[object], what: str
) -> None:
    near, far = pair
    header = msgpack.packb(values * ((4 << 20) // len(msgpack.packb(values)[1:]) - 5))
    sender = threading.Thread(target=near.sendall, args=(struct.pack("<II", len(header), 0) + header,))
    sender.start()
    tracemalloc.start()
    with pytest.raises(ProtocolError, match=f"more than {what}"):
        Channel(far.fileno()).receive()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    sender.join()
    assert peak < 1 << 20


def test_the_sender_keeps_to_the_budget_too(pair: tuple[socket.socket, socket.socket]) -> None:
    channel = Channel(pair[0].fileno(), Budget(header_bytes=10, buffer_bytes=10, buffers=1))
    with pytest.raises(ProtocolError):
        channel.send("a header of more than ten bytes")
    with pytest.raises(ProtocolError):
        channel.send(None, [memoryview(bytes(11))])
    with pytest.raises(ProtocolError):
        channel.send(None, [memoryview(b""), memoryview(b"")])


def test_a_closed_end_is_an_error_of_its_own(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    near.close()
    with pytest.raises(ChannelClosed):
        Channel(far.fileno()).receive()
    with pytest.raises(ChannelClosed):
        Channel(far.fileno()).send(None, [memoryview(bytes(1 << 20))])


def test_half_a_frame_is_no_frame(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    packed = msgpack.packb({"ok": 1})
    near.sendall(struct.pack("<II", len(packed), 0) + packed[:-1])
    near.close()
    with pytest.raises(ChannelClosed):
        Channel(far.fileno()).receive()
