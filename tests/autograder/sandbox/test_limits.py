"""Limits hold, tell themselves as ordinary errors, and cannot be raised."""

from __future__ import annotations

import mmap
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.sandbox import children, limits
from autograder.sandbox.limits import Limits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="resource limits are set on Linux only")


def limited(budget: Limits, deed: Callable[[], object], others: int | None = None) -> children.Ended:
    """Do something under limits."""

    def task(home: children.Home) -> None:
        limits.apply(budget, others=others)
        home.say(str(deed()))

    return children.ask(task)


def test_memory_counts_from_what_is_mapped() -> None:
    """The same budget leaves room for the same tensors, however large the libraries are."""
    room = 100 << 20
    size = limits.mapped_bytes()
    with mmap.mmap(-1, room, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS):
        assert room <= limits.mapped_bytes() - size <= room + (8 << 20)
        assert limited(Limits(memory_mb=64), lambda: len(bytearray(48 << 20))).lines == (str(48 << 20),)


def test_too_much_memory_is_an_ordinary_error() -> None:
    """The student reads MemoryError; the worker lives on."""
    ended = limited(Limits(memory_mb=64), lambda: len(bytearray(1 << 30)))  # no free block is as large
    assert ended.status == 1
    assert "MemoryError" in ended.lines[0]


def test_cpu_seconds_end_the_process_by_a_signal_of_their_own() -> None:
    """SIGXCPU tells this end from others; a handler for it gains one second."""

    def burn() -> None:
        while True:
            pass

    def burn_on() -> None:
        signal.signal(signal.SIGXCPU, lambda number, frame: None)
        burn()

    assert limited(Limits(cpu_seconds=1), burn).status == -signal.SIGXCPU
    assert limited(Limits(cpu_seconds=1), burn_on).status == -signal.SIGKILL


def test_no_file_grows(tmp_path: Path) -> None:
    """Even an open file takes no byte more; pipes do."""
    target = tmp_path / "file"

    def write() -> str:
        with target.open("wb", buffering=0) as file:
            file.write(b"x")
        return "written"

    assert "File too large" in limited(Limits(), write).lines[0]
    assert target.stat().st_size == 0


def test_limits_are_soft_and_hard_alike() -> None:
    """Nothing is left that a process could raise for itself."""
    kinds = ["CPU", "AS", "NOFILE", "FSIZE", "CORE", "MEMLOCK", "NPROC"]

    def look() -> list[bool]:
        found = [resource.getrlimit(getattr(resource, f"RLIMIT_{kind}")) for kind in kinds]
        return [soft <= hard <= soft + 1 != resource.RLIM_INFINITY for soft, hard in found]

    assert limited(Limits(), look, others=5).lines == (str([True] * len(kinds)),)


def test_a_lower_ceiling_of_the_machine_is_kept() -> None:
    """In a container with tighter limits, ours must not fail."""

    def twice() -> tuple[int, int]:
        limits.apply(Limits(open_files=99), others=None)
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    assert limited(Limits(open_files=20), twice).lines == ("(20, 20)",)


def test_threads_are_exact_for_a_user_of_its_own_and_wide_otherwise() -> None:
    """An ordinary user's browser counts too."""

    def ceiling() -> int:
        return resource.getrlimit(resource.RLIMIT_NPROC)[0]

    assert limited(Limits(threads=7), ceiling, others=0).lines == ("9",)
    (wide,) = limited(Limits(threads=7), ceiling, others=300).lines
    assert int(wide) > 1000


def test_shared_arenas_save_address_space() -> None:
    """Eight threads must not cost half a gigabyte."""
    script = (
        "import threading, sys; from autograder.sandbox import limits;"
        "sys.argv[1:] and limits.share_arenas(); before = limits.mapped_bytes();"
        "gate = threading.Barrier(9); threads = [threading.Thread("
        "target=lambda: (list(range(100000)), gate.wait())) for _ in range(8)];"
        "[t.start() for t in threads]; print(limits.mapped_bytes() - before >> 20); gate.wait()"
    )
    shared, apart = (
        int(subprocess.check_output([sys.executable, "-c", script, *options])) for options in (["share"], [])
    )
    assert shared < 150
    assert shared <= apart
