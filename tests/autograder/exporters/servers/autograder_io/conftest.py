"""A bundle of the tiny assignment, and an instructor beside a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.exporters.servers import find_server
from autograder.exporters.servers.interface import Contents, Files
from tests.support import tiny
from tests.support.servers import made as built
from tests.support.servers.autograder_io_class import TABLE, Instructor, teach


@pytest.fixture(scope="session")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """Return what a bundle of the tiny assignment holds."""
    root = tmp_path_factory.mktemp("io")
    tiny.write_course(root)
    (root / "course.toml").write_text(tiny.COURSE + TABLE.format(url="https://autograder.io"))
    return built.gather(Course.load(root), "autograder.io", planned=True)


@pytest.fixture(scope="session")
def made(contents: Contents) -> Files:
    """Return the files of the bundle."""
    return find_server("autograder_io").pack(contents)


@pytest.fixture
def instructor(made: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instructor]:
    """Return an instructor who has made a bundle, and its course and image on autograder.io."""
    with teach(tmp_path, made, monkeypatch) as found:
        yield found
