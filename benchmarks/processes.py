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
        private_mb=sum(_memory_kb(pid, "RssAnon:") for pid in living) / 1024,
    )


def peaks(command: int) -> dict[str, float]:
    """Return resident megabytes of a command, of its grader host, and of the largest process below that."""
    table = dict(_processes())
    hosts = {pid for pid, fields in table.items() if int(fields[1]) == command}
    below = [pid for pid, fields in table.items() if int(fields[3]) in hosts and pid not in hosts]
    return {
        "command": _memory_kb(command, "VmRSS:") / 1024,
        "host": max((_memory_kb(pid, "VmRSS:") for pid in hosts), default=0) / 1024,
        "largest below": max((_memory_kb(pid, "VmRSS:") for pid in below), default=0) / 1024,
    }


def _processes() -> list[tuple[int, list[str]]]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found.append((int(entry.name), fields))
    return found


def _memory_kb(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)
