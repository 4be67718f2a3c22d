"""An instructor of a tiny course who has a bundle of its assignment, and a server that takes it."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from autograder.commands.main import app
from autograder.exporters.servers import bundles, find_server
from autograder.exporters.servers.interface import Files
from tests.support import tiny
from tests.support.servers.autograder_io import TOKEN, serve
from tests.support.servers.autograder_io_site import Site
from tests.support.servers.local import Server
from tests.support.servers.made import refusal

TABLE = """
[servers.autograder_io]
course = "Deep Learning"
semester = "Fall"
year = 2026
url = "{url}"
"""
CASES = {
    "1 Double a tensor": 24,
    "1 Double a tensor: hidden checks": 36,
    "2 Keep a table": 20,
    "2 Keep a table: hidden checks": 20,
}
"""Of the tiny assignment, and what they are worth at ten points for one."""
NUMBERS = {"pk", "course", "project", "ag_test_suite", "ag_test_case"}
"""Keys of the API whose values number objects."""


@dataclass
class Instructor:
    """An instructor with a course, a bundle of its assignment and a token, beside a server."""

    root: Path
    site: Site
    server: Server[Site]

    def run(self, *words: object) -> Result:
        """Run the command line in the course."""
        return CliRunner().invoke(app, [*map(str, words), "--course", str(self.root)])

    def upload(self) -> Result:
        return self.run("upload", "tiny", "autograder_io")

    def fetch(self) -> Result:
        return self.run("fetch", "tiny", "autograder_io")

    @property
    def bundle(self) -> Path:
        return self.root / "dist" / "tiny-autograder_io"

    @property
    def suite(self) -> dict[str, Any]:
        (found,) = self.site.all("AGTestSuite")
        return found

    @property
    def state(self) -> dict[str, Any]:
        """What there is on the server, its objects numbered from zero, for comparison."""
        places: dict[int, int] = {}
        for found in self.site.objects.values():
            for pk in found:
                places[pk] = len(places)

        def renumber(value: Any) -> Any:
            if isinstance(value, dict):
                return {
                    key: places.get(one, one) if key in NUMBERS else renumber(one)
                    for key, one in value.items()
                }
            return [renumber(one) for one in value] if isinstance(value, list) else value

        return {kind: [renumber(one) for one in of.values()] for kind, of in self.site.objects.items()}


@contextlib.contextmanager
def teach(root: Path, made: Files, monkeypatch: pytest.MonkeyPatch) -> Iterator[Instructor]:
    """Yield an instructor who has made a bundle in a folder, and whose course and image are on a server."""
    tiny.write_course(root)
    site = Site()
    course = site.add("Course", name="Deep Learning", semester="Fall", year=2026)
    image = yaml.safe_load(made["agproject.yml"].content)["project"]["test_suites"][0]["sandbox_docker_image"]
    site.add("SandboxDockerImage", display_name="Default", course=None)
    site.add("SandboxDockerImage", display_name=image, course=course["pk"])
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.chdir(root)
    (root / ".agtoken").write_text(f"{TOKEN}\n")
    with serve(site) as server:
        (root / "course.toml").write_text(tiny.COURSE + TABLE.format(url=server.url))
        found = Instructor(root, site, server)
        bundles.write(made, find_server("autograder_io"), found.bundle)
        yield found


def is_refused(result: Result, *said: str) -> bool:
    """Check that a command ended with one line, status 2 and no trace of the token; say yes."""
    assert "; " in refusal(result, *said, without=TOKEN)
    return True


def members(made: Files) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(made["coursegrad.tar"].content)) as archive:
        found = {one.name: archive.extractfile(one) for one in archive.getmembers()}
        return {name: file.read() for name, file in found.items() if file is not None}


def replace_in_tar(path: Path, change: Callable[[bytes], bytes], name: str = "bundle/manifest.json") -> None:
    found = {}
    with tarfile.open(path) as archive:
        for one in archive.getmembers():
            file = archive.extractfile(one)
            if file is not None:  # no folder
                found[one.name] = file.read()
    found[name] = change(found[name])
    with tarfile.open(path, "w") as archive:
        for member, content in found.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
