"""A token is found where `autograder-cli` finds it, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.exporters.servers.connection import find_token


def find(name: str) -> str:
    return find_token(name, "autograder.io", "ask for one").secret


def test_a_token_is_found_as_autograder_cli_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder_cli.utils import get_api_token

    home, deep = tmp_path / "home", tmp_path / "home" / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(deep)
    for folder in (home, home / "a", deep):
        (folder / ".agtoken").write_text(f"token-of-{folder.name}\n")
        assert find(".agtoken") == get_api_token(".agtoken") == f"token-of-{folder.name}"
    (tmp_path / "other").write_text("token-elsewhere")
    assert find(str(tmp_path / "other")) == "token-elsewhere"
    (tmp_path / ".agtoken").write_text("token-of-nobody")
    monkeypatch.chdir(tmp_path)
    assert find(".agtoken") == "token-of-home", "above the home folder there may be anybody's files"
