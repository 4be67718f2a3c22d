"""Fork servers: what a child has and has not, how its end is seen, and what happens when a server dies."""

from __future__ import annotations

import ast
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from autograder.engine.launcher import HOSTS, ZYGOTES, Launcher, Process
from autograder.sandbox import ENVIRONMENT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for descriptors in /proc")
TESTS = str(Path(__file__).parents[3])


@pytest.fixture
def variables() -> dict[str, str]:
    return {"PYTHONPATH": TESTS, "PATH": os.environ["PATH"]}


@pytest.fixture
def launcher(variables: dict[str, str]) -> Iterator[Launcher]:
    made = Launcher("tests.support.forked", "-s", lambda: dict(variables))
    yield made
    made.close()


def start(launcher: Launcher, task: str) -> tuple[Process, int]:
    """Fork a child for a task; return it, and where its answer can be read."""
    (order, give), (answer, reply) = os.pipe(), os.pipe()
    os.write(give, task.encode())
    process = launcher.fork(order, reply)
    for descriptor in (order, give, reply):
        os.close(descriptor)
    return process, answer


def answer(launcher: Launcher) -> dict[str, Any]:
    process, answer = start(launcher, "answer")
    with os.fdopen(answer) as file:
        found: dict[str, Any] = ast.literal_eval(file.read())
    assert process.wait() == 0
    return found


def test_a_child_has_its_descriptors_and_none_of_the_server(launcher: Launcher) -> None:
    first, second = answer(launcher), answer(launcher)
    assert len(first["descriptors"]) == 6, "three streams, its own two, and that of the listing"
    assert len(second["descriptors"]) == 6
    assert first["session"]


def test_a_child_is_where_the_caller_is(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert answer(launcher)["folder"] == str(tmp_path)
    tmp_path.rmdir()
    assert answer(launcher)["folder"] == "/"


def test_a_child_speaks_where_the_caller_would(launcher: Launcher, capfd: pytest.CaptureFixture[str]) -> None:
    answer(launcher)
    capfd.readouterr()
    process, reply = start(launcher, "say")
    assert process.wait() == 0
    os.close(reply)
    assert capfd.readouterr().err == "said by the child\n"


@pytest.mark.parametrize(("task", "status"), [("exit", 3), ("raise", 1)])
def test_the_end_of_a_child_is_seen(
    launcher: Launcher, capfd: pytest.CaptureFixture[str], task: str, status: int
) -> None:
    process, reply = start(launcher, task)
    assert process.wait() == process.wait() == status
    os.close(reply)
    assert ("RuntimeError: raised in the child" in capfd.readouterr().err) == (task == "raise")


def test_a_child_is_waited_for_no_longer_than_asked_and_can_be_killed(launcher: Launcher) -> None:
    process, reply = start(launcher, "sleep")
    assert process.wait(timeout=0.01) is None
    process.kill()
    process.kill()
    os.close(reply)
    assert process.returncode == -signal.SIGKILL


def test_a_server_that_was_killed_is_replaced_and_its_children_end(launcher: Launcher) -> None:
    process, reply = start(launcher, "sleep")
    server = int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(server, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with os.fdopen(reply) as file:
        assert file.read() == "", "it holds the other end no more"
    assert answer(launcher)["session"]


def test_a_server_that_cannot_start_is_like_a_killed_child(variables: dict[str, str]) -> None:
    broken = Launcher("no_such_module", "-s", lambda: variables)
    process, reply = start(broken, "answer")
    assert process.wait() == -signal.SIGKILL
    os.close(reply)
    broken.close()


def test_threads_share_one_server(launcher: Launcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """As those of `release`, which begin at once."""
    together, pair = threading.Barrier(8), socket.socketpair

    def slow_pair() -> tuple[socket.socket, socket.socket]:
        time.sleep(0.1)  # the others are there before this one has a server
        return pair()

    monkeypatch.setattr(socket, "socketpair", slow_pair)

    def begin(_: int) -> Process:
        together.wait()
        return start(launcher, "sleep")[0]

    with ThreadPoolExecutor(8) as threads:
        children = list(threads.map(begin, range(8)))
    parents = {
        Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[1] for child in children
    }
    for child in children:
        child.kill()
    assert len(parents) == 1
    assert len({child.pid for child in children}) == 8


def test_what_one_child_imported_the_next_ones_have(launcher: Launcher) -> None:
    assert not answer(launcher)["modules"]
    launcher.remember(["colorsys", "no_such_module_at_all"])
    assert answer(launcher)["modules"]


def test_another_environment_gets_another_server(launcher: Launcher, variables: dict[str, str]) -> None:
    assert "COURSEGRAD_TEST" not in answer(launcher)["environment"]
    variables["COURSEGRAD_TEST"] = "1"
    assert "COURSEGRAD_TEST" in answer(launcher)["environment"]


def test_no_token_reaches_a_fork_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADESCOPE_TOKEN", "CANARY")
    for launcher in (HOSTS, ZYGOTES):
        assert "CANARY" not in launcher.environment().values()
    assert launcher.environment().keys() == ENVIRONMENT.keys() | {"PYTHONHASHSEED"}
