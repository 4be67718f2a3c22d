"""The worker's end of the wire: import a submission and do what the grader asks, one request at a time.

Everything here runs beside student code and may be tampered with by it. Nothing the grader receives
from a worker is believed, except the very first frame, which is sent before student code runs.
"""

from __future__ import annotations

import importlib
import marshal
import os
import random
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch

from autograder.engine.tracebacks import describe
from autograder.engine.wire.decoder import Decoder, Pristine
from autograder.engine.wire.encoder import Encoder
from autograder.engine.wire.frames import Buffer, Channel, ChannelClosed, ProtocolError, same_bytes
from autograder.engine.wire.values import DICTS, Tag, ValueRefused, type_name
from helpers import other_kits
from helpers.source.imports import possible_modules
from helpers.submission import allowances, problems, python_files
from helpers.submission.importer import Importer
from helpers.testing import evidence, weights
from helpers.testing.comparison import plain_tuple

_MAX_ELEMENTS: Final = 100_000
"""Of an iterable, which may have no end; a message holds as many parts."""
_NUMPY_SEEDS: Final = 2**32
"""NumPy takes seeds of 32 bits, PyTorch and Python longer ones."""
_MISSING: Final = object()
"""Stands for an attribute that was not there when the test put something in its place."""


class Worker:
    """Serve requests over one channel until the other end closes it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._objects: dict[int, object] = {}
        self._files: frozenset[str] = frozenset()
        self._errors: Mapping[str, Exception] = {}
        self._operations: dict[str, Callable[..., object]] = {
            "get": self._get,
            "set": self._set,
            "swap": self._swap,
            "call": lambda target, args, kwargs: target(*args, **kwargs),
            "measure": self._measure,
            "getitem": lambda target, key: target[key] if type(key) is slice else _Reached(target[key]),
            "setitem": lambda target, key, value: target.__setitem__(key, value),
            "delitem": lambda target, key: target.__delitem__(key),
            "len": len,
            "contains": lambda target, item: bool(item in target),
            "elements": self._elements,
            "isinstance": isinstance,
            "blank": object.__new__,
            "weights": lambda content: weights.load(content.tobytes()),
        }

    def run(self) -> None:
        """Load the submission, then serve until the grader closes the connection."""
        try:
            if self._load():
                while True:
                    self._serve(*self._channel.receive())
        except ChannelClosed:
            return

    def _load(self) -> bool:
        header, _ = self._channel.receive()
        random.seed(header["seed"])
        np.random.seed(header["seed"] % _NUMPY_SEEDS)
        torch.default_generator.manual_seed(header["seed"])  # torch.manual_seed looks for GPUs: 1 ms
        other_kits.use(header["imports"])
        code = self._read(header) if "sources" in header else header["code"]
        if code is None:
            return False
        plain = {name: (path, marshal.loads(data)) for name, (path, data) in code.items()}
        importer = Importer(plain, header["modules"], header["packages"], self._errors)
        self._files = importer.paths
        allowances.let_pass(item for _, item in plain.values())
        importer.install()
        if "sources" in header:
            importer.watch = self._announce
        for module in header["modules"]:
            try:
                importer.load(module)
            except BaseException as error:
                problem = problems.problem_of(
                    f"{importer.culprit(module)}.py", error, dict.fromkeys(self._files, "")
                )
                self._reply({"error": problem.to_plain()})
                return False
        self._reply({"ready": True})
        return True

    def _read(self, header: dict[str, Any]) -> dict[str, Any] | None:
        """Read the files; send code, facts and what is wrong. No student code has run before this frame."""
        read = python_files.read(header["sources"], header["modules"], header["packages"])
        texts = read.texts(header["sources"])
        wrong = [
            problems.problem_of(f"{module}.py", error, texts).to_plain()
            for module, error in read.problems.items()
        ]
        code = {name: [path, marshal.dumps(item)] for name, (path, item) in read.code.items()}
        facts = {name: part.facts.to_plain() for name, part in read.parts.items() if part.facts is not None}
        self._errors = read.errors
        self._channel.send(
            {
                "facts": facts,
                "code": code,
                "problems": wrong,
                "notes": list(read.notes),
                "imports": sorted(
                    {
                        name
                        for part in read.parts.values()
                        for one in part.imports
                        for name in possible_modules(one)
                    }
                ),
                "loops": {part.path: part.loop for part in read.parts.values()},
            }
        )
        return None if wrong else code

    def _announce(self, module: str, begins: bool) -> None:
        """Say which module is being imported, so that it is known which one ended the process."""
        self._reply({"importing" if begins else "imported": module})

    def _serve(self, header: dict[str, Any], buffers: list[Buffer]) -> None:
        calls = header["op"] in ("call", "measure")
        decoder = Decoder(buffers, self._resolve, keep_pristine=calls, keep_strides=True)
        encoder = Encoder(self._refer)
        try:
            arguments = [decoder.decode(part) for part in header["args"]]
            nodes = list(decoder.nodes)
            before = [_children(node) for node in nodes]
            result = self._operations[header["op"]](*arguments)
            encoder = Encoder(self._refer, nodes)
            reply = {"ok": self._encode_result(result, encoder)}
            reply["changed"] = _changes(nodes, before, decoder.pristine, encoder) if calls else []
        except ChannelClosed:
            raise
        except BaseException as error:
            encoder = Encoder(self._refer)
            reply = {"error": describe(error, self._files)}
        self._reply(reply | {"seq": header["seq"]}, encoder)

    def _reply(self, reply: dict[str, Any], encoder: Encoder | None = None) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:  # student code may have replaced or closed it
                continue
        try:
            self._channel.send(reply, encoder.buffers if encoder else ())
        except ProtocolError as error:
            refusal = describe(ValueRefused(str(error)), self._files)
            self._channel.send({"seq": reply.get("seq"), "error": refusal})

    # Operations that are more than one expression

    def _get(self, target: object, name: str) -> _Reached:
        return _Reached(getattr(target, name))

    def _swap(self, target: object, name: str, value: object) -> object:
        """Set an attribute and return a reference to what was there, even if it is a plain value.

        What a class inherits is not there; a static function stays one.
        """
        old = vars(target).get(name, _MISSING)
        self._set(target, name, value)
        return _Kept(old)

    def _set(self, target: object, name: str, value: object) -> None:
        if value is _MISSING:
            delattr(target, name)
        else:
            setattr(target, name, value)

    def _measure(self, target: Callable[..., object], args: list[Any], kwargs: dict[str, Any]) -> object:
        found = evidence.count_call(target, tuple(args), kwargs)
        return (plain_tuple(found.result), found.operations, found.largest, found.cpu_seconds)

    def _elements(self, target: Any) -> _Elements:
        elements: list[object] = []
        for element in target:
            if len(elements) >= _MAX_ELEMENTS:
                raise ValueRefused(f"an iterable of more than {_MAX_ELEMENTS} elements")
            elements.append(element)
        return _Elements(elements)

    # References

    def _encode_result(self, result: object, encoder: Encoder) -> Any:
        """Encode a result; containers reached through a reference stay here and become live views."""
        if type(result) is _Elements:
            return [Tag.LIST, [self._encode_reached(item, encoder) for item in result.value]]
        if type(result) is _Reached:
            return self._encode_reached(result.value, encoder)
        return encoder.encode(plain_tuple(result))

    def _encode_reached(self, value: object, encoder: Encoder) -> Any:
        if type(value) is list or type(value) in DICTS:
            return self._refer(value)
        return encoder.encode(plain_tuple(value))

    def _refer(self, value: object) -> list[Any]:
        if type(value) is _Callback:
            return [Tag.YOURS, value.number]
        if type(value) is _Kept:
            value = value.value
        elif isinstance(value, tuple) and plain_tuple(value) is value:
            raise ValueRefused(f"of type {type_name(type(value))}, a subclass of tuple; return a plain tuple")
        number = len(self._objects)
        self._objects[number] = value
        return [Tag.THEIRS, number, _kind(value), type_name(type(value))]

    def _resolve(self, tag: Tag, parts: list[Any]) -> object:
        if tag is Tag.YOURS:
            return self._objects[parts[0]]
        if tag is Tag.THEIRS:
            return _Callback(self, parts[0])
        target: Any = importlib.import_module(parts[0])
        for name in parts[1:]:
            target = getattr(target, name)
        return target

    def call_back(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        """Call a function that lives in the grader."""
        encoder = Encoder(self._refer)
        header = {"callback": number, "args": encoder.encode(list(args)), "kwargs": encoder.encode(kwargs)}
        self._reply(header, encoder)
        header, buffers = self._channel.receive()
        while "op" in header:  # the test's function asks this worker something itself
            self._serve(header, buffers)
            header, buffers = self._channel.receive()
        if "ok" not in header:
            raise RuntimeError("a function that the test passed in failed")
        return Decoder(buffers, self._resolve, keep_strides=True).decode(header["ok"])


class _Callback:
    """A function of the test, as student code sees it."""

    __slots__ = ("_worker", "number")

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self.number = number

    def __call__(self, *args: object, **kwargs: object) -> object:
        return self._worker.call_back(self.number, args, kwargs)


class _Reached:
    """Mark a value as reached through a reference."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class _Kept(_Reached):
    """Mark a value as to be kept here, whatever its type."""

    __slots__ = ()


class _Elements:
    """Mark a list as the elements of something that was reached through a reference."""

    __slots__ = ("value",)

    def __init__(self, value: list[object]) -> None:
        self.value = value


def _kind(value: object) -> str:
    if isinstance(value, types.ModuleType):
        return "module"
    if isinstance(value, type):
        return "class"
    if type(value) is list:
        return "list"
    if type(value) in DICTS:
        return "dict"
    return "callable" if callable(value) else "object"


def _children(node: object) -> list[object] | None:
    """Return the items of a list or dict, to compare by identity later; None for a tensor or array."""
    if type(node) is list:
        return list(node)
    if type(node) in DICTS:
        return [part for pair in node.items() for part in pair]  # type: ignore[attr-defined]
    return None


def _changes(
    nodes: list[object],
    before: list[list[object] | None],
    pristine: dict[int, Pristine],
    encoder: Encoder,
) -> list[list[Any]]:
    """Return number and new content of each argument whose content is not what it was."""
    changed = []
    for number, node in enumerate(nodes):
        children = before[number]
        if children is None:
            if _is_pristine(node, pristine[number]):
                continue
        else:
            now = _children(node) or []
            if len(now) == len(children) and all(a is b for a, b in zip(now, children, strict=True)):
                continue
        changed.append([number, encoder.encode_content(node)])
    return changed


def _is_pristine(node: object, before: Pristine) -> bool:
    """Tell whether a tensor or array is what it was, by dtype, shape and bytes."""
    encoder = Encoder(lambda value: [])
    try:
        _, name, shape, number, *_ = encoder.encode_content(node)
    except (ValueRefused, RuntimeError):
        return False
    return (name, shape) == before[:2] and same_bytes(encoder.buffers[number], before[2])


def main(fd: int) -> None:
    """Serve the grader on a connected socket, then end the process without running exit handlers."""
    try:
        Worker(Channel(fd)).run()
    finally:
        os._exit(0)
