"""A bundle of the tiny assignment, and an instructor beside a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from autograder.course import Course
from autograder.exporters.servers import bundles, find_server
from autograder.exporters.servers.interface import Contents, Files
from tests.support import tiny
from tests.support.servers import autograder_io
from tests.support.servers import made as built
from tests.support.servers.autograder_io import TOKEN
from tests.support.servers.autograder_io_class import TABLE, Instructor
from tests.support.servers.autograder_io_site import Site


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
    tiny.write_course(tmp_path)
    site = Site()
    course = site.add("Course", name="Deep Learning", semester="Fall", year=2026)
    image = yaml.safe_load(made["agproject.yml"].content)["project"]["test_suites"][0]["sandbox_docker_image"]
    site.add("SandboxDockerImage", display_name="Default", course=None)
    site.add("SandboxDockerImage", display_name=image, course=course["pk"])
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".agtoken").write_text(f"{TOKEN}\n")
    with autograder_io.serve(site) as server:
        (tmp_path / "course.toml").write_text(tiny.COURSE + TABLE.format(url=server.url))
        found = Instructor(tmp_path, site, server)
        bundles.write(made, find_server("autograder_io"), found.bundle)
        yield found
