"""The plan is the strongest that the machine offers, travels whole, and never shows the course."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.sandbox import children, credentials, kernel, landlock, plan
from autograder.sandbox.plan import NO_PLAN, SandboxPlan, choose_plan

on_linux = pytest.mark.skipif(not kernel.LINUX, reason="plans differ on Linux only")


@on_linux
def test_the_strongest_layers_are_chosen() -> None:
    """Landlock before chroot, and users of their own wherever they can be had."""
    chosen = choose_plan(weak=True)
    assert chosen.root == (os.geteuid() == 0)
    assert chosen.filesystem == ("landlock" if landlock.abi() else chosen.filesystem)
    assert chosen.dedicated_uids == chosen.root


def test_it_survives_the_journey_to_the_zygote() -> None:
    """Plain data and back, through JSON."""
    for chosen in (choose_plan(weak=True), NO_PLAN):
        assert SandboxPlan.from_plain(json.loads(json.dumps(chosen.to_plain()))) == chosen


def test_search_needs_landlock_and_a_uid() -> None:
    """The capability alone would open every file on the machine."""
    landlocked = SandboxPlan("landlock", True, True, True, (), True)
    for change in ({"filesystem": "chroot"}, {"filesystem": "none"}, {"dedicated_uids": False}):
        with pytest.raises(ValueError, match="CAP_DAC_READ_SEARCH"):
            replace(landlocked, **change)


def test_another_system_has_no_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere a process of its own is all there is, which is said and must be accepted."""
    monkeypatch.setattr(kernel, "LINUX", False)
    assert choose_plan(weak=True) == NO_PLAN
    with pytest.raises(SandboxError, match=r"not Linux.*--allow-weak-sandbox"):
        choose_plan(weak=False)


@on_linux
@pytest.mark.parametrize("given", [{"filesystem": "none"}, {"filesystem": "none", "dedicated_uids": False}])
def test_a_missing_layer_must_be_accepted(given: dict[str, object]) -> None:
    """Asking for less is weak mode too."""
    with pytest.raises(SandboxError, match=r"no way to hide files.*--allow-weak-sandbox"):
        choose_plan(weak=False, **given)  # type: ignore[arg-type]
    assert choose_plan(weak=True, **given).filesystem == "none"  # type: ignore[arg-type]


@on_linux
def test_without_landlock_root_uses_chroot(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary user has nothing to hide files with then."""
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    if os.geteuid() == 0:
        chosen = choose_plan(weak=False)
        assert (chosen.filesystem, chosen.keep_search, chosen.readable) == ("chroot", False, ())
    else:
        assert choose_plan(weak=True).filesystem == "none"
    with pytest.raises(SandboxError, match="no landlock"):
        choose_plan(weak=True, filesystem="landlock")


@on_linux
def test_a_kernel_without_filters_is_weak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether there are filters is found out by installing one."""

    def refuse(program: bytes) -> None:
        raise OSError(38, "no such system call")

    monkeypatch.setattr("autograder.sandbox.seccomp.install", refuse)
    assert not choose_plan(weak=True).seccomp
    with pytest.raises(SandboxError, match="no system-call filter"):
        choose_plan(weak=False)


@on_linux
def test_an_ordinary_user_cannot_ask_for_users() -> None:
    """A wish that cannot be granted is an error, not a weaker plan."""

    def task(home: children.Home) -> None:
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)
        for wish in ({"dedicated_uids": True}, {"filesystem": "chroot"}):
            try:
                choose_plan(weak=True, **wish)  # type: ignore[arg-type]
            except SandboxError as error:
                home.say(error.found)

    assert children.ask(task).lines == (
        "this process cannot switch users",
        "this machine or user has no chroot",
    )


@on_linux
def test_a_closed_python_needs_a_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker withholds it, which is said with its remedy; weak mode then goes without users of their own."""
    if os.geteuid() != 0 or not landlock.abi():
        pytest.skip("only root with Landlock can need it")
    become = credentials.become_user

    def in_docker(uid: int, *, keep_search: bool, bounding: tuple[int, ...]) -> None:
        become(uid, keep_search=False, bounding=bounding)
        if keep_search:
            raise PermissionError(1, "not held")

    monkeypatch.setattr(credentials, "become_user", in_docker)
    monkeypatch.setattr(credentials, "can_enter", lambda paths: False)
    with pytest.raises(SandboxError, match="install them where every user can read"):
        choose_plan(weak=False)
    with pytest.raises(SandboxError, match="install them where every user can read"):
        choose_plan(weak=True, dedicated_uids=True)
    chosen = choose_plan(weak=True)
    assert (chosen.dedicated_uids, chosen.keep_search) == (False, False)


@on_linux
def test_root_without_users_is_weak() -> None:
    """Student code as root is not what full confinement means."""
    if os.geteuid() != 0:
        pytest.skip("only root can go without")
    with pytest.raises(SandboxError, match="would run as root"):
        choose_plan(weak=False, dedicated_uids=False)


@on_linux
def test_readable_paths_are_libraries_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The working folder, the course and editable sources lie on the import path, but are not shown."""
    installed = tmp_path / "lib" / "site-packages"
    installed.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), str(installed), *sys.path])
    readable = plan.readable_paths()
    assert str(installed) in readable
    shown = {Path(place) for place in readable}
    assert not shown & {Path.cwd(), tmp_path}
    assert not shown & {Path(place) for place in ("/", "/proc", "/tmp", "/dev", "/etc", "/home", "/root")}
    for module in (os.__file__, pytest.__file__):
        assert set(Path(module).resolve().parents) & shown


def test_what_lies_beneath_a_readable_path_is_not_hidden(tmp_path: Path) -> None:
    """A suite beneath the packages, even by way of a symbolic link, must stop the grader."""
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (tmp_path / "link").symlink_to(packages)
    hidden = tmp_path / "course" / "suites"
    chosen = SandboxPlan("landlock", True, False, False, (str(packages),), False)
    chosen.check_hidden([hidden, tmp_path, tmp_path / "site-packages-too"])
    for shown in (packages, packages / "suites" / "test_hidden.py", tmp_path / "link" / "secret"):
        with pytest.raises(SandboxError, match="student code can read"):
            chosen.check_hidden([hidden, shown])
