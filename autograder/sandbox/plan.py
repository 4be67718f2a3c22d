"""The plan: which layers confine workers on this machine, decided once and carried to every zygote."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

from autograder.errors import SandboxError
from autograder.sandbox import children, credentials, kernel, landlock, seccomp, syscalls

Filesystem = Literal["landlock", "chroot", "none"]

WEAK_OPTION: Final = "--allow-weak-sandbox"
_ACCEPT: Final = f"or pass {WEAK_OPTION} to grade anyway (student code may then reach more than its own task)"
REMEDY: Final = f"grade in a Linux container as root, {_ACCEPT}"

_LIBRARIES: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
_SYSTEM_FILES: Final = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/null",
    "/dev/zero",
    "/dev/random",
    "/dev/urandom",
)
WRITABLE_DEVICES: Final = ("/dev/null",)


@dataclass(frozen=True)
class SandboxPlan:
    """The layers of confinement to use. Resource limits and ``no_new_privs`` always are, on Linux."""

    filesystem: Filesystem
    """What hides the files: Landlock, an empty root folder, or nothing."""
    seccomp: bool
    dedicated_uids: bool
    """Each worker slot runs as a user of its own, see `credentials`."""
    keep_search: bool
    """Workers keep CAP_DAC_READ_SEARCH, see `credentials`; with Landlock only."""
    readable: tuple[str, ...]
    """What Landlock lets workers read: libraries and packages, never the course."""
    root: bool
    """The grader is root."""
    linux: bool = kernel.LINUX

    def __post_init__(self) -> None:
        """Refuse the one combination that would open every file."""
        if self.keep_search and not (self.filesystem == "landlock" and self.dedicated_uids):
            raise ValueError("CAP_DAC_READ_SEARCH may be kept together with Landlock and a uid only")

    def to_plain(self) -> dict[str, Any]:
        """Return the plan as dicts, lists, strings and booleans."""
        return {**asdict(self), "readable": list(self.readable)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Make the plan again from what `to_plain` returned."""
        return cls(**{**plain, "readable": tuple(plain["readable"])})

    def check_hidden(self, paths: Iterable[Path | str]) -> None:
        """Check that no worker could read some files or folders.

        Says nothing where no layer hides files at all: that is what `probe.require` refuses.

        Raises
        ------
        SandboxError
            One lies beneath a readable path.
        """
        if self.filesystem != "landlock":
            return
        open_places = {Path(place).resolve() for place in self.readable}
        for path in map(Path, paths):
            place = path.resolve()
            for shown in {place, *place.parents} & open_places:
                raise SandboxError(
                    str(path), f"lies beneath {shown}, which student code can read", "move it away"
                )


NO_PLAN: Final = SandboxPlan("none", False, False, False, (), root=False, linux=False)
"""All there is where the system is not Linux: a process of its own."""


def choose_plan(
    *, weak: bool, dedicated_uids: bool | None = None, filesystem: Filesystem | None = None
) -> SandboxPlan:
    """Choose the strongest layers that this machine has.

    Parameters
    ----------
    weak : bool
        Whether the instructor accepts that a layer is missing.
    dedicated_uids : bool, optional
        Give each slot a user of its own. By default wherever the grader may switch users.
    filesystem : {"landlock", "chroot", "none"}, optional
        How to hide files. By default Landlock, else chroot as root.

    Raises
    ------
    SandboxError
        A layer is missing and `weak` is false, or one that was asked for cannot be had.
    """
    plan = _strongest(weak, dedicated_uids, filesystem) if kernel.LINUX else NO_PLAN
    missing = missing_layers(plan)
    if missing and not weak:
        found = f"this machine offers no {' and no '.join(missing)}"
        raise SandboxError("sandbox", found, ", ".join([*missing.values(), _ACCEPT]))
    return plan


def _strongest(weak: bool, dedicated_uids: bool | None, filesystem: Filesystem | None) -> SandboxPlan:
    """Find out what this machine has, as far as the caller leaves it open."""
    root = os.geteuid() == 0
    if dedicated_uids and not _works(_switch_user):
        raise SandboxError(
            "sandbox", "this process cannot switch users", "run as root, or without dedicated uids"
        )
    uids = root and _works(_switch_user) if dedicated_uids is None else dedicated_uids
    files: Filesystem = next(kind for kind in ("landlock", "chroot", "none") if _has[kind]())
    if filesystem is not None:
        if not _has[filesystem]():
            raise SandboxError("sandbox", f"this machine or user has no {filesystem}", "let the kit choose")
        files = filesystem
    readable = readable_paths() if files == "landlock" else ()
    search = uids and files == "landlock" and not _works(lambda: _enter_all(readable))
    if search and not _works(_keep_search):  # Docker withholds the capability unless asked for it
        if dedicated_uids or not weak:
            raise SandboxError(
                sys.base_prefix,
                "Python or its packages are in a folder that only root can enter",
                f"install them where every user can read, or pass {WEAK_OPTION}",
            )
        uids = search = False
    return SandboxPlan(files, _works(_filter_calls), uids, search, readable, root)


def missing_layers(plan: SandboxPlan) -> dict[str, str]:
    """Name the layers that a plan does without, in words, with the remedy for each."""
    if not plan.linux:
        return {
            "confinement of student code at all (it is not Linux)": "grade in a Linux container as root",
        }
    layers = [
        (
            plan.filesystem == "none",
            "way to hide files (Landlock, or chroot as root)",
            "use a kernel with Landlock (5.13 or newer), or grade as root with CAP_SYS_CHROOT",
        ),
        (
            not plan.seccomp,
            "system-call filter (seccomp on x86_64 or aarch64)",
            "use a kernel, and a container profile, that permit seccomp filters",
        ),
        (
            plan.root and not plan.dedicated_uids,
            "separate user for student code (it would run as root)",
            "let root switch users (CAP_SETUID and CAP_SETGID), or grade as an ordinary user",
        ),
    ]
    return {words: remedy for missing, words, remedy in layers if missing}


def readable_paths() -> tuple[str, ...]:
    """Return what a worker must be able to read so that imports work: libraries, packages, a few devices.

    Of ``sys.path`` only the standard library and folders of installed packages count: the current folder,
    the course and the sources of packages installed as editable may lie there too.
    """
    standard = {sysconfig.get_path("stdlib")}
    for prefix in {sys.base_prefix, sys.base_exec_prefix}:
        standard |= {f"{prefix}/lib", f"{prefix}/lib64"}
    packages = {entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")}
    found = {Path(place).resolve() for place in standard | packages | set(_LIBRARIES)}
    folders = [place for place in found if not found & set(place.parents)]
    return (*sorted(map(str, folders)), *_SYSTEM_FILES)


def _works(deed: Callable[[], object]) -> bool:
    """Tell whether a deed succeeds, in a child that may come to harm."""

    def task(home: children.Home) -> None:
        deed()
        home.say("it works")

    return children.ask(task).lines == ("it works",)


def _filter_calls() -> None:
    machine = syscalls.architecture()
    if machine is None:
        raise NotImplementedError
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(seccomp.build(machine).for_process(os.getpid()))


def _switch_user() -> None:
    credentials.become_user(credentials.UIDS[-1], keep_search=False, bounding=credentials.bounding_set())


def _keep_search() -> None:
    credentials.become_user(credentials.UIDS[-1], keep_search=True, bounding=credentials.bounding_set())


def _enter_all(places: Iterable[str]) -> None:
    _switch_user()
    if not credentials.can_enter(places):
        raise PermissionError


_has: Final[dict[Filesystem, Callable[[], bool]]] = {
    "landlock": lambda: landlock.abi() >= 1,
    "chroot": lambda: _works(lambda: os.chroot("/")),
    "none": lambda: True,
}
