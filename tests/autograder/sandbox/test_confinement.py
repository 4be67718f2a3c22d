"""A confined worker: nothing inherited, correct torch code undisturbed, too much memory an ordinary error."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.sandbox import (
    ENVIRONMENT,
    Limits,
    Prepared,
    children,
    choose_plan,
    confine,
    credentials,
    kernel,
    lease_uid,
    prepare,
)
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.skipif(not kernel.LINUX, reason="workers are confined on Linux only")


@pytest.fixture
def prepared() -> Iterator[Prepared]:
    """Return what workers of this machine's strongest plan need."""
    ready = prepare(choose_plan(weak=True))
    yield ready
    ready.close()


@pytest.fixture
def uid(prepared: Prepared) -> Iterator[int | None]:
    """Return a uid of the worker's own, where the plan wants one."""
    if not prepared.plan.dedicated_uids:
        yield None
        return
    with lease_uid() as lease:
        yield lease.uid


def confined(
    prepared: Prepared,
    uid: int | None,
    task: Callable[[children.Home], None],
    *,
    budget: Limits | None = None,
    keep: Collection[int] = (),
) -> children.Ended:
    """Run a task in a confined child."""

    def run(home: children.Home) -> None:
        confine(prepared, budget or Limits(), uid, {home.descriptor, *keep})
        task(home)

    return children.ask(run)


def test_only_the_given_descriptors_stay(prepared: Prepared, uid: int | None) -> None:
    """Sockets, files and the zygote's own descriptors are gone; standard streams lead nowhere."""
    kept, other = socket.socketpair()
    with kept, other, tempfile.TemporaryFile():

        def look(home: children.Home) -> None:
            open_ones = []
            for descriptor in range(1024):
                try:
                    os.fstat(descriptor)
                except OSError:
                    continue
                open_ones.append(descriptor)
            expected = sorted({0, 1, 2, kept.fileno(), home.descriptor})
            home.say(str(open_ones == expected))
            null = Path(os.devnull).stat().st_rdev
            home.say(str([os.fstat(stream).st_rdev == null for stream in (0, 1, 2)]))

        ended = confined(prepared, uid, look, keep=[kept.fileno()])
    assert ended.lines == ("True", "[True, True, True]")


def test_files_and_folders_cannot_be_kept(prepared: Prepared, uid: int | None, tmp_path: Path) -> None:
    """A descriptor of a file outlives every layer, so that the engine may not pass one by mistake."""
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with tempfile.TemporaryFile() as file:
            for descriptor in (file.fileno(), folder):
                ended = confined(prepared, uid, lambda home: home.say("confined"), keep=[descriptor])
                assert "neither a pipe nor a socket" in ended.lines[0]
    finally:
        os.close(folder)


def test_the_environment_is_minimal(prepared: Prepared, uid: int | None) -> None:
    """For Python and for the C library."""

    def look(home: children.Home) -> None:
        home.say(str(dict(os.environ) == ENVIRONMENT))
        home.say(str(kernel.libc().getenv(b"MARK_OF_THE_TEST")))

    os.environ["MARK_OF_THE_TEST"] = "here"
    try:
        assert confined(prepared, uid, look).lines == ("True", "0")
    finally:
        del os.environ["MARK_OF_THE_TEST"]


def test_capabilities_after_confinement(prepared: Prepared, uid: int | None) -> None:
    """None, or the one that Landlock makes harmless; the bounding set is empty where it can be emptied."""
    mask = 4 if prepared.plan.keep_search else 0

    def look(home: children.Home) -> None:
        home.say(str(credentials.held_capabilities()))
        home.say(str(credentials.bounding_set() == () or not prepared.plan.root))

    assert confined(prepared, uid, look).lines == (str((mask, mask, 0)), "True")


def test_the_death_signal_survives_the_change_of_user(prepared: Prepared, uid: int | None) -> None:
    """When the zygote is killed, its workers are too, at once."""
    hear, say = os.pipe()
    zygote = os.fork()
    if zygote == 0:
        try:
            mine = prepare(prepared.plan)
            if os.fork() == 0:
                confine(mine, Limits(), uid, {say})
                os.write(say, b"confined")
            signal.pause()
        finally:
            os._exit(0)
    os.close(say)
    try:
        assert os.read(hear, 100) == b"confined"
        os.kill(zygote, signal.SIGKILL)
        os.waitpid(zygote, 0)
        assert select.select([hear], [], [], PATIENCE)[0], "the worker lives on"
        assert os.read(hear, 100) == b""  # nobody holds the other end any more
    finally:
        os.close(hear)


def test_a_worker_whose_zygote_is_gone_ends_itself(prepared: Prepared, uid: int | None) -> None:
    """The zygote may die between fork and death signal."""
    orphan = replace(prepared, zygote=prepared.zygote + 1)
    ended = confined(orphan, uid, lambda home: home.say("confined"))
    assert ended == children.Ended((), 1)


def test_uid_and_plan_must_fit(prepared: Prepared, uid: int | None) -> None:
    """Forgetting the uid must not leave a worker as root."""
    wrong = None if uid is not None else credentials.UIDS[0]
    ended = confined(prepared, wrong, lambda home: home.say("confined"))
    assert "does not fit the plan" in ended.lines[0]


def test_a_plan_for_another_user_is_refused(prepared: Prepared) -> None:
    """The plan holds for the machine and user it was made on."""
    plan = prepared.plan
    with pytest.raises(SandboxError, match="another machine or user"):
        prepare(replace(plan, root=not plan.root))


def test_a_step_that_fails_is_reported(
    prepared: Prepared, uid: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a confinement is none."""

    def refuse(rules: int) -> None:
        raise OSError(1, "sabotaged")

    if prepared.ruleset is None:
        pytest.skip("this machine has no Landlock")
    monkeypatch.setattr("autograder.sandbox.landlock.enter", refuse)
    ended = confined(prepared, uid, lambda home: home.say("confined"))
    assert ended.status == 1
    assert "confining failed" in ended.lines[0]


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")
def test_the_empty_root_is_empty_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is gone from the disk already, so that nothing can be made in it, nor out of it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ready = prepare(choose_plan(weak=True, filesystem="chroot"))

    def look(home: children.Home) -> None:
        for path in ("/", "..", "/../..", "."):
            home.say(str(os.listdir(path)))  # noqa: PTH208
        for deed in (lambda: Path("/new").touch(), Path("/proc/1").stat, lambda: os.chdir("..")):
            try:
                deed()
                home.say("reached")
            except OSError as error:
                home.say(str(error.errno))

    try:
        with lease_uid() as lease:
            uid = lease.uid if ready.plan.dedicated_uids else None
            assert confined(ready, uid, look).lines == ("[]", "[]", "[]", "[]", "2", "2", "1")
    finally:
        ready.close()
    assert not list(tmp_path.iterdir())


# What correct student code needs, and what it meets when it wants too much. In a process of its own, started
# as a zygote is: torch must be set to one thread before it forks.

ZYGOTE = """
import json, os, sys, traceback
import numpy, torch
torch.set_num_threads(1)
numpy.ones((4, 4)) @ numpy.ones((4, 4))
from autograder.sandbox import Limits, SandboxPlan, confine, lease_uid, prepare, share_arenas
share_arenas()
plan = SandboxPlan.from_plain(json.loads(sys.argv[1]))
ready = prepare(plan)
lease = lease_uid() if plan.dedicated_uids else None
for name, source in json.load(sys.stdin).items():
    hear, say = os.pipe()
    if os.fork() == 0:
        answer = "confined"
        try:
            confine(ready, Limits(memory_mb=600, cpu_seconds=20), lease and lease.uid, {say})
            scope = {"torch": torch, "np": numpy}
            exec(source, scope)
            answer = str(scope.get("answer"))
        except BaseException as error:
            answer = type(error).__name__ + ": " + str(error)[:300]
        finally:
            os.write(say, answer.encode())
            os._exit(0)
    os.close(say)
    print(json.dumps([name, os.read(hear, 4096).decode()]), flush=True)
    os.close(hear)
"""

HONEST = {
    "matmul": "answer = int((torch.ones(300, 300) @ torch.ones(300, 300)).sum())",
    "sort": "answer = torch.rand(1000, 100).sort(dim=1).indices.shape[1]",
    "conv2d": """
from torch.nn.functional import conv2d
answer = tuple(conv2d(torch.ones(2, 3, 9, 9), torch.ones(4, 3, 3, 3)).shape)""",
    "backward": """
x = torch.ones(3, requires_grad=True)
(x ** 2).sum().backward()
answer = x.grad.tolist()""",
    "train": """
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
optimizer = torch.optim.Adam(model.parameters())
torch.nn.functional.cross_entropy(model(torch.ones(5, 4)), torch.zeros(5, dtype=torch.long)).backward()
optimizer.step()
answer = "trained" """,
    "numpy": """
values = np.random.default_rng(0).normal(size=(200, 200))
np.linalg.svd(values @ values.T), np.sort(values)
answer = "done" """,
    "threads": """
import threading
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    answer = sum(pool.map(lambda n: int((torch.ones(64, 64) @ torch.ones(64, 64))[0, 0]), range(16)))""",
    "clock": """
import datetime, time
time.sleep(0.001), time.perf_counter(), time.process_time(), time.localtime()
answer = datetime.datetime.now().astimezone().year > 2000""",
    "random": """
import os, random, secrets, uuid
answer = len(os.urandom(8)) + len(secrets.token_bytes(8)) + len(uuid.uuid4().bytes)""",
    "exception": """
import traceback
def deep(): deep()
try:
    deep()
except RecursionError:
    answer = len(traceback.format_exc()) > 100""",
    "standard library": """
import bisect, csv, decimal, fractions, sqlite3, statistics, wave, xml.dom.minidom, zipfile
answer = statistics.median([1, 2, 3])""",
    "torch submodule": """
import torch.distributions, torch.utils.data
data = torch.utils.data.TensorDataset(torch.arange(10.0))
answer = len(list(torch.utils.data.DataLoader(data, batch_size=2, shuffle=True)))""",
    "another package": "import sklearn.datasets; answer = sklearn.datasets.load_digits().data.shape",
    "plots": "import matplotlib.pyplot as plt; plt.plot([1, 2]); answer = len(plt.gca().lines)",
    "print": "import sys; print('x'); print('y', file=sys.stderr); answer = 'printed'",
    "null device": "import os; answer = open(os.devnull, 'w').write('gone')",
    "cores": "import os; answer = os.cpu_count() >= 1",
    "abort signal": """
import os, signal
seen = []
signal.signal(signal.SIGUSR1, lambda *_: seen.append(1))
os.kill(os.getpid(), signal.SIGUSR1)
answer = seen""",
    "name": "import threading; threading.Thread(name='worker', target=print).start(); answer = 'named'",
}
ANSWERS = {
    "matmul": "27000000",
    "sort": "100",
    "conv2d": "(2, 4, 7, 7)",
    "backward": "[2.0, 2.0, 2.0]",
    "train": "trained",
    "numpy": "done",
    "threads": "1024",
    "clock": "True",
    "random": "32",
    "exception": "True",
    "standard library": "2",
    "torch submodule": "5",
    "another package": "(1797, 64)",
    "plots": "1",
    "print": "printed",
    "null device": "4",
    "cores": "True",
    "abort signal": "[1]",
    "name": "named",
}
GREEDY = {
    "tensor": ("torch.zeros(1024, 1024, 512)", "RuntimeError"),
    "array": ("np.ones((1024, 1024, 512))", "MemoryError"),
    "list": ("[0] * (1 << 28)", "MemoryError"),
    "many tensors": ("[torch.zeros(1 << 18) for _ in range(2000)]", "RuntimeError"),
}


@pytest.fixture(scope="module")
def answers() -> dict[str, str]:
    """Return what confined workers of one zygote answered."""
    sources = HONEST | {name: source for name, (source, _) in GREEDY.items()}
    ended = subprocess.run(
        [sys.executable, "-c", ZYGOTE, json.dumps(choose_plan(weak=True).to_plain())],
        env=ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.stderr == ""
    return dict(json.loads(line) for line in ended.stdout.splitlines())


@pytest.mark.parametrize("name", HONEST)
def test_honest_code_never_trips(answers: dict[str, str], name: str) -> None:
    """What a student may write in earnest works inside as it does outside."""
    assert answers[name] == ANSWERS[name]


@pytest.mark.parametrize("name", GREEDY)
def test_too_much_memory_is_an_error_not_a_kill(answers: dict[str, str], name: str) -> None:
    """The student reads what went wrong."""
    assert answers[name].split(":")[0] == GREEDY[name][1]


@pytest.mark.parametrize("machine", ["darwin", "win32"])
def test_importing_is_safe_elsewhere(machine: str) -> None:
    """The command line starts on macOS and Windows, where some modules and the C library are missing."""
    script = f"""
import autograder.graded.results, ctypes, sys
sys.platform = {machine!r}
for name in ("resource", "fcntl", "pwd", "grp")[: 4 if sys.platform == "win32" else 0]:
    sys.modules[name] = None
ctypes.CDLL = None
from autograder.sandbox import SandboxPlan, choose_plan, prove, report
plan = choose_plan(weak=True)
assert report(plan, prove(plan)).level == "none"
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3])
