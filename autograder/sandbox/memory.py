"""The number of submissions for which the machine, or the container, has memory.

Where it runs out, the kernel kills some worker, which need not be the one that took too much: another
submission would lose points. So there are only as many slots as can all use up their limits at a time. psutil
tells the memory of the machine only, and a container has less.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from autograder.sandbox.limits import MEBIBYTE

SLOT_MB: Final = 400
"""Mebibytes that a slot needs beside what a test may use: zygote, next worker and grading child, measured."""

_KIBIBYTE: Final = 1 << 10
_VERSIONS: Final = {
    "": ("", "memory.max", "memory.current", ""),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"),
}
"""Of both versions of control groups: folder, files of limit and use, and the prefix in the statistics.

The key is what ``/proc/self/cgroup`` names between its colons: nothing in version 2, which has one group for
all resources, the resource in version 1. See cgroups(7).
"""


def slots_that_fit(wanted: int, memory_mb: int, root: Path = Path("/")) -> int:
    """Return how many slots there is memory for, at least one and at most those that are wanted.

    Parameters
    ----------
    wanted : int
        Slots to have.
    memory_mb : int
        Mebibytes that a test may use: its worker's limit, and what the grader needs to read an answer.
    root : Path
        Where ``proc`` and ``sys`` are.
    """
    free = free_bytes(root)
    return wanted if free is None else max(1, min(wanted, free // ((SLOT_MB + memory_mb) * MEBIBYTE)))


def free_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that this process and its children may still take, None where nothing tells."""
    found = [*_of_machine(root / "proc/meminfo"), *_of_groups(root)]
    return max(0, min(found)) if found else None


def _of_machine(path: Path) -> Iterator[int]:
    """Yield what the kernel thinks can be taken without swapping, a line such as ``MemAvailable: 123 kB``."""
    for name, size, *_ in map(str.split, _read(path).splitlines()):
        if name == "MemAvailable:":
            yield int(size) * _KIBIBYTE  # proc_meminfo(5) says kB and means it


def _of_groups(root: Path) -> Iterator[int]:
    """Yield what each control group around this process leaves; the cache of files gives way."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        # Such as 0::/user.slice or 7:memory:/docker/0123; the path may hold colons too.
        _, controllers, path = line.split(":", maxsplit=2)
        kind = "memory" if "memory" in controllers.split(",") else controllers
        if kind not in _VERSIONS:
            continue
        folder, limit, use, prefix = _VERSIONS[kind]
        # In a container the path may be the machine's, while the files are those of the container.
        for group in (Path(path), *Path(path).parents):
            place = root / "sys/fs/cgroup" / folder / str(group).strip("/")
            most, used = _read(place / limit).strip(), _read(place / use).strip()
            if most.isdigit() and used.isdigit():
                rows = (row.split() for row in _read(place / "memory.stat").splitlines())
                stat = {row[0]: int(row[1]) for row in rows}
                cache = sum(stat.get(f"{prefix}{kind}_file", 0) for kind in ("active", "inactive"))
                yield int(most) - int(used) + cache


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
