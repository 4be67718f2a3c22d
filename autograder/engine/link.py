"""The grader's end of the wire: one connection to one worker, under a deadline, believing nothing."""

from __future__ import annotations

import os
import secrets
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from autograder.engine.arguments import Changes
from autograder.engine.tracebacks import MAX_BASES, MAX_MESSAGE, MAX_NAME, MAX_TRACE
from autograder.engine.wire.decoder import Decoder
from autograder.engine.wire.encoder import Encoder
from autograder.engine.wire.frames import Budget, Buffer, Channel, ChannelClosed, ProtocolError
from autograder.engine.wire.values import Tag, ValueRefused

_MAX_LINE: Final = 10**7
"""The highest number of a line that is passed on: no file that can be handed in has more lines."""
_OUTPUT_BYTES: Final = 64 << 10
"""What is kept of what a worker prints, where an assignment states no limit."""
_PIPE_BYTES: Final = 1 << 16
"""What a pipe holds by default, pipe(7): more cannot be read at a time."""
_LAST_READS: Final = 4
"""Of a pipe each; a worker that still prints while it is ended is not waited for."""
_SEQUENCE_BITS: Final = 62
"""Of the number of a request: more than anybody can guess, and msgpack writes it as one integer."""
_MILLISECONDS: Final = 1000
"""In a second: poll(2) counts in them."""


class ProxyError(Exception):
    """A suite uses student code in a way that two processes cannot offer; its author must change the test."""


@dataclass(frozen=True)
class ReportedPlace:
    """A line of the student's own file, as the worker reports it."""

    file: str
    line: int
    function: str


class StudentError(Exception):
    """Student code raised an exception, of whatever class: its type and message as capped text.

    Attributes
    ----------
    type_name : str
        Name of the exception's class, as the worker reports it.
    bases : tuple of str
        Names of that class and its bases.
    message : str
        At most 2,000 characters.
    place : ReportedPlace or None
        The innermost line of the student's own files.
    refused : bool
        The code returned, but with a value that may not cross the wire.
    """

    def __init__(self, report: Any) -> None:
        report = report if type(report) is dict else {}
        self.type_name = _text(report.get("type"), MAX_NAME) or "Exception"
        bases = report.get("bases")
        self.bases = tuple(_text(base, MAX_NAME) for base in bases[:MAX_BASES]) if type(bases) is list else ()
        self.message = _text(report.get("message"), MAX_MESSAGE)
        self.place = _place(report.get("where"))
        self.refused = report.get("refused") is True
        trace = report.get("trace")
        self.trace = tuple(filter(None, map(_place, trace[:MAX_TRACE]))) if type(trace) is list else ()
        where = f" ({self.place.file}, line {self.place.line})" if self.place else ""
        super().__init__(f"{self.type_name}: {self.message}{where}")


class End(StrEnum):
    """Why a worker is no longer there."""

    timeout = "timeout"
    crashed = "crashed"
    protocol = "protocol"
    closed = "closed"


class WorkerEnded(Exception):
    """The worker is gone: it ran out of time, it ended itself, or it broke the protocol."""

    def __init__(self, end: End, reason: str) -> None:
        super().__init__(reason)
        self.end = end


class ProxyTable(Protocol):
    """How references become proxies and proxies become references."""

    def wrap(self, link: Link, number: int, kind: str, type_name: str, path: tuple[str, ...]) -> object:
        """Return the proxy of an object that lives in the worker."""

    def unwrap(self, link: Link, value: object) -> list[Any] | None:
        """Return the header part that names a proxy's object, or None if the value is no proxy."""


class Link:
    """Ask one worker, and wait for its answer no longer than a deadline.

    Parameters
    ----------
    connection : socket.socket
        The grader's end of the worker's stream socket; the link owns it.
    output : int
        Read end of the pipe that the worker's stdout and stderr go to; the link owns it.
    references : ProxyTable
        How references and proxies become one another.
    deadline : float
        Wall time, on `time.monotonic`, at which waiting ends.
    output_limit : int
        Bytes of output that are kept; the rest is read and dropped, so that printing never blocks.
    """

    def __init__(
        self,
        connection: socket.socket,
        output: int,
        references: ProxyTable,
        *,
        deadline: float,
        output_limit: int = _OUTPUT_BYTES,
        budget: Budget | None = None,
    ) -> None:
        connection.setblocking(False)
        os.set_blocking(output, False)
        self.deadline = deadline
        self.ended: WorkerEnded | None = None
        self._socket = connection
        self._output_fd = output
        self._output = bytearray()
        self._output_limit = output_limit
        self._output_seen = 0
        self._references = references
        self._callbacks: list[Callable[..., object]] = []
        self._callback_failure: Exception | None = None
        self._changes = Changes()
        self._poll = select.poll()
        self._poll.register(output, select.POLLIN)
        self._channel = Channel(connection.fileno(), budget, self._wait)

    # The conversation

    def tell(self, header: dict[str, Any]) -> None:
        """Send a frame that is no request: the submission to load."""
        self._guard(self._channel.send, header)

    def hear(self) -> Any:
        """Receive a frame that answers no request: what became of the submission.

        Raises
        ------
        WorkerEnded
            If none arrives by the deadline.
        """
        header, _ = self._guard(self._channel.receive)
        if type(header) is not dict:
            raise self._end(End.protocol, "the worker sent a frame that is not an answer")
        return header

    def request(self, operation: str, *arguments: object) -> Any:
        """Ask the worker for one operation and return its result.

        Raises
        ------
        StudentError
            If student code raised an exception.
        WorkerEnded
            If the worker is gone, or goes while it works on this.
        ProxyError
            If an argument cannot cross.
        """
        if self.ended is not None:
            raise WorkerEnded(self.ended.end, str(self.ended))
        encoder = Encoder(self._refer, keep_strides=True)
        sequence = secrets.randbits(_SEQUENCE_BITS)
        try:
            parts = [encoder.encode(argument) for argument in arguments]
        except ValueRefused as error:
            raise ProxyError(f"a test cannot pass a value {error}") from None
        if self._channel.has_unread() or self._has_bytes():
            raise self._end(End.protocol, "the worker sent a message that nobody asked for")
        header = {"seq": sequence, "op": operation, "args": parts}
        self._guard(self._channel.send, header, encoder.buffers)
        return self._answer(sequence, encoder.nodes, arguments)

    def _answer(self, sequence: int, nodes: list[object], arguments: tuple[object, ...]) -> Any:
        while True:
            header, buffers = self._guard(self._channel.receive)
            if time.monotonic() > self.deadline:  # a worker that never pauses is never waited for
                raise self.give_up()
            if type(header) is dict and "callback" in header:
                self._call_back(header, buffers)
                continue
            if type(header) is not dict or header.get("seq") != sequence:
                raise self._end(End.protocol, "the worker sent a frame that is not an answer")
            if "error" in header:
                raise StudentError(header["error"]) from self._callback_failure
            decoder = Decoder(buffers, self._resolver(arguments), nodes)
            return self._guard(self._accept, header, decoder, nodes)

    def _accept(self, header: dict[str, Any], decoder: Decoder, nodes: list[object]) -> object:
        """Decode a result, and write changed arguments back to the test's own objects."""
        if "ok" not in header or type(header.get("changed")) is not list:
            raise ProtocolError("an answer without a result")
        result = decoder.decode(header["ok"])
        contents = []
        for change in header["changed"]:
            number, part = change if type(change) is list and len(change) == 2 else (None, None)
            if type(number) is not int or not 0 <= number < len(nodes):
                raise ProtocolError("a change of an argument that was not sent")
            contents.append((nodes[number], decoder.decode_content(part, nodes[number])))
        for node, content in contents:
            self._changes.write(node, content)
        return result

    def _call_back(self, header: dict[str, Any], buffers: list[Buffer]) -> None:
        decoder = Decoder(buffers, self._resolver(()))
        number = header["callback"]

        def read() -> tuple[list[Any], dict[str, Any]]:
            args, kwargs = decoder.decode(header.get("args")), decoder.decode(header.get("kwargs"))
            if (
                type(args) is not list
                or type(kwargs) is not dict
                or any(type(key) is not str for key in kwargs)
            ):
                raise ProtocolError("a callback without arguments")
            if type(number) is not int or not 0 <= number < len(self._callbacks):
                raise ProtocolError("a callback that the test did not pass in")
            return args, kwargs

        args, kwargs = self._guard(read)
        encoder = Encoder(self._refer)
        try:
            reply = {"ok": encoder.encode(self._callbacks[number](*args, **kwargs))}
        except WorkerEnded:
            raise
        except Exception as error:
            # Mostly arguments that the test's function cannot use. Student code learns no more than that.
            self._callback_failure = error
            encoder, reply = Encoder(self._refer), {"failed": True}
        self._guard(self._channel.send, reply, encoder.buffers)

    def _has_bytes(self) -> bool:
        try:
            return bool(self._socket.recv(1, socket.MSG_PEEK))  # recv(2): look, and leave it there
        except OSError:  # mostly EAGAIN: the socket does not block, and nothing is there
            return False

    # References

    def _refer(self, value: object) -> list[Any]:
        part = self._references.unwrap(self, value)
        if part is not None:
            return part
        if not callable(value):
            raise ProxyError(
                f"a test cannot pass a {type(value).__name__}: only plain values and functions cross"
            )
        self._callbacks.append(value)
        return [Tag.THEIRS, len(self._callbacks) - 1, "callable", "function"]

    def _resolver(self, arguments: tuple[object, ...]) -> Callable[[Tag, list[Any]], object]:
        def resolve(tag: Tag, parts: list[Any]) -> object:
            if tag is Tag.THEIRS:
                number, kind, type_name = parts
                if type(number) is not int or type(kind) is not str or type(type_name) is not str:
                    raise ProtocolError("a malformed reference")
                path = self._path(arguments)
                return self._references.wrap(self, number, kind[:MAX_NAME], type_name[:MAX_NAME], path)
            if tag is Tag.YOURS and type(parts[0]) is int and 0 <= parts[0] < len(self._callbacks):
                return self._callbacks[parts[0]]
            raise ProtocolError("a reference to an object that is not there")

        return resolve

    def _path(self, arguments: tuple[object, ...]) -> tuple[str, ...]:
        """Return the module path that a look-up went along, if it started at a module."""
        if len(arguments) != 2 or type(arguments[1]) is not str:
            return ()
        part = self._references.unwrap(self, arguments[0])
        return (*part[1:], arguments[1]) if part and part[0] == Tag.PATH else ()

    # Waiting and ending

    def _guard(self, step: Callable[..., Any], *arguments: object) -> Any:
        """Run a step of the conversation; whatever breaks it ends this worker."""
        try:
            return step(*arguments)
        except ChannelClosed:
            raise self._end(End.crashed, "the worker process ended while it ran student code") from None
        except (ProtocolError, ValueRefused, RecursionError) as error:
            raise self._end(End.protocol, f"the worker broke the protocol: {error}") from None

    def _wait(self, fd: int, for_writing: bool) -> None:
        self._poll.register(fd, select.POLLOUT if for_writing else select.POLLIN)
        while True:
            left = self.deadline - time.monotonic()
            ready = [found for found, _ in self._poll.poll(max(0.0, left) * _MILLISECONDS)]
            if self._output_fd in ready and not self._read_output():
                self._poll.unregister(self._output_fd)
            if fd in ready:
                return
            if left <= 0:
                raise self.give_up()

    def _read_output(self) -> bool:
        """Read some of what the worker printed; return False when no more can come."""
        try:
            data = os.read(self._output_fd, _PIPE_BYTES)
        except BlockingIOError:
            return True
        self._output_seen += len(data)
        self._output += data[: max(0, self._output_limit - len(self._output))]
        return bool(data)

    def _end(self, end: End, reason: str) -> WorkerEnded:
        if self.ended is None:
            self.ended = WorkerEnded(end, reason)
        return self.ended

    def give_up(self) -> WorkerEnded:
        """Note that the time is up, and return the exception that says so."""
        return self._end(End.timeout, "the worker used up its wall time")

    def distrust(self, reason: str) -> WorkerEnded:
        """Note that the worker sent what no honest one sends, and return the exception that says so."""
        return self._end(End.protocol, reason)

    def close(self) -> str:
        """End the conversation, undo what it changed in the test, and return what was printed, capped."""
        self._end(End.closed, "the worker of an earlier test was used again")
        self._changes.undo()
        for _ in range(_LAST_READS):
            seen = self._output_seen
            if not self._read_output() or self._output_seen == seen:
                break
        self._socket.close()
        os.close(self._output_fd)
        text = self._output.decode(errors="replace")
        dropped = self._output_seen - len(self._output)
        return f"{text}\n[{dropped} more bytes were dropped]" if dropped else text


def _text(value: Any, limit: int) -> str:
    return value[:limit] if type(value) is str else ""


def _place(value: Any) -> ReportedPlace | None:
    if type(value) is not list or len(value) != 3:
        return None
    file, line, function = value
    if type(file) is not str or type(line) is not int or type(function) is not str:
        return None
    return ReportedPlace(file[:MAX_NAME], max(0, min(line, _MAX_LINE)), function[:MAX_NAME])
