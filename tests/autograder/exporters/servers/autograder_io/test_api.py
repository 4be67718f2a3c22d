"""The token is found as autograder-cli finds it, and sent to the server alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.exporters.servers.autograder_io.api import Token, find_token
from tests.support.servers.autograder_io import TOKEN
from tests.support.servers.autograder_io_class import Instructor


def test_a_token_is_found_as_autograder_cli_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder_cli.utils import get_api_token

    home, deep = tmp_path / "home", tmp_path / "home" / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(deep)
    for folder in (home, home / "a", deep):
        (folder / ".agtoken").write_text(f"token-of-{folder.name}\n")
        assert find_token().secret == get_api_token(".agtoken") == f"token-of-{folder.name}"
    (tmp_path / "other").write_text("token-elsewhere")
    assert find_token(str(tmp_path / "other")).secret == "token-elsewhere"
    (tmp_path / ".agtoken").write_text("token-of-nobody")
    monkeypatch.chdir(tmp_path)
    assert find_token().secret == "token-of-home", "above the home folder there may be anybody's files"


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
