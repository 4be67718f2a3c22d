"""The guide for Submitty: every command in it runs, and what it says is so."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.exporters.servers import bundles, find_server
from autograder.exporters.servers.submitty.settings import Settings
from tests.support.servers import guides, submitty
from tests.support.servers.submitty_site import PASSWORD, Site, serve
from tests.support.waiting import PATIENCE

GUIDE = guides.read("submitty")
URL = "https://submitty.university.edu"
DOCKER = """
import json, pathlib, sys
calls = pathlib.Path("docker.json")
known = json.loads(calls.read_text()) if calls.exists() else []
if sys.argv[1] == "build":
    assert (pathlib.Path(sys.argv[-1]) / "Dockerfile").is_file()
calls.write_text(json.dumps([*known, sys.argv[1:]]))
"""


@pytest.mark.full
def test_the_commands_of_the_guide_do_what_it_says(tmp_path: Path) -> None:
    course, site = tmp_path / "course", Site()
    guides.write_course(course, GUIDE)
    with serve(site) as server:
        settings = course / "course.toml"
        settings.write_text(settings.read_text().replace(URL, server.url))
        ran = guides.run(GUIDE, course, {URL: server.url}, programs={"docker": DOCKER}, typed=f"{PASSWORD}\n")
    assert next(iter(ran)) == "autograder bundle knn submitty"
    image = "university/coursegrad:2026"
    build, push = json.loads((course / "docker.json").read_text())
    assert build == ["build", "-t", image, "dist/knn-submitty/image"]
    assert push == ["push", image]
    (gradeable,) = site.gradeables.values()
    assert (gradeable["id"], gradeable["type"]) == ("knn", "Electronic File")
    assert f"{server.url}/courses/f26/dl/gradeable/knn/update" in ran["autograder upload knn submitty"]
    config = json.loads((tmp_path / "configurations/knn/config.json").read_text())
    submitty.check_config(config)
    assert config["testcases"][0]["containers"][0]["container_image"] == image


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_the_command_for_a_token_keeps_it_and_no_password(tmp_path: Path, password: str) -> None:
    site = Site()
    with serve(site) as server:
        (command,) = (one for one in guides.commands(GUIDE, {URL: server.url}) if "api/token" in one)
        done = subprocess.run(
            ["bash", "-c", command],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            input=f"{password}\n",
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
    (file,) = tmp_path.iterdir()
    assert file.name == ".submitty_token"
    assert file.stat().st_mode & 0o777 == 0o600
    token = site.tokens.get("ada", "")
    assert bool(token) is (password == PASSWORD)
    assert file.read_text().strip() == token
    assert not done.stdout + done.stderr


def test_its_settings_are_those_of_the_kit(tmp_path: Path) -> None:
    assert guides.settings_of(GUIDE) == Settings.model_fields.keys()
    guides.write_course(tmp_path, GUIDE)
    settings = bundles.settings_of(Course.load(tmp_path), find_server("submitty"))
    assert (settings.url, settings.semester, settings.course) == (URL, "f26", "dl")
    assert (settings.hidden, settings.config) == ("closed", None)
    for line in ('gradeables = {knn = "hw-1"}', 'config = "/var/local/configurations"'):
        key, _, value = line.partition(" = ")
        assert value in GUIDE
        (tmp_path / "course.toml").write_text(
            f'name = "A"\ntimezone = "UTC"\n[servers.submitty]\nimage = "a/b:c"\n{line}\n'
        )
        assert getattr(bundles.settings_of(Course.load(tmp_path), find_server("submitty")), key)


def test_its_messages_are_those_of_the_kit() -> None:
    guides.require_messages(GUIDE, "If an upload is refused", "submitty")
