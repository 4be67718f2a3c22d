"""Frames: a length prefix, one msgpack header, then raw buffers; read and written under a budget.

Layout, little-endian::

    u32 header length | u32 number of buffers | u64 length of each buffer | header | buffers

Only `readv`, `writev` and `poll` are used, because a worker's system-call filter allows no others.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from autograder.engine.wire.items import count

_PREFIX: Final = struct.Struct("<II")
_LENGTH_BYTES: Final = 8
_READ_AHEAD: Final = 1 << 16
"""Bytes: nearly every frame is smaller, and so read by one system call."""
_IOV_MAX: Final = 64
"""Parts that one system call writes: Linux takes 1,024 (UIO_MAXIOV), and a frame rarely has as many."""


class ProtocolError(Exception):
    """The bytes on the wire are not a frame, or not a value, within the budget."""


class ChannelClosed(Exception):
    """The other end is gone."""


@dataclass(frozen=True)
class Budget:
    """The most that one frame may hold.

    Attributes
    ----------
    header_bytes : int
        Size of the msgpack header: all numbers, strings and the structure.
    buffer_bytes : int
        Sum of the raw buffers: all tensors and arrays.
    buffers : int
        Number of raw buffers.
    containers : int
        Number of lists and dicts in the header. Three bytes make two of them, which then take 300 bytes.
    items : int
        Number of values in them. One byte makes a number that takes 40 bytes.
    """

    header_bytes: int = 4 << 20
    buffer_bytes: int = 256 << 20
    buffers: int = 4096
    containers: int = 1 << 18
    items: int = 1 << 20

    @property
    def memory(self) -> int:
        """Bytes that one frame takes at most once it is read, the values that are made of it included."""
        return self.header_bytes + self.items * _ITEM_BYTES + self.buffer_bytes


_ITEM_BYTES: Final = 96
"""What an item takes at most, measured, with the value that is made of it; short texts take the most."""

Buffer = bytearray | mmap.mmap
"""Bytes of one value, writable and unshared."""

Wait = Callable[[int, bool], None]
"""`wait(fd, for_writing)` returns when the descriptor is ready, or raises: a deadline, for example."""


def copy(data: Buffer) -> Buffer:
    """Return a copy of a buffer."""
    if len(data) <= _READ_AHEAD:
        return bytearray(data)
    twin = mmap.mmap(-1, len(data))
    twin[:] = data
    return twin


def same_bytes(view: memoryview, data: Buffer) -> bool:
    """Tell whether a flat view of bytes equals a buffer, without copying either as a whole."""
    if view.nbytes != len(data):
        return False
    steps = range(0, len(data), _READ_AHEAD)
    return all(view[at : at + _READ_AHEAD].tobytes() == data[at : at + _READ_AHEAD] for at in steps)


class Channel:
    """One end of a stream socket that carries frames.

    Parameters
    ----------
    fd : int
        A connected stream socket. With `wait` it must be non-blocking. The channel does not own it.
    budget : Budget
        Limits on every frame that arrives or leaves.
    wait : Wait, optional
        Called when the socket is not ready; without it, reads and writes block.
    """

    def __init__(self, fd: int, budget: Budget | None = None, wait: Wait | None = None) -> None:
        self.fd = fd
        self.budget = budget or Budget()
        self._wait = wait
        self._pending = bytearray()
        self._block = memoryview(bytearray(_READ_AHEAD))

    def send(self, header: Any, buffers: Sequence[memoryview] = ()) -> None:
        """Write one frame.

        Raises
        ------
        ProtocolError
            If the frame exceeds the budget.
        ChannelClosed
            If the other end is gone.
        """
        packed = msgpack.packb(header, use_bin_type=True)
        lengths = [buffer.nbytes for buffer in buffers]
        self._check(len(packed), lengths)
        prefix = _PREFIX.pack(len(packed), len(buffers)) + struct.pack(f"<{len(lengths)}Q", *lengths)
        parts = [memoryview(prefix + packed), *(buffer for buffer in buffers if buffer.nbytes)]
        while parts:
            written = self._write(parts[:_IOV_MAX])
            while parts and written >= parts[0].nbytes:
                written -= parts.pop(0).nbytes
            if written:
                parts[0] = parts[0][written:]

    def receive(self) -> tuple[Any, list[Buffer]]:
        """Read one frame.

        Returns
        -------
        header : Any
            What msgpack decoded: None, bool, int, float, str, bytes, list; dict with str keys.
        buffers : list of Buffer
            The raw buffers, writable and unshared.

        Raises
        ------
        ProtocolError
            If the frame is malformed or exceeds the budget.
        ChannelClosed
            If the other end is gone.
        """
        header_bytes, count = _PREFIX.unpack(self._read(_PREFIX.size))
        if header_bytes > self.budget.header_bytes or count > self.budget.buffers:
            raise ProtocolError(f"a frame claims a header of {header_bytes} bytes and {count} buffers")
        lengths = struct.unpack(f"<{count}Q", self._read(_LENGTH_BYTES * count))
        self._check(header_bytes, lengths)
        packed = self._read(header_bytes)
        if header_bytes > self.budget.containers:  # a smaller one cannot hold more
            self._count(packed)
        try:
            header = msgpack.unpackb(packed, raw=False, strict_map_key=True, max_ext_len=0)
        except (ValueError, msgpack.exceptions.UnpackException, RecursionError) as error:
            raise ProtocolError(f"a frame's header is not msgpack: {type(error).__name__}") from None
        return header, [self._read(length) for length in lengths]

    def has_unread(self) -> bool:
        """Tell whether bytes of a further frame have been read ahead already."""
        return bool(self._pending)

    def _count(self, packed: Buffer) -> None:
        items, containers = count(memoryview(packed), self.budget.items)
        for found, most, what in (
            (items, self.budget.items, "items"),
            (containers, self.budget.containers, "lists or dicts"),
        ):
            if found > most:
                raise ProtocolError(f"a frame with more than {most} {what}")

    def _check(self, header_bytes: int, lengths: Sequence[int]) -> None:
        budget, total = self.budget, sum(lengths)
        if header_bytes > budget.header_bytes or len(lengths) > budget.buffers or total > budget.buffer_bytes:
            raise ProtocolError(
                f"a frame of {header_bytes} + {total} bytes in {len(lengths)} buffers exceeds the budget of "
                f"{budget.header_bytes} + {budget.buffer_bytes} bytes in {budget.buffers}"
            )

    def _write(self, parts: Sequence[memoryview]) -> int:
        while True:
            try:
                return os.writev(self.fd, parts)
            except BlockingIOError:
                self._ready(for_writing=True)
            except (BrokenPipeError, ConnectionResetError):
                raise ChannelClosed from None

    def _read(self, size: int) -> Buffer:
        """Read exactly `size` bytes."""
        if size > _READ_AHEAD:
            return self._read_large(size)
        # One system call usually brings the whole small frame, so read past `size` and keep the rest.
        while len(self._pending) < size:
            self._pending += self._block[: self._readv(self._block)]
        data = self._pending[:size]
        del self._pending[:size]
        return data

    def _read_large(self, size: int) -> Buffer:
        """Read into pages that the kernel hands out as data arrives, not as it is announced."""
        data = mmap.mmap(-1, size)
        ahead = min(size, len(self._pending))
        data[:ahead] = self._pending[:ahead]
        del self._pending[:ahead]
        with memoryview(data) as view:
            while ahead < size:
                ahead += self._readv(view[ahead:])
        return data

    def _readv(self, target: memoryview) -> int:
        while True:
            try:
                count = os.readv(self.fd, [target])
            except BlockingIOError:
                self._ready(for_writing=False)
                continue
            except ConnectionResetError:
                raise ChannelClosed from None
            if count == 0:
                raise ChannelClosed
            return count

    def _ready(self, *, for_writing: bool) -> None:
        if self._wait is None:
            raise ProtocolError("the socket is non-blocking, but nobody waits for it")
        self._wait(self.fd, for_writing)
