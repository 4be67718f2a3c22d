"""There are as many slots as there is memory for, whatever the kind of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.sandbox import kernel, memory
from autograder.sandbox.memory import SLOT_MB, free_bytes, slots_that_fit

MEBIBYTE = 1 << 20


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files that look like those of the kernel."""
    for name, text in {
        "proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 4194304 kB\nPages: 3\n",
        **files,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_without_groups_the_machine_is_the_limit(tmp_path: Path) -> None:
    assert free_bytes(write(tmp_path, {})) == 4 << 30


def test_where_nothing_tells_nothing_is_held_back(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) is None
    assert slots_that_fit(9, 512, tmp_path) == 9


def test_the_second_version_of_groups(tmp_path: Path) -> None:
    """A group without a limit says ``max``; one above may have one; the cache of files gives way."""
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/outer/inner\n",
            "sys/fs/cgroup/outer/inner/memory.max": "max\n",
            "sys/fs/cgroup/outer/inner/memory.current": "7\n",
            "sys/fs/cgroup/outer/memory.max": f"{1 << 30}\n",
            "sys/fs/cgroup/outer/memory.current": f"{600 << 20}\n",
            "sys/fs/cgroup/outer/memory.stat": f"anon 5\nactive_file {60 << 20}\ninactive_file {40 << 20}\n",
        },
    )
    assert free_bytes(root) == (1024 - 500) * MEBIBYTE


def test_the_first_version_of_groups_as_seen_in_a_container(tmp_path: Path) -> None:
    """The path is the machine's, the files are those of the container."""
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "9:cpu,cpuacct:/\n7:memory:/docker/0123\n1:name=systemd:/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{768 << 20}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{300 << 20}\n",
            "sys/fs/cgroup/memory/memory.stat": f"total_active_file {100 << 20}\ntotal_inactive_file 0\n",
        },
    )
    assert free_bytes(root) == (768 - 200) * MEBIBYTE


@pytest.mark.parametrize(
    ("free_mb", "slots"),
    [(0, 1), (SLOT_MB, 1), (2 * (SLOT_MB + 512) - 1, 1), (2 * (SLOT_MB + 512), 2), (9999999, 4)],
)
def test_slots_share_what_is_free(monkeypatch: pytest.MonkeyPatch, free_mb: int, slots: int) -> None:
    monkeypatch.setattr(memory, "free_bytes", lambda root: free_mb * MEBIBYTE)
    assert slots_that_fit(4, 512) == slots


@pytest.mark.skipif(not kernel.LINUX, reason="these files are Linux's")
def test_this_machine_tells() -> None:
    free = free_bytes()
    assert free is not None
    assert free > 0
