"""The semantics of docs/wire.md between a link and a worker, and what a worker gains by breaking them.

The worker serves in a thread here, unconfined: tests of the sandbox are elsewhere.
"""

from __future__ import annotations

import collections
import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import numpy as np
import pytest
import torch

from autograder.engine.link import End, Link, ProxyError, StudentError, WorkerEnded
from autograder.engine.proxy import (
    ProxyModule,
    ProxyReferences,
    RemoteDict,
    RemoteList,
    RemoteObject,
    RemotePath,
    Session,
)
from autograder.engine.wire.frames import Channel
from autograder.engine.worker import Worker
from helpers.submission import allowances
from helpers.testing.evidence import measure
from helpers.testing.substitute import substituted
from tests.support.waiting import PATIENCE

STUDENT = """
import collections
import torch

ANSWER = 42
TABLE = {"w": torch.ones(2), "history": [1.0]}

class Net:
    def __init__(self, size):
        self.params = {"W1": torch.zeros(size), "inner": {"b": 1}}
        self.loss_history = [3.0, 2.0]
        self.step = 0
    def forward(self, x):
        return x * self.params["W1"]
    def itself(self):
        return self
    @staticmethod
    def double(x):
        return 2 * x

class Deep(Net):
    pass

class Mine(int):
    pass

Pair = collections.namedtuple("Pair", "out cache")

class Sly(Pair):
    def __iter__(self): return iter((666, 666))
    def __len__(self): return 0
    def __getitem__(self, key): return 666

class Own(tuple):
    pass

class Keeper:
    last = Pair(1.0, 2.0)

def echo(*args, **kwargs): return args, kwargs
def identity(x): return x
def kind(x): return type(x).__name__
def shout(): print("hello"); return 1
def fail(text="no"): raise ValueError(text)
def leave(): raise SystemExit(0)
def interrupt(): raise KeyboardInterrupt
def subclass(): return Mine(3)
def own_tuple(*outer): return (*outer, Own([1, 2])) if outer else Own([1, 2])
def sly(): return Sly(1.0, 2.0)
def forward(x): return 2 * x, Pair(out=x, cache={"t": 1})
def forward_pair(x): return Pair(2 * x, Pair(x, None))
def backward(dout, cache): return dout * cache.out
def largest(x): return x.max(dim=0)
def make(size): return Net(size)
def generator(): return (i for i in range(3))
def folds(): return collections.defaultdict(list, {1: [0.5]})
def nasty():
    class Nasty(Exception):
        def __str__(self): raise RuntimeError("no text")
    raise Nasty
def zero_(x): x.zero_(); return None
def through_data(x): x.data[0] = 7
def through_numpy(x): x.numpy()[0] = 8
def transpose_(x): x.t_()
def grow(d, l): d["new"] = torch.ones(1); d["mean"].add_(1); l.append(4)
def rebind(d): d["mean"] = d["mean"] + 1
def fill(a): a[...] = 5
def step(w, config): w.add_(1); config["t"] += 1; return w, config
def same(a, b): return a is b
def stride(x): return x.stride()
def call(f, x): return f(x)
def nested(f): return f(identity)
def uses_identity(x): return identity(x)
def loop(x):
    for row in x: row + 1
    return x.sum()
"""


@contextlib.contextmanager
def served(
    target: Callable[[socket.socket], None], seconds: float = PATIENCE
) -> Iterator[tuple[Link, Session]]:
    near, far = socket.socketpair()
    output, unused = os.pipe()
    session = Session()
    link = Link(near, output, ProxyReferences(session), deadline=time.monotonic() + seconds)
    session.link = link
    thread = threading.Thread(target=target, args=(far,), daemon=True)
    thread.start()
    try:
        yield link, session
    finally:
        link.close()
        thread.join(timeout=PATIENCE)
        far.close()
        os.close(unused)


def load(link: Link) -> None:
    files = {"student_module.py": STUDENT.encode()}
    names = {"modules": ["student_module"], "packages": ["torch", "numpy"], "imports": {}}
    link.tell({"seed": 1, "sources": files, **names})
    assert set(link.hear()) == {"facts", "code", "problems", "notes", "imports", "loops"}
    heard = [link.hear()]
    while "ready" not in heard[-1]:
        heard.append(link.hear())
    assert heard[:-1] in ([], [{"importing": "student_module"}, {"imported": "student_module"}])


@pytest.fixture
def served_module(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, Link]]:
    import sys

    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(allowances, "let_pass", lambda code: None)  # this process lives on
    with served(lambda far: Worker(Channel(far.fileno())).run()) as (link, session):
        load(link)
        yield ProxyModule("student_module", session), link
    sys.modules.pop("student_module", None)


@pytest.fixture
def student(served_module: tuple[Any, Link]) -> Any:
    return served_module[0]


# Values and references


def test_values_cross_and_keep_their_types(student: Any) -> None:
    assert student.ANSWER == 42
    args, kwargs = student.echo(1, "a", None, [1, (2,)], x=torch.ones(2), n=np.float32(1.5))
    assert args == (1, "a", None, [1, (2,)])
    assert torch.equal(kwargs["x"], torch.ones(2))
    assert type(kwargs["n"]) is np.float32
    assert student.folds() == {1: [0.5]}


def test_a_name_outlives_its_worker_and_a_handle_does_not(
    student: Any, served_module: tuple[Any, Link]
) -> None:
    name = student.identity
    assert isinstance(name, RemotePath)
    net = student.make(2)
    assert isinstance(net, RemoteObject)
    session = name._session
    session.link = None
    assert isinstance(student.anything.at_all, RemotePath)  # collected before any worker exists
    with pytest.raises(ProxyError, match="outside a test"):
        name(1)
    with served(lambda far: Worker(Channel(far.fileno())).run()) as (second, _):
        load(second)
        session.link = second
        assert name(5) == 5
        with pytest.raises(ProxyError, match="belongs to a worker that has ended"):
            name(net)


def test_objects_stay_in_the_worker_and_their_containers_are_live(student: Any) -> None:
    net = student.Net(2)
    assert isinstance(net, RemoteObject)
    assert isinstance(net.params, RemoteDict)
    net.params["W1"] = torch.tensor([3.0, 4.0])
    assert torch.equal(net.forward(torch.ones(2)), torch.tensor([3.0, 4.0]))
    net.params["inner"]["b"] = 9
    assert net.params["inner"]["b"] == 9
    assert sorted(net.params) == ["W1", "inner"]
    assert "W1" in net.params
    assert len(net.params) == 2
    del net.params["inner"]
    assert [key for key, _ in net.params.items()] == ["W1"]
    net.step = 5
    assert net.step == 5
    assert isinstance(net.loss_history, RemoteList)
    net.loss_history.append(1.0)
    assert list(net.loss_history) == [3.0, 2.0, 1.0]
    assert net.loss_history[-2:] == [2.0, 1.0]
    assert list(student.generator()) == [0, 1, 2]


def test_isinstance_and_static_methods_work(student: Any) -> None:
    deep = student.Deep(1)
    assert isinstance(deep, student.Net)
    assert not isinstance(student.Net(1), student.Deep)
    assert not isinstance(3, student.Net)
    assert student.Net.double(4) == 8
    assert isinstance(deep.itself(), student.Deep)


def test_what_two_processes_cannot_offer_is_a_clear_error(student: Any) -> None:
    import copy
    import inspect
    import pickle

    net = student.Net(1)
    for misuse in (
        lambda: bool(net),
        lambda: net == 3,
        lambda: net != net,
        lambda: inspect.signature(student.identity),
        lambda: pickle.dumps(net),
        lambda: copy.copy(net),
        lambda: np.asarray(net),
        lambda: student.identity(object()),
        lambda: student.identity(torch.nn.Parameter(torch.ones(1))),
    ):
        with pytest.raises(ProxyError):
            misuse()
    assert "Net" not in repr(net)  # a repr must not ask the worker, nor show a name that it chose
    class_body = "class Sub(student.Net):\n    pass"
    with pytest.raises(ProxyError):
        exec(class_body, {"student": student})


# Arguments that student code changes


def test_changes_of_arguments_arrive_however_they_were_made(student: Any) -> None:
    for function in (student.zero_, student.through_data, student.through_numpy):
        x = torch.ones(3)
        function(x)
        assert not torch.equal(x, torch.ones(3))
    x = torch.ones(2, 3)
    student.transpose_(x)
    assert x.shape == (3, 2)
    a = np.zeros(2)
    student.fill(a)
    assert a.tolist() == [5, 5]


def test_containers_are_written_back_in_place_and_keep_identity(student: Any) -> None:
    mean, entries = torch.zeros(2), [1]
    config: dict[str, Any] = {"mean": mean}
    student.grow(config, entries)
    assert config["mean"] is mean
    assert mean.tolist() == [1, 1]
    assert config["new"].tolist() == [1]
    assert entries == [1, 4]
    student.rebind(config)
    assert config["mean"] is not mean
    assert mean.tolist() == [1, 1]
    assert config["mean"].tolist() == [2, 2]


def test_unchanged_arguments_are_left_alone(student: Any) -> None:
    x = torch.ones(3)
    version = x._version
    student.identity(x)
    assert x._version == version


def test_identity_survives_a_call(student: Any) -> None:
    w, config = torch.zeros(2), {"t": 0}
    next_w, next_config = student.step(w, config)
    assert next_w is w
    assert next_config is config
    assert w.tolist() == [1, 1]
    assert config == {"t": 1}
    assert student.same(w, w) is True
    assert student.same(w, w.clone()) is False


def test_layout_reaches_the_worker(student: Any) -> None:
    assert student.stride(torch.ones(2, 3).t()) == (1, 3)


# Callbacks, substitution, measuring


def test_functions_of_the_test_run_in_the_grader(student: Any) -> None:
    seen = []

    def note(x: torch.Tensor) -> torch.Tensor:
        seen.append(x)
        return x + 1

    assert student.call(note, torch.zeros(1)).tolist() == [1]
    assert seen[0].tolist() == [0]
    assert student.identity(note) is note
    assert student.nested(lambda f: f(3)) == 3  # the callback asks the worker in turn


def test_a_failing_callback_says_nothing_to_the_student(student: Any) -> None:
    def fails(x: object) -> None:
        raise RuntimeError("hidden 1234")

    with pytest.raises(StudentError) as caught:
        student.call(fails, 1)
    assert "1234" not in str(caught.value)
    assert "1234" in str(caught.value.__cause__)


def test_substituted_functions_are_used_and_put_back(student: Any) -> None:
    with substituted(student, identity=lambda x: -x):
        assert student.uses_identity(3) == -3
    assert student.uses_identity(3) == 3


def test_a_name_that_student_code_lacks_can_be_put_there_and_is_taken_away(student: Any) -> None:
    with substituted(student, brand_new=lambda x: x + 1):
        assert student.brand_new(1) == 2
    with pytest.raises(StudentError, match="brand_new"):
        _ = student.brand_new


def test_measuring_counts_in_the_worker(student: Any) -> None:
    few, many = measure(student.loop, torch.ones(2, 2)), measure(student.loop, torch.ones(20, 2))
    assert many.operations > 5 * few.operations
    assert float(few.result) == 4


# Tuples with named entries


def test_a_named_tuple_inside_a_result_stays_in_the_worker(student: Any) -> None:
    out, cache = student.forward(torch.tensor([1.0, 2.0]))
    assert isinstance(cache, RemoteObject)
    assert torch.equal(student.backward(out, cache), torch.tensor([2.0, 8.0]))
    assert student.backward(3.0, student.forward(4.0)[1]) == 12.0


def test_a_named_tuple_that_is_the_result_arrives_as_a_tuple(student: Any) -> None:
    pair = student.forward_pair(3.0)
    assert type(pair) is tuple
    assert pair[0] == 6.0
    assert student.backward(2.0, pair[1]) == 6.0
    assert measure(student.forward_pair, 3.0).result[0] == 6.0
    assert student.Keeper.last == (1.0, 2.0)
    values, places = student.largest(torch.tensor([[1.0, 5.0], [3.0, 2.0]]))
    assert (values.tolist(), places.tolist()) == ([3.0, 5.0], [1, 0])


def test_methods_of_a_named_tuple_have_no_say(student: Any) -> None:
    assert student.sly() == (1.0, 2.0)


def test_any_other_subclass_of_tuple_is_refused(student: Any) -> None:
    for outer in ((), (1,)):
        with pytest.raises(StudentError, match="Own, a subclass of tuple; return a plain tuple") as caught:
            student.own_tuple(*outer)
        assert caught.value.refused


def test_a_test_cannot_pass_a_named_tuple(student: Any) -> None:
    with pytest.raises(ProxyError, match="cannot pass a Point"):
        student.identity(collections.namedtuple("Point", "x")(1))


# Exceptions and output


@pytest.mark.parametrize(
    ("name", "type_name"),
    [("fail", "ValueError"), ("leave", "SystemExit"), ("interrupt", "KeyboardInterrupt"), ("nasty", "Nasty")],
)
def test_exceptions_arrive_as_text_whatever_their_class(student: Any, name: str, type_name: str) -> None:
    with pytest.raises(StudentError) as caught:
        getattr(student, name)()
    assert caught.value.type_name == type_name
    assert caught.value.place is not None
    assert caught.value.place.file == "student_module.py"
    assert student.identity(1) == 1  # the worker goes on


def test_a_long_message_is_capped(student: Any) -> None:
    with pytest.raises(StudentError) as caught:
        student.fail("x" * 1_000_000)
    assert len(caught.value.message) == 2000


def test_a_refused_value_is_told_apart(student: Any) -> None:
    with pytest.raises(StudentError) as caught:
        student.subclass()
    assert caught.value.refused
    with pytest.raises(StudentError) as missing:
        _ = student.nothing_here
    assert missing.value.type_name == "AttributeError"


# A hostile worker


def frame(header: Any, buffers: tuple[bytes, ...] = ()) -> bytes:
    packed = msgpack.packb(header)
    prefix = struct.pack(f"<II{len(buffers)}Q", len(packed), len(buffers), *map(len, buffers))
    return prefix + packed + b"".join(buffers)


def request_of(far: socket.socket) -> dict[str, Any]:
    header: dict[str, Any] = Channel(far.fileno()).receive()[0]
    return header


def answers(*fields: dict[str, Any]) -> Callable[[socket.socket], None]:
    """Answer one request with frames that carry its number and the given fields."""

    def run(far: socket.socket) -> None:
        sequence = request_of(far)["seq"]
        for field in fields:
            far.sendall(frame({"seq": sequence, "changed": []} | field))

    return run


@pytest.mark.parametrize(
    "target",
    [
        answers({"ok": 1, "seq": 7}),
        answers({"ok": [99]}),
        answers({"ok": 1, "changed": [[0, [1, [5]]]]}),
        answers({"ok": 1, "changed": [[10**9, 1]]}),
        answers({"ok": 1, "changed": [7]}),
        answers({"ok": 1, "changed": None}),
        answers({}),
        answers({"ok": [17, 0]}),
        answers({"ok": [18, "os", "system"]}),
        answers({"ok": [16, "a", "b", "c"]}),
        answers({"callback": 0, "args": [1, []], "kwargs": [3, []]}),
        answers({"callback": -1, "args": [1, []], "kwargs": [3, []]}),
        answers({"callback": "system", "args": [1, []], "kwargs": [3, []]}),
        lambda far: far.sendall(b"\xff" * 64),
        lambda far: far.sendall(frame([1, 2, 3])),
    ],
)
def test_a_forged_answer_ends_the_worker_and_the_test(target: Callable[[socket.socket], None]) -> None:
    with served(target) as (link, _):
        with pytest.raises(WorkerEnded) as caught:
            link.request("call", 1)
        assert caught.value.end is End.protocol
        with pytest.raises(WorkerEnded):
            link.request("call", 1)


def test_frames_sent_ahead_answer_nothing() -> None:
    def run(far: socket.socket) -> None:
        sequence = request_of(far)["seq"]
        answer = frame({"seq": sequence, "ok": 1, "changed": []})
        far.sendall(answer + answer)

    with served(run) as (link, _):
        assert link.request("call", 1) == 1
        with pytest.raises(WorkerEnded) as caught:
            link.request("call", 2)
        assert caught.value.end is End.protocol


def test_a_worker_that_closes_or_sleeps_ends_the_test() -> None:
    with served(lambda far: far.close()) as (link, _):
        with pytest.raises(WorkerEnded) as caught:
            link.request("len", 1)
        assert caught.value.end is End.crashed
    with served(lambda far: time.sleep(0.5), seconds=0.1) as (link, _):
        with pytest.raises(WorkerEnded) as caught:
            link.request("len", 1)
        assert caught.value.end is End.timeout


def test_an_error_report_is_text_or_nothing() -> None:
    report = {
        "type": ["x"],
        "bases": 3,
        "message": {"a": 1},
        "where": [1, 2, 3],
        "trace": [[1], None],
        "refused": 1,
    }
    with served(answers({"error": report})) as (link, _):
        with pytest.raises(StudentError) as caught:
            link.request("len", 1)
        error = caught.value
        assert (error.type_name, error.message, error.place, error.refused) == ("Exception", "", None, False)


def test_output_is_kept_up_to_a_limit_and_never_blocks() -> None:
    near, far = socket.socketpair()
    read_end, write_end = os.pipe()
    session = Session()
    link = Link(
        near, read_end, ProxyReferences(session), deadline=time.monotonic() + PATIENCE, output_limit=1000
    )

    def run() -> None:
        sequence = request_of(far)["seq"]
        for _ in range(100):
            os.write(write_end, b"x" * 10_000)
        far.sendall(frame({"seq": sequence, "ok": 1, "changed": []}))

    thread = threading.Thread(target=run)
    thread.start()
    assert link.request("len", 1) == 1
    thread.join()
    output = link.close()
    assert output.startswith("x" * 1000 + "\n[")
    assert len(output) < 1100
    far.close()
    os.close(write_end)
