"""Settings files: every mistake is named by file, key, what was found and what was expected."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from autograder import settings
from autograder.errors import ConfigError


class _Inner(settings.TomlTable):
    points: Decimal


class _Outer(settings.TomlTable):
    name: str
    inner: tuple[_Inner, ...] = ()


def _read(tmp_path: Path, text: str) -> _Outer:
    path = tmp_path / "some.toml"
    path.write_text(text)
    return settings.read(path, _Outer)


def test_numbers_stay_exact(tmp_path: Path) -> None:
    table = _read(tmp_path, 'name = "a"\n[[inner]]\npoints = 0.1\n')
    assert table.inner[0].points == Decimal("0.1")


@pytest.mark.parametrize(
    ("text", "found", "remedy"),
    [
        ("name = ", "is not valid TOML", "correct that line"),
        ("", "`name` is missing", "add it"),
        ("name = 3", "`name` is 3", "expected a valid string"),
        ('name = "a"\nnmae = "b"', "unknown key `nmae`", "spelling"),
        ('name = "a"\n[[inner]]\npoints = "x"', "`inner[1].points` is 'x'", "decimal"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, found: str, remedy: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text)
    assert caught.value.where == str(tmp_path / "some.toml")
    assert found in caught.value.found
    assert remedy in caught.value.remedy
    assert "\n" not in str(caught.value)


def test_missing_file_and_other_encodings(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        settings.read(tmp_path / "none.toml", _Outer)
    (tmp_path / "latin.toml").write_bytes('name = "é"'.encode("latin-1"))
    with pytest.raises(ConfigError, match="not UTF-8"):
        settings.read(tmp_path / "latin.toml", _Outer)
    with pytest.raises(ConfigError, match="cannot be read"):
        settings.read(tmp_path, _Outer)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "/etc"])
def test_unknown_zone(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="IANA"):
        settings.zone(tmp_path, name)
