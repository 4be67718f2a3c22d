"""Landlock really denies: tried in children that enter a ruleset and nothing else."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.sandbox import children, kernel, landlock

pytestmark = pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")


def under_rules(
    deed: Callable[[], object], readable: list[str], devices: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Do something under a ruleset, and return what the child said."""
    rules = landlock.ruleset(readable, writable_devices=devices)

    def task(home: children.Home) -> None:
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        landlock.enter(rules)
        try:
            home.say(str(deed()))
        except OSError as error:
            home.say(f"errno {error.errno}")

    try:
        return children.ask(task).lines
    finally:
        os.close(rules)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Return a folder with an open and a closed half."""
    for half in ("open", "closed"):
        (tmp_path / half).mkdir()
        (tmp_path / half / "book").write_text(half)
    (tmp_path / "open" / "way").symlink_to(tmp_path / "closed" / "book")
    return tmp_path


def test_reads_beneath_what_is_readable_only(shelf: Path) -> None:
    """A symbolic link does not carry the permission of the folder it lies in."""
    readable = [str(shelf / "open")]
    assert under_rules((shelf / "open" / "book").read_text, readable) == ("open",)
    assert under_rules(lambda: sorted(path.name for path in (shelf / "open").iterdir()), readable) == (
        "['book', 'way']",
    )
    for path in ("closed/book", "open/way", "open/../closed/book"):
        assert under_rules((shelf / path).read_text, readable) == ("errno 13",)
    assert under_rules(lambda: list(shelf.iterdir()), readable) == ("errno 13",)


@pytest.mark.parametrize(
    "deed",
    [
        lambda shelf: (shelf / "open" / "book").write_text("changed"),
        lambda shelf: (shelf / "open" / "new").touch(),
        lambda shelf: (shelf / "open" / "book").unlink(),
        lambda shelf: (shelf / "open" / "folder").mkdir(),
        lambda shelf: (shelf / "open" / "link").symlink_to("/"),
        lambda shelf: (shelf / "open" / "book").rename(shelf / "open" / "page"),
        lambda shelf: os.truncate(shelf / "open" / "book", 0),
        lambda shelf: os.execv(sys.executable, [sys.executable, "-c", ""]),
    ],
    ids=["write", "create", "delete", "mkdir", "symlink", "rename", "truncate", "execute"],
)
def test_reading_is_all(shelf: Path, deed: Callable[[Path], object]) -> None:
    """Nothing beneath a readable folder can be changed, made or run; neither can an interpreter."""
    readable = [str(shelf / "open"), str(Path(sys.executable).resolve().parent)]
    assert under_rules(lambda: deed(shelf), readable) == ("errno 13",)
    assert (shelf / "open" / "book").read_text() == "open"


def test_missing_paths_are_skipped(shelf: Path) -> None:
    """Machines differ in which library folders they have."""
    readable = [str(shelf / "missing"), str(shelf / "open" / "book" / "beneath-a-file"), str(shelf / "open")]
    assert under_rules((shelf / "open" / "book").read_text, readable) == ("open",)


def test_the_null_device_may_be_written_but_no_file(shelf: Path) -> None:
    """Discarding output is common in correct code."""
    book = str(shelf / "open" / "book")
    devices = (os.devnull, book)
    assert under_rules(lambda: Path(os.devnull).write_text("gone"), [os.devnull], devices) == ("4",)
    assert under_rules(lambda: Path(book).write_text("gone"), [book], devices) == ("errno 13",)


@pytest.mark.skipif(landlock.abi() < 4, reason="TCP needs Landlock 4")
def test_tcp_is_denied() -> None:
    """Even without the system-call filter there is no way to a server."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = server.getsockname()

        def connect() -> str:
            with socket.socket() as link:
                link.connect(address)
            return "connected"

        assert under_rules(connect, []) == ("errno 13",)
        assert under_rules(lambda: socket.socket().bind(("127.0.0.1", 0)), []) == ("errno 13",)


@pytest.mark.skipif(landlock.abi() < 6, reason="scopes need Landlock 6")
def test_abstract_sockets_and_signals_are_scoped() -> None:
    """The parent's abstract socket and the parent itself are out of reach."""
    name = f"\0coursegrad-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(name)
        server.listen()

        def connect() -> str:
            with socket.socket(socket.AF_UNIX) as link:
                link.connect(name)
            return "connected"

        assert under_rules(connect, []) == ("errno 1",)
    parent = os.getpid()
    assert under_rules(lambda: os.kill(parent, 0), []) == ("errno 1",)


@pytest.mark.parametrize(
    ("version", "rights"),
    [
        (1, (0x1FFF, 0, 0)),
        (2, (0x3FFF, 0, 0)),
        (3, (0x7FFF, 0, 0)),
        (4, (0x7FFF, 3, 0)),
        (5, (0xFFFF, 3, 0)),
        (6, (0xFFFF, 3, 3)),
        (99, (0xFFFF, 3, 3)),
    ],
)
def test_each_version_denies_all_it_can(version: int, rights: tuple[int, int, int]) -> None:
    """An older kernel refuses rights it does not know, so that they must be left out exactly."""
    assert landlock.deniable_rights(version) == rights
