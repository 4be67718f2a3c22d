"""Uids are leased to one holder at a time, and becoming one leaves nothing of root."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.sandbox import children, credentials, kernel

pytestmark = pytest.mark.skipif(not kernel.LINUX, reason="uids are leased on Linux only")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a place for lock files."""
    return tmp_path / "leases"


def test_leases_differ_until_given_back(folder: Path) -> None:
    """Two slots never share a uid; a closed lease is free again."""
    with credentials.lease_uid(folder) as first, credentials.lease_uid(folder) as second:
        assert first.uid != second.uid
        assert {first.uid, second.uid} <= set(credentials.UIDS)
        taken = first.uid
    with credentials.lease_uid(folder) as third:
        assert third.uid == taken


def test_other_processes_get_other_uids(folder: Path) -> None:
    """Two graders on one machine do not meet."""
    with credentials.lease_uid(folder) as ours:

        def task(home: children.Home) -> None:
            home.say(str(credentials.lease_uid(folder).uid))

        (theirs,) = children.ask(task).lines
        assert int(theirs) != ours.uid


def test_a_lease_ends_with_its_process(folder: Path) -> None:
    """A grader that was killed leaves nothing behind to clear away."""
    taken: list[str] = []
    for _ in range(2):
        taken += children.ask(lambda home: home.say(str(credentials.lease_uid(folder).uid))).lines
    with credentials.lease_uid(folder) as ours:
        assert ours.uid in credentials.UIDS
    assert len(taken) == 2


def test_known_users_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A uid with a name may own files."""
    somebody = pwd.getpwall()[0]
    monkeypatch.setattr(credentials, "UIDS", range(somebody.pw_uid, somebody.pw_uid + 1))
    with pytest.raises(SandboxError, match="taken"):
        credentials.lease_uid(folder)


def test_uids_in_use_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container on the same machine may run processes that no lock tells of."""
    monkeypatch.setattr(credentials, "tasks_of", lambda uid: 0 if uid == credentials.UIDS[7] else 1)
    with credentials.lease_uid(folder) as lease:
        assert lease.uid == credentials.UIDS[7]


def test_a_folder_that_others_can_write_is_refused(folder: Path) -> None:
    """Somebody who made the folder before us could hold our locks, or point them elsewhere."""
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(SandboxError, match="rm -r"):
        credentials.lease_uid(folder)


def test_a_link_in_place_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    """The same, by a symbolic link."""
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SandboxError, match="rm -r"):
        credentials.lease_uid(folder)


def test_tasks_are_counted_per_user() -> None:
    """The process of the test is at least one task of its user."""
    assert credentials.tasks_of(os.geteuid()) >= 1
    assert credentials.tasks_of(credentials.UIDS[-1] + 1) == 0


def state_after(uid: int, *, keep_search: bool) -> tuple[str, ...]:
    """Become a user in a child, and return what is left there."""

    def task(home: children.Home) -> None:
        credentials.become_user(uid, keep_search=keep_search, bounding=credentials.bounding_set())
        home.say(str({*os.getresuid(), *os.getresgid(), *os.getgroups()}))
        home.say(str(credentials.held_capabilities()))
        home.say(str(credentials.bounding_set()))
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("CapAmb"):
                home.say(line.split()[1])
        try:
            os.setresuid(0, 0, 0)
            home.say("root again")
        except PermissionError:
            home.say("for good")

    return children.ask(task).lines


@needs_root
def test_becoming_a_user_leaves_no_capability() -> None:
    """Effective, permitted, inheritable, ambient and bounding sets are empty, and root is gone for good."""
    uid = credentials.UIDS[-1]
    assert state_after(uid, keep_search=False) == (
        str({uid}),
        "(0, 0, 0)",
        "()",
        "0" * 16,
        "for good",
    )


@needs_root
@pytest.mark.skipif(
    kernel.LINUX and credentials.CAP_DAC_READ_SEARCH not in credentials.bounding_set(),
    reason="this container withholds it",
)
def test_search_is_kept_exactly() -> None:
    """One capability, which nothing can inherit."""
    uid = credentials.UIDS[-1]
    assert state_after(uid, keep_search=True) == (
        str({uid}),
        "(4, 4, 0)",
        "()",
        "0" * 16,
        "for good",
    )


@needs_root
def test_capabilities_drop_without_a_change_of_user() -> None:
    """Root without capabilities is an ordinary user as far as the kernel is concerned."""

    def task(home: children.Home) -> None:
        credentials.drop_capabilities(credentials.bounding_set())
        home.say(f"{credentials.held_capabilities()} {credentials.bounding_set()}")

    assert children.ask(task).lines == ("(0, 0, 0) ()",)


@needs_root
def test_a_closed_folder_on_the_way_is_noticed(open_folder: Path) -> None:
    """An interpreter beneath a folder of mode 0700 cannot be read by the new user."""
    shown = open_folder / "home" / "packages"
    shown.mkdir(parents=True)
    (shown / "module.py").touch()

    def seen() -> tuple[str, ...]:
        def task(home: children.Home) -> None:
            os.chdir("/")
            credentials.become_user(credentials.UIDS[-1], keep_search=False, bounding=())
            home.say(str(credentials.can_enter([str(shown), str(open_folder / "missing")])))

        return children.ask(task).lines

    assert seen() == ("True",)
    (shown / "module.py").chmod(0o600)
    assert seen() == ("False",)
    (shown / "module.py").chmod(0o644)
    (open_folder / "home").chmod(0o700)
    assert seen() == ("False",)
