"""The token is sent to autograder.io alone, as it wants it."""

from __future__ import annotations

from pathlib import Path

from autograder.exporters.servers.connection import Token
from tests.support.servers.autograder_io import TOKEN
from tests.support.servers.autograder_io_class import Instructor


def test_the_token_is_nowhere_but_in_the_header(instructor: Instructor) -> None:
    result = instructor.upload()
    assert set(instructor.site.seen) == {f"Token {TOKEN}"}
    assert TOKEN not in result.output
    assert TOKEN not in repr(Token(Path("x"), TOKEN))
    for path in instructor.bundle.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in repr(instructor.state)


def test_a_netrc_takes_nothing_in_its_place(instructor: Instructor) -> None:
    (instructor.root / ".netrc").write_text("machine 127.0.0.1\nlogin eve\npassword other\n")
    (instructor.root / ".netrc").chmod(0o600)
    assert instructor.upload().exit_code == 0
    assert set(instructor.site.seen) == {f"Token {TOKEN}"}
