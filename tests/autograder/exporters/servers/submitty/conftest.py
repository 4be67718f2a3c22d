"""A bundle of the tiny assignment, and an instructor beside a server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import Result

from autograder.exporters.servers import bundles, find_server
from autograder.exporters.servers.interface import Files
from tests.support import tiny
from tests.support.servers import made
from tests.support.servers.local import Server
from tests.support.servers.submitty_site import COURSE, SEMESTER, Site, serve

IMAGE = 'image = "university/coursegrad:2026"'


@dataclass
class Instructor:
    """An instructor with a course, a bundle of its assignment and a token, beside a server."""

    root: Path
    site: Site
    server: Server[Site]

    def say(self, *lines: str) -> None:
        """Write what ``course.toml`` says about Submitty, besides the image."""
        table = "\n".join(["[servers.submitty]", IMAGE, *lines])
        (self.root / "course.toml").write_text(f"{tiny.COURSE}\n{table}\n")

    @property
    def place(self) -> list[str]:
        """The lines that say where the course is."""
        return [f'url = "{self.server.url}"', f'semester = "{SEMESTER}"', f'course = "{COURSE}"']

    @property
    def config(self) -> Path:
        return self.root / "dist" / "tiny-submitty" / "config.zip"

    @property
    def token(self) -> Path:
        return self.root / ".submitty_token"

    def upload(self, *words: object) -> Result:
        return made.run("upload", "tiny", "submitty", *words, "--course", self.root)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return the files of a bundle, whose course does not say where on Submitty it is."""
    course = made.write_course(tmp_path_factory.mktemp("submitty"), "submitty", IMAGE)
    return made.pack(course, "submitty", planned=True)


@pytest.fixture
def instructor(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instructor]:
    """Return an instructor who has made a bundle, and a token."""
    tiny.write_course(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    site = Site()
    with serve(site) as server:
        found = Instructor(tmp_path, site, server)
        found.say(*found.place)
        found.token.write_text(f"{site.issue_token('ada')}\n")
        bundles.write(files, find_server("submitty"), tmp_path / "dist" / "tiny-submitty")
        yield found
