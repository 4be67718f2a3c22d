"""What the kernel says about the engine's processes: their roles, zombies, descriptors, memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FAMILIES: Final = {
    "engine.host": ("fork server", "host", "grading child"),
    "engine.zygote": ("fork server", "zygote", "worker"),
}
"""What the command line of a command's children says, and the roles of the generations from there."""

ROLES: Final = ("command", "fork server", "host", "grading child", "zygote", "worker")


@dataclass(frozen=True)
class Census:
    """Sums over fork servers, grader hosts, zygotes and what is below them.

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


@dataclass(frozen=True)
class _ProcessStat:
    """What `/proc` says of one process."""

    pid: int
    parent: int
    zombie: bool
    line: str


def by_role(command: int) -> dict[str, list[int]]:
    """Return the living processes of a command that grades, by role.

    Parameters
    ----------
    command : int
        Process id of the command, or of whoever entered a pool.
    """
    found: dict[str, list[int]] = {role: [] for role in ROLES}
    table = _processes()
    found["command"] = [process.pid for process in table if process.pid == command and not process.zombie]
    for words, roles in _FAMILIES.items():
        parents = {command}
        for role in roles:
            members = [p for p in table if p.parent in parents and words in p.line and not p.zombie]
            parents = {member.pid for member in members}
            found[role] += parents
    return found


def census(command: int) -> Census:
    """Count the engine's processes of a command, their zombie children included."""
    living = [pid for role, pids in by_role(command).items() if role != "command" for pid in pids]
    return Census(
        processes=len(living),
        zombies=sum(process.zombie and process.parent in living for process in _processes()),
        descriptors=sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in living),
        private_mb=sum(_memory_kb(pid, "RssAnon:") for pid in living) / 1024,
    )


def peaks(command: int) -> dict[str, float]:
    """Return resident megabytes of a command, of its grader host, and of the largest process below that."""
    roles = by_role(command)
    return {
        "command": _largest(roles["command"]),
        "host": _largest(roles["host"]),
        "largest below": _largest(roles["grading child"] + roles["zygote"] + roles["worker"]),
    }


def _largest(pids: Iterable[int]) -> float:
    return max((_memory_kb(pid, "VmRSS:") for pid in pids), default=0) / 1024


def _processes() -> list[_ProcessStat]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        found.append(_ProcessStat(int(entry.name), int(fields[1]), fields[0] == "Z", line))
    return found


def _memory_kb(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)
