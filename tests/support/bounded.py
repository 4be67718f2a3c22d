"""Run a command with as much memory as a small container has, and see how much it takes."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

from tests.support.waiting import until

MEMORY = {"container": 768 << 20, "old-container": 1280 << 20}
"""What the containers of `levels.py` may use, in bytes; without Landlock a zygote holds more in memory."""

_GROUPS = {
    Path("/sys/fs/cgroup/memory"): (
        "memory.limit_in_bytes",
        "memory.max_usage_in_bytes",
        "memory.oom_control",
    ),
    Path("/sys/fs/cgroup"): ("memory.max", "memory.peak", "memory.events"),
}
"""Where groups for memory are, in the first and in the second version of control groups, and their files."""
_PAUSE = 0.1


class Memory:
    """The memory of a command and all that it starts: bounded by a control group, else only watched.

    Parameters
    ----------
    folder : Path
        A folder of the command's own.
    size : int
        Bytes it may use.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._size = folder, size
        self.bounded = False
        self._watched = 0
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._sample)

    def __enter__(self) -> Memory:
        for parent, names in _GROUPS.items():
            self._group = parent / f"coursegrad-{os.getpid()}-{self._folder.name}"
            self._limit, self._peak, self._events = (self._group / name for name in names)
            with contextlib.suppress(OSError):
                self._group.mkdir()
                with contextlib.suppress(OSError):
                    with self._limit.open("r+") as file:  # never makes it, where this is no control group
                        file.write(str(self._size))
                    self.bounded = True
                    return self
                self._group.rmdir()
        self._watch.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bounded:
            until(self._remove, "every process of the command has ended")
        else:
            self._done.set()
            self._watch.join()

    def join(self) -> None:
        """Make this process and its children count; called in the command's process."""
        place = self._group / "cgroup.procs" if self.bounded else self._folder / "watched"
        place.write_text(str(os.getpid()))

    def peak(self) -> int:
        """Return the most that was used at a time, in bytes; a group counts the cache of files, too."""
        return int(self._peak.read_text()) if self.bounded else self._watched

    def killed(self) -> int:
        """Return how many processes the kernel killed for want of memory."""
        if not self.bounded:
            return 0
        rows = (row.split() for row in self._events.read_text().splitlines())
        return next(int(row[1]) for row in rows if row[0] == "oom_kill")

    def _remove(self) -> bool:
        """Remove the group, unless a process is still in it; return whether it is gone."""
        with contextlib.suppress(OSError):
            self._group.rmdir()
        return not self._group.exists()

    def _sample(self) -> None:
        while not self._done.wait(_PAUSE):
            with contextlib.suppress(OSError, ValueError):  # it has not begun, or is gone
                first = int((self._folder / "watched").read_text())
                self._watched = max(self._watched, sum(map(_proportional, _tree(first))))


def _tree(first: int) -> set[int]:
    """Return a process and all its descendants."""
    found, new = set(), {first}
    while new:
        found |= new
        lists = (path for pid in new for path in Path(f"/proc/{pid}/task").glob("*/children"))
        new = {int(pid) for path in lists for pid in _read(path).split()} - found
    return found


def _proportional(pid: int) -> int:
    """Return the memory of a process, in bytes; what several share is divided among them."""
    rows = (row.split() for row in _read(Path(f"/proc/{pid}/smaps_rollup")).splitlines())
    return sum(int(row[1]) << 10 for row in rows if row[0] == "Pss:")


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
