"""Whatever bytes a worker sends: a listed value or the wire's own error, soon, and in little memory.

Every case is made from its number alone, so a number that fails fails again.
"""

from __future__ import annotations

import contextlib
import gc
import os
import random
import signal
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar

import msgpack
import numpy as np
import pytest
import torch

from autograder.engine.link import Link, StudentError, WorkerEnded
from autograder.engine.proxy import ProxyReferences, Session
from autograder.engine.wire.decoder import Decoder
from autograder.engine.wire.encoder import Encoder
from autograder.engine.wire.frames import Buffer, Channel, ChannelClosed, ProtocolError
from autograder.engine.wire.values import Tag
from tests.support.waiting import PATIENCE

SECONDS_PER_CASE = 60
"""Of CPU time; a case takes thousandths of one, and one that can be made to take a minute, hours."""
MEMORY_MB = 96
REFERENCE = object()
LISTED = {
    *(type(None), bool, int, float, complex, str, bytes, slice, type(Ellipsis), object),
    *(list, tuple, dict, torch.Tensor, np.ndarray, torch.Size, torch.dtype, torch.device),
}


def arguments() -> list[object]:
    """Return what a test passed in, so that a worker may say that it changed."""
    fixed = np.ones(2)
    fixed.flags.writeable = False
    tensors = [torch.ones(2, 2), torch.ones(3, requires_grad=True), torch.ones(1).expand(3)]
    return [*tensors, np.ones(3), fixed, [1, 2], {"a": 1}]


def answers() -> Iterator[tuple[Any, list[memoryview]]]:
    """Yield the headers and buffers of frames that a worker may send, of every kind that there is."""
    shared = [torch.ones(2), {"in": 1}]
    values: list[object] = [
        *(None, True, -3, 2**80, 1.5, 2 - 3j, "text", b"bytes", slice(1, None, 2), ...),
        *([1, [2, (3, [])]], (), {"a": 1, 2: "b", (1, "x"): None}, [shared, shared], {0: shared, 1: shared}),
        *(torch.ones(2, 3), torch.ones(0, 3), torch.tensor(7), torch.ones(2, requires_grad=True)),
        *(torch.ones(2, dtype=torch.bfloat16), torch.zeros(2, dtype=torch.complex64), torch.ones(3) > 0),
        *(np.ones((2, 2)), np.zeros(0, dtype=np.int8), np.float32(1.5), np.bool_(True), np.dtype("uint16")),
        *(torch.Size([2, 0]), torch.int64, torch.device("cpu"), [torch.ones(1), np.ones(1), "mixed"]),
    ]
    for value in values:
        encoder = Encoder(lambda _: [Tag.THEIRS, 0, "callable", "function"])
        part = encoder.encode(value)
        yield {"seq": 0, "ok": part, "changed": []}, encoder.buffers
        yield {"callback": 0, "args": [Tag.LIST, [part]], "kwargs": [Tag.DICT, [["x", 1]]]}, encoder.buffers
    for reference in ([Tag.THEIRS, 0, "object", "Net"], [Tag.YOURS, 0], [Tag.PATH, "knn", "f"]):
        yield {"seq": 0, "ok": reference, "changed": []}, []
    for number, node in enumerate(arguments()):
        change = Encoder(list)
        yield {"seq": 0, "ok": None, "changed": [[number, change.encode_content(node)]]}, change.buffers
    where = ["knn.py", 3, "f"]
    error = {"type": "ValueError", "bases": ["ValueError"], "message": "no", "where": where, "trace": [where]}
    yield {"seq": 0, "error": error}, []


@cache
def valid() -> list[tuple[bytes, list[bytes]]]:
    """Return packed headers and buffers of valid frames."""
    return [(msgpack.packb(header), [bytes(b) for b in buffers]) for header, buffers in answers()]


LEAVES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 7, 31, 33, 2**24, 2**31, 2**40, 2**63 - 1, 2**64 - 1, -(2**63)),
    *(0.0, 1.0, -1.5, float("nan"), float("inf"), "", "a", "cpu", "cuda:9", "cuda:", "meta", "f" * 5000),
    *("float32", "int32", "bool", "complex128", "qint8", "object", b"", bytes(8), [], {}, [[]], {"seq": 0}),
    *([[tag] for tag in Tag], [Tag.SAME, 0], [Tag.LIST, [[Tag.SAME, 0]] * 9], [Tag.DICT, [[1, 2]] * 9]),
    *([Tag.TENSOR, "float32", [2**24, 0], 0, True, [2**62]], [Tag.BIG_INT, "-0x" + "f" * 4000]),
    *([0] * 3000, [[Tag.LIST, []]] * 3000, [Tag.DICT, [[number, 0] for number in range(300)]]),
]


def fresh(part: Any) -> Any:
    """Return a copy that shares nothing with what it was made from."""
    return msgpack.unpackb(msgpack.packb(part))


def slot(tree: Any, source: random.Random) -> tuple[Any, Any]:
    """Return a place in a header, found on a random way down: a container, and a key in it."""
    while True:
        key = source.choice([*tree]) if type(tree) is dict else source.randrange(len(tree))
        if source.random() < 0.3 or type(tree[key]) not in (list, dict) or not tree[key]:
            return tree, key
        tree = tree[key]


def mutated_structure(source: random.Random) -> bytes:
    """Return a frame whose header is well-formed msgpack, with parts of it replaced, moved or repeated."""
    packed, buffers = source.choice(valid())
    header, buffers = msgpack.unpackb(packed), list(buffers)
    for _ in range(source.choice((0, 1, 1, 1, 2, 3, 8))):
        if not header:
            break
        container, key = slot(header, source)
        donor = msgpack.unpackb(source.choice(valid())[0])
        other, place = slot(donor, source)
        match source.randrange(6):
            case 0 | 1:
                container[key] = fresh(source.choice(LEAVES))
            case 2:
                container[key] = other[place]
            case 3:
                del container[key]
            case 4:
                for _ in range(source.choice((1, 2, 31, 33, 50))):
                    container[key] = [source.choice((Tag.LIST, Tag.TUPLE, 0)), [container[key]]]
            case 5 if type(container) is list:
                container.insert(key, fresh(container[key]))
    match source.randrange(8):
        case 0:
            buffers.append(source.randbytes(8))
        case 1:
            buffers = buffers[1:]
        case 2:
            source.shuffle(buffers)
    return framed(msgpack.packb(header), buffers)


def framed(packed: bytes, buffers: list[bytes]) -> bytes:
    """Return the bytes of a frame."""
    lengths = struct.pack(f"<{len(buffers)}Q", *map(len, buffers))
    return struct.pack("<II", len(packed), len(buffers)) + lengths + packed + b"".join(buffers)


def mutated_bytes(source: random.Random) -> bytes:
    """Return a frame with bytes changed, cut out, repeated or claimed to be more than there are."""
    data = bytearray(framed(*source.choice(valid())))
    for _ in range(source.choice((1, 1, 2, 4, 16))):
        start = source.randrange(len(data) + 1)
        end = min(len(data), start + source.choice((1, 2, 4, 8, 30)))
        match source.randrange(6):
            case 0:
                data[start:end] = source.randbytes(end - start)
            case 1:
                del data[start:end]
            case 2:
                data[start:start] = data[start:end]
            case 3:
                data[start:end] = framed(*source.choice(valid()))[start:end]
            case 4 if len(data) >= 8:
                claim = source.choice((0, 1, 255, 4096, 4097, 4 << 20, 2**31, 2**32 - 1))
                struct.pack_into("<I", data, source.choice((0, 4)), claim)
            case 5 if len(data) >= 16:
                struct.pack_into("<Q", data, 8, source.choice((0, 2**16 + 1, 256 << 20, 2**40, 2**64 - 1)))
    return bytes(data)


def random_bytes(source: random.Random) -> bytes:
    """Return noise, as a whole or behind a prefix that is right."""
    noise = source.randbytes(source.choice((0, 1, 7, 8, 9, 40, 400)))
    return framed(noise, []) if source.random() < 0.7 else noise


MAKERS = (random_bytes, mutated_bytes, mutated_structure, mutated_structure)


def case(number: int) -> bytes:
    """Return what a worker sends in the case of this number."""
    return MAKERS[number % len(MAKERS)](random.Random(number))


def resolve(tag: Tag, parts: list[Any]) -> object:
    """Stand for every object at the other end."""
    return REFERENCE


def read(data: bytes) -> int:
    """Read bytes as the grader does, frame by frame; return how many values came out."""
    near, far = socket.socketpair()
    count = 0
    with near, far, contextlib.suppress(ProtocolError, ChannelClosed):
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        near.sendall(data)
        near.shutdown(socket.SHUT_WR)
        channel = Channel(far.fileno())
        while True:
            header, buffers = channel.receive()
            count += sum(1 for _ in decoded(header, buffers))
    return count


def decoded(header: Any, buffers: list[Buffer]) -> Iterator[object]:
    """Yield the values of a frame, each checked to hold nothing but what is listed."""
    nodes = arguments()
    decoder = Decoder(buffers, resolve, nodes)
    parts = [header.get(key) for key in ("ok", "args", "kwargs")] if type(header) is dict else [header]
    for part in parts:
        value = decoder.decode(part)
        require_listed(value, nodes)
        yield value
    changed = header.get("changed") if type(header) is dict else None
    for change in changed if type(changed) is list else []:
        if type(change) is list and len(change) == 2:
            number = change[0] if type(change[0]) is int else 0
            node = nodes[number % len(nodes)]
            value = decoder.decode_content(change[1], node)
            assert type(value) is type(node)
            require_listed(value, nodes)
            yield value


def require_listed(value: object, known: list[object]) -> None:
    """Hold every object inside a value, but those that the test passed in, to the list of docs/wire.md."""
    seen = {id(node) for node in known}
    todo = [value]
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        assert type(item) in LISTED or isinstance(item, np.generic | np.dtype), type(item)
        if type(item) is torch.Tensor:
            assert item.is_contiguous()
            assert item.device.type == "cpu"
            assert item.grad_fn is None
        elif type(item) is np.ndarray:
            assert item.dtype.kind in "biufc"
        elif type(item) in (list, tuple):
            todo.extend(item)  # type: ignore[call-overload]
        elif type(item) is dict:
            todo.extend([*item.keys(), *item.values()])


@contextlib.contextmanager
def bounded(megabytes: int) -> Iterator[None]:
    """Fail if resident memory ever rises by more than this meanwhile."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the kernel begins a new high-water mark
    before = resident("VmRSS")
    yield
    assert resident("VmHWM") - before < megabytes


def resident(field: str) -> float:
    """Return a field of this process's status, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))


@pytest.fixture
def timely() -> Iterator[Callable[[], None]]:
    """Give a function that starts the clock of the next case; a case that takes too long fails."""

    def late(*_: object) -> None:
        raise AssertionError(f"not read within {SECONDS_PER_CASE} seconds")

    previous = signal.signal(signal.SIGPROF, late)
    try:
        yield lambda: signal.setitimer(signal.ITIMER_PROF, SECONDS_PER_CASE) and None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


@pytest.mark.parametrize("cases", [20_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_whatever_arrives_is_a_value_or_refused(cases: int, timely: Callable[[], None]) -> None:
    arrived = 0
    with bounded(MEMORY_MB):
        for number in range(cases):
            timely()
            data = case(number)
            try:
                arrived += read(data) > 0
            except BaseException as error:
                error.add_note(f"case {number}: {data[:300].hex()}")
                raise
    assert arrived > cases / 10  # enough of what was made comes near to being valid


# The same against the grader's end as a whole: callbacks, references, changed arguments


class Turns(Channel):
    """The grader's channel, on which the worker answers at the moment when the grader begins to listen."""

    answer: ClassVar[Callable[[], None]]

    def receive(self) -> tuple[Any, list[Buffer]]:
        Turns.answer()
        return super().receive()


def answer(far: socket.socket, number: int) -> None:
    """Answer the first request by what the number says, mostly in sequence, and then no more."""
    with contextlib.suppress(ChannelClosed):
        request, _ = Channel(far.fileno()).receive()
        data = case(number)
        if random.Random(number).random() < 0.9:
            data = in_sequence(data, request["seq"])
        far.sendall(data)
        far.shutdown(socket.SHUT_RDWR)


def in_sequence(data: bytes, sequence: int) -> bytes:
    """Return a frame with the sequence number of a request, if it is a frame at all."""
    with contextlib.suppress(Exception):
        head, count = struct.unpack_from("<II", data)
        start = 8 + 8 * count
        header = msgpack.unpackb(data[start : start + head])
        packed = msgpack.packb(header | {"seq": sequence})
        return struct.pack("<I", len(packed)) + data[4:start] + packed + data[start + head :]
    return data


@pytest.mark.parametrize("cases", [2_000, pytest.param(20_000, marks=pytest.mark.full)])
def test_a_request_returns_or_ends_in_an_error_of_its_own(
    cases: int, timely: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.engine.link.Channel", Turns)
    ends: Counter[str] = Counter()
    with bounded(MEMORY_MB):
        for number in range(cases):
            timely()
            try:
                ends[request(number)] += 1
            except BaseException as error:
                error.add_note(f"case {number}")
                raise
    assert min(ends[end] for end in ("returned", "raised", "protocol", "crashed")) > cases / 500, ends


def request(number: int) -> str:
    """Make one request that is answered as the number says; return how it ended."""
    near, far = socket.socketpair()
    output, unused = os.pipe()
    link = Link(near, output, ProxyReferences(Session()), deadline=time.monotonic() + PATIENCE)
    Turns.answer = partial(answer, far, number)
    sent = arguments()
    try:
        link.request("call", *sent, lambda *_, **__: 1)
        end = "returned"
    except StudentError:
        end = "raised"
    except WorkerEnded as error:
        end = error.end
    assert (link.ended is None) == (end in ("returned", "raised"))
    link.close()
    far.close()
    os.close(unused)
    assert repr(sent) == repr(arguments())  # what was changed is undone
    return end
