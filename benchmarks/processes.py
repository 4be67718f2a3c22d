"""What the kernel says about the engine's processes: zombies, descriptors, memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Census:
    """Sums over the grader host and its zygotes.

    Attributes
    ----------
    processes, zombies, descriptors : int
        How many there are.
    private_mb : float
        Anonymous memory, which a leak would grow.
    """

    processes: int
    zombies: int
    descriptors: int
    private_mb: float


def census(leader: int) -> Census:
    """Count the processes of the session that `leader` leads, their zombie children included."""
    members = [pid for pid, fields in _processes() if int(fields[3]) == leader]
    zombies = [pid for pid, fields in _processes() if fields[0] == "Z" and int(fields[1]) in members]
    living = [pid for pid in members if pid not in zombies]
    return Census(
        processes=len(living),
        zombies=len(zombies),
        descriptors=sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in living),
        private_mb=sum(_anonymous_kb(pid) for pid in living) / 1024,
    )


def _processes() -> list[tuple[int, list[str]]]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found.append((int(entry.name), fields))
    return found


def _anonymous_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    return 0
