"""The guide for autograder.io: every command in it runs, and what it says is so."""

from __future__ import annotations

import csv
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from autograder.course import Course
from autograder.exporters.servers import bundles, find_server
from autograder.exporters.servers.interface import Files
from tests.support import tiny
from tests.support.command import run_command
from tests.support.servers import autograder_io, guides
from tests.support.servers.autograder_io import TOKEN
from tests.support.servers.autograder_io_grading import grade
from tests.support.servers.autograder_io_site import Site

ROOT = Path(__file__).parents[5]
GUIDE = (ROOT / "docs/servers/autograder_io.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL)
    for line in block.splitlines()
]
TABLE = re.search(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
MAKE = "make upload ASSIGNMENT=knn TARGET=autograder_io"


def write_course(root: Path, url: str) -> Course:
    """Write the tiny course with its assignment called as in the guide, and the guide's table."""
    tiny.write_course(root)
    for folder in ("solutions", "autograder/suites"):
        (root / folder / "tiny").rename(root / folder / "knn")
    file = root / "solutions" / "knn" / "assignment.toml"
    file.write_text(file.read_text().replace('"tiny"', '"knn"'))
    assert TABLE is not None
    (root / "course.toml").write_text(f'{tiny.COURSE}{TABLE[1]}url = "{url}"\n')
    return Course.load(root)


def test_the_guide_has_the_commands_of_a_week_in_their_order() -> None:
    assert [line.split()[:2] for line in COMMANDS] == [
        ["python", "-m"],
        ["autograder", "bundle"],
        ["grep", "sandbox_docker_image"],
        ["autograder", "upload"],
        ["autograder", "fetch"],
    ]
    assert MAKE in " ".join(GUIDE.split())
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "coursegrad[servers]" in shlex.split(COMMANDS[0])
    assert any(one.startswith("autograder-cli") for one in extras["servers"])


def test_its_table_is_one_that_the_kit_reads(tmp_path: Path) -> None:
    course = write_course(tmp_path, "https://autograder.io")
    settings = bundles.settings_of(course, find_server("autograder_io"))
    assert settings.term == "EECS 498 Fall 2026"
    assert settings.hidden == "closed"
    for name in re.findall(r"^\| `\"(\w+)\"", GUIDE, re.MULTILINE):
        (tmp_path / "course.toml").write_text(
            f'{tiny.COURSE}[servers.autograder_io]\ncourse = "A"\nhidden = "{name}"\n'
        )
        assert bundles.settings_of(Course.load(tmp_path), find_server("autograder_io")).hidden == name
    assert 'projects = {knn = "Project 1"}' in " ".join(GUIDE.split())
    (tmp_path / "course.toml").write_text(
        f'{tiny.COURSE}[servers.autograder_io]\ncourse = "A"\nprojects = {{knn = "Project 1"}}\n'
    )
    assert bundles.settings_of(Course.load(tmp_path), find_server("autograder_io")).projects == {
        "knn": "Project 1"
    }


def test_its_messages_are_those_of_the_kit() -> None:
    guides.require_messages(GUIDE, "If something goes wrong", "autograder_io")


@pytest.mark.full
def test_the_week_of_the_guide(tmp_path: Path) -> None:
    site = Site()
    there = site.add("Course", name="EECS 498", semester="Fall", year=2026)
    (tmp_path / ".agtoken").write_text(TOKEN)
    environment = {**os.environ, "HOME": str(tmp_path)}
    with autograder_io.serve(site) as server:
        write_course(tmp_path, server.url)
        said = ""
        for line in COMMANDS[1:]:
            words = shlex.split(line)
            if words[:2] == ["autograder", "upload"]:  # what the guide says to do on the web page
                name = re.fullmatch(r"\s*sandbox_docker_image: (\S+)\n", said)
                assert name is not None, said
                site.add("SandboxDockerImage", display_name=name[1], course=there["pk"])
            if words[:2] == ["autograder", "fetch"]:
                reference = {"tiny_module.py": tiny.REFERENCE.encode()}
                grading = grade(site, tmp_path / "container", site.all("Project")[0], reference)
                assert sum(grading.scores.values()) == 100
            if words[0] == "autograder":
                options = ["--allow-weak-sandbox"] if words[1] == "bundle" and os.geteuid() != 0 else []
                done = run_command([*words[1:], *options], env=environment, cwd=tmp_path)
            else:
                done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (line, done.stderr)
            said = done.stdout
        (row,) = csv.DictReader((tmp_path / "knn-scores.csv").read_text().splitlines())
        assert (row["score"], row["max_score"], row["status"]) == ("10", "10", "graded")
        again = run_command(["upload", "knn", "autograder_io"], env=environment, cwd=tmp_path)
        assert "nothing to change" in again.stdout
        stub = tmp_path / "bin"
        stub.mkdir()
        (stub / "autograder").write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m autograder "$@"\n')
        (stub / "autograder").chmod(0o755)
        made = ["make", "-f", str(ROOT / "Makefile"), f"BIN={stub}", "STAMP=", *MAKE.split()[1:]]
        done = subprocess.run(
            made, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == again.stdout


def test_the_image_is_built_as_autograder_io_asks(made: Files) -> None:
    files = {path: file.content for path, file in made.items()}
    steps = [
        line.split(maxsplit=1)
        for line in files["image/Dockerfile"].decode().replace("\\\n", " ").splitlines()
        if line and not line.startswith("#")
    ]
    kinds = [kind for kind, _ in steps]
    assert kinds == ["FROM", "RUN", "COPY", "RUN", "WORKDIR", "USER"], "CMD and ENTRYPOINT are not allowed"
    by_kind = dict(steps)
    assert by_kind["WORKDIR"] == "/home/autograder/working_dir"
    assert by_kind["USER"] == "root"
    assert "useradd --create-home autograder" in steps[1][1]
    assert {f"image/{name}" for name in by_kind["COPY"].split()[:-1]} | {"image/Dockerfile"} == {
        path for path in files if path.startswith("image/")
    }
    suite = yaml.safe_load(files["agproject.yml"])["project"]["test_suites"][0]
    assert suite["sandbox_docker_image"].startswith("coursegrad-")
