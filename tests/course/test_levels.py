"""Every level of the sandbox, through the command line: what is proved there, and what is refused.

`levels.py` makes this machine into others. The corpus of attacks is graded on each of them by
`test_attacks.py`; here is what an instructor sees.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.graded.results import SandboxReport, SubmissionResult
from autograder.sandbox import landlock
from autograder.sandbox.plan import WEAK_OPTION
from autograder.sandbox.probe import LAYERS
from helpers.statuses import Status
from tests.support import bounded, levels, vault
from tests.support.waiting import until

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="only root can change the machine"
    ),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="levels.py knows the numbers of x86-64"),
]
needs_landlock = pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")

JOBS = 2
FILES_BY = {
    "as-it-is": "landlock",
    "ordinary-user": "landlock",
    "container": "landlock",
    "old-container": "chroot",
}


@dataclass
class Graded:
    """One honest submission, graded by the command line."""

    finished: subprocess.CompletedProcess[str]
    result: SubmissionResult | None
    peak: int = 0
    """Bytes of memory that the command and its children used at most; 0 where they were not counted."""
    killed: int = 0
    """Processes that the kernel killed for want of memory."""

    @property
    def sandbox(self) -> SandboxReport:
        assert self.result is not None, self.finished.stderr
        return self.result.sandbox


def grade(root: Path, level: str, *options: str, greedy: int = 0) -> Graded:
    """Grade one honest submission at a level, two slots wide; beside it, perhaps, some greedy ones."""
    vault.write_course(root / "course")
    sources = {"ada": vault.REFERENCE} | {f"greedy-{n}": GREEDY for n in range(greedy)}
    for student, source in sources.items():
        folder = root / "class" / student
        folder.mkdir(parents=True)
        (folder / "vault.py").write_text(source)
        (folder / "toolbox.py").write_text("NOTHING = None\n")
    command = [sys.executable, "-m", "autograder", "grade", "vault", str(root / "class")]
    command += ["--course", str(root / "course"), "--output", str(root / "graded"), "--jobs", str(JOBS)]
    if level != "as-it-is":
        command = [sys.executable, levels.__file__, level, str(root), *command]
    with ExitStack() as stack:
        size = bounded.MEMORY.get(level)
        memory = stack.enter_context(bounded.Memory(root, size)) if size else None
        finished = subprocess.run(
            [*command, *options],
            text=True,
            capture_output=True,
            check=False,
            preexec_fn=memory.join if memory else None,
        )
        written = root / "graded" / "results" / "ada.json"
        result = SubmissionResult.model_validate_json(written.read_bytes()) if written.exists() else None
        return Graded(finished, result, *((memory.peak(), memory.killed()) if memory else ()))


class SideBySide:
    """Grade at several levels, two at a time; each waits only for its own."""

    def __init__(self, folder: Path, names: tuple[str, ...], *options: str) -> None:
        self._threads = ThreadPoolExecutor(2)
        self._runs = {name: self._threads.submit(grade, folder / name, name, *options) for name in names}

    def __getitem__(self, name: str) -> Graded:
        return self._runs[name].result()

    def close(self) -> None:
        """Wait for what is under way."""
        self._threads.shutdown(cancel_futures=True)


Start = Callable[..., SideBySide]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Return what grades side by side."""
    begun: list[SideBySide] = []

    def run(name: str, names: tuple[str, ...], *options: str) -> SideBySide:
        begun.append(SideBySide(tmp_path_factory.mktemp(name), names, *options))
        return begun[-1]

    yield run
    for runs in begun:
        runs.close()


# Full confinement


@pytest.fixture(scope="module")
def full(start: Start) -> SideBySide:
    return start("full", tuple(FILES_BY))


@needs_landlock
@pytest.mark.parametrize("level", FILES_BY)
def test_a_level_confines_fully_and_grades(full: SideBySide, level: str) -> None:
    run = full[level]
    assert run.finished.returncode == 0, run.finished.stderr
    assert run.sandbox.level == "full"
    off = {"uid"} if level == "ordinary-user" else set()
    assert {layer for layer in LAYERS if run.sandbox.layers[layer].startswith("proved")} == {*LAYERS} - off
    for layer in off:
        assert "not root" in run.sandbox.layers[layer]
    assert run.sandbox.layers["filesystem"].endswith(f"by {FILES_BY[level]}")
    assert run.result is not None
    assert (run.result.score, run.result.max_score) == (vault.TOTAL, vault.TOTAL)


@needs_landlock
@pytest.mark.parametrize("level", bounded.MEMORY)
def test_the_memory_of_a_small_container_is_enough(full: SideBySide, level: str) -> None:
    run = full[level]
    assert run.killed == 0
    assert 100 << 20 < run.peak <= bounded.MEMORY[level]


GREEDY = vault.REFERENCE.replace(
    "def scale(x, factor):",
    """def scale(x, factor):
    import time
    held = []
    try:
        while True:
            held.append(bytearray(4 << 20))
    except MemoryError:
        time.sleep(1)""",
)
"""Correct, but it takes all the memory that it may have, and holds it for a second."""


@pytest.mark.full
@needs_landlock
def test_greedy_neighbors_in_a_small_container_cost_nobody_anything(tmp_path: Path) -> None:
    """Two at a time were asked for; there is memory for one."""
    run = grade(tmp_path, "container", greedy=3)
    assert run.finished.returncode == 0, run.finished.stderr
    assert "Grading 1 at a time, not 2" in run.finished.stderr
    assert run.killed == 0
    assert run.result is not None
    assert run.result.score == vault.TOTAL


@pytest.mark.parametrize("groups", [True, False], ids=["bounded", "watched"])
def test_memory_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: bool) -> None:
    """Where no control group can be made, it is watched from outside."""
    if not groups:
        monkeypatch.setattr(bounded, "_GROUPS", {})
    code = "held = bytes(range(256)) * 800_000; input()"
    with bounded.Memory(tmp_path, 768 << 20) as memory:
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, stdin=subprocess.PIPE, preexec_fn=memory.join) as process:
            until(lambda: memory.peak() > 190 << 20, "the memory is seen")
            process.communicate(b"\n")
        assert process.returncode == 0
        assert 190 << 20 < memory.peak() < 300 << 20
        assert memory.killed() == 0


# Without a layer


WORDS = {
    "missing-filesystem": ("way to hide files", "Landlock"),
    "missing-seccomp": ("system-call filter", "seccomp"),
    "missing-uid": ("separate user", "CAP_SETUID"),
}


def check_refusal(run: Graded) -> str:
    """Return the one line that says why nothing was graded."""
    assert run.finished.returncode == 2
    assert run.result is None
    (line,) = run.finished.stderr.splitlines()
    assert line.startswith("error: sandbox: ")
    assert WEAK_OPTION in line
    return line


@pytest.fixture(scope="module")
def missing(start: Start) -> SideBySide:
    return start("missing", tuple(WORDS))


@pytest.mark.parametrize("level", WORDS)
def test_a_missing_layer_is_refused_and_named_with_its_mend(missing: SideBySide, level: str) -> None:
    line = check_refusal(missing[level])
    for words in WORDS[level]:
        assert words in line


@pytest.fixture(scope="module")
def idle(start: Start) -> SideBySide:
    return start("idle", tuple(f"idle-{layer}" for layer in LAYERS))


@pytest.mark.full
@needs_landlock
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_that_only_claims_to_hold_is_refused(idle: SideBySide, layer: str) -> None:
    assert f"{layer} is not proved" in check_refusal(idle[f"idle-{layer}"])


@pytest.fixture(scope="module")
def weak(start: Start) -> SideBySide:
    return start("weak", tuple(WORDS), WEAK_OPTION)


@pytest.mark.full
@pytest.mark.parametrize("level", WORDS)
def test_a_missing_layer_can_be_accepted_and_is_recorded(weak: SideBySide, level: str) -> None:
    run = weak[level]
    assert run.finished.returncode == 0, run.finished.stderr
    assert run.sandbox.level == "weak"
    layer = level.removeprefix("missing-")
    assert run.sandbox.layers[layer].startswith("off")
    assert run.result is not None
    assert {test.status for test in run.result.tests} == {Status.passed}
