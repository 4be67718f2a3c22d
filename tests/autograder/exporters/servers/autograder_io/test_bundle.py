"""What a bundle for autograder.io holds, and that it holds no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from autograder.errors import ConfigError
from autograder.exporters.servers import find_server
from autograder.exporters.servers.autograder_io import bodies
from autograder.exporters.servers.autograder_io.config import parse
from autograder.exporters.servers.interface import BundleFile, Contents, Files
from tests.support.servers.autograder_io_class import CASES, members


def test_a_bundle_has_the_project_one_archive_and_an_image(made: Files) -> None:
    assert set(made) == {
        "agproject.yml",
        "coursegrad.tar",
        "image/Dockerfile",
        "image/requirements.txt",
        "image/requirements-torch.txt",
    }
    project = yaml.safe_load(made["agproject.yml"].content)["project"]
    (suite,) = project["test_suites"]
    assert {case["name"]: case["custom_scoring"]["max_points"] for case in suite["test_cases"]} == CASES
    assert all(case["custom_scoring"]["source"] == "stderr" for case in suite["test_cases"])
    assert suite["student_files_needed"] == ["tiny_module.py", "tiny.ipynb", "tiny-submission.zip"]


def test_neither_the_secret_nor_a_solution_is_in_it(contents: Contents, made: Files) -> None:
    everything = {**{path: file.content for path, file in made.items()}, **members(made)}
    assert b"31337.0" in everything["bundle/course/suites/tiny/test_hidden.py"]
    secret = contents.course.secret()
    for path, content in everything.items():
        assert b"return 2 * x\n" not in content, path
        assert secret not in content, path
        assert secret.hex().encode() not in content, path
    assert b"raise NotImplementedError" in everything["bundle/course/solutions/tiny/tiny_module.py"]


def test_the_same_course_makes_the_same_bundle_again(contents: Contents, made: Files) -> None:
    assert find_server("autograder_io").pack(contents) == made
    assert sorted(one for one in members(made) if "/" not in one) == ["grade.sh", "setup.sh", "show.sh"]


def test_an_image_with_other_packages_has_another_name() -> None:
    from autograder.exporters.servers.autograder_io.bundle import _name

    one, other = (_name({"Dockerfile": b"", "requirements.txt": text}, "3.11") for text in (b"a==1", b"a==2"))
    assert one != other
    assert one.startswith("coursegrad-3.11-")


def pack(contents: Contents, **settings: object) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the project and the archive's files where the course says something else of the server."""
    changed = contents.settings.model_copy(update=settings)
    made = find_server("autograder_io").pack(replace(contents, settings=changed))
    return yaml.safe_load(made["agproject.yml"].content)["project"], members(made)


@pytest.mark.parametrize(
    ("hidden", "normal", "final"),
    [("shown", "shown", "shown"), ("closed", "unseen", "shown"), ("never", "unseen", "unseen")],
)
def test_hidden_checks_are_seen_when_the_course_says(
    contents: Contents, hidden: str, normal: str, final: str
) -> None:
    project, _ = pack(contents, hidden=hidden)
    for case in project["test_suites"][0]["test_cases"]:
        is_hidden = case["name"].endswith(": hidden checks")
        seen = case["feedback"]
        assert seen["normal"] == seen["past_limit_submission"] == (normal if is_hidden else "shown")
        assert seen["final_graded_submission"] == (final if is_hidden else "shown")
        assert seen["staff_viewer"] == "staff"


def test_less_time_holds_for_commands_and_scripts(contents: Contents) -> None:
    project, scripts = pack(contents, seconds=60)
    cases = project["test_suites"][0]["test_cases"]
    assert {case["resources"]["time_limit"] for case in cases} == {60}
    assert b"timeout --kill-after=2 54 " in scripts["setup.sh"]
    assert b"timeout --kill-after=2 56 " in scripts["show.sh"]


def test_the_due_date_and_the_attempts_are_those_of_the_assignment(contents: Contents) -> None:
    due = datetime(2026, 3, 1, 23, 59, tzinfo=ZoneInfo("Europe/Berlin"))
    assignment = replace(contents.assignment, deadline=due, attempts="best", title="A1: tensors")
    made = find_server("autograder_io").pack(replace(contents, assignment=assignment))
    config = parse(made["agproject.yml"].content.decode(), Path("agproject.yml"))
    body = bodies.project(config.project)
    assert datetime.fromisoformat(body["soft_closing_time"]) == due
    assert (body["ultimate_submission_policy"], body["name"]) == ("best", "A1: tensors")


def test_a_suite_that_is_too_large_is_refused(contents: Contents) -> None:
    large = contents.files | {"course/suites/tiny/large.bin": BundleFile(bytes(15_000_001))}
    with pytest.raises(ConfigError, match=r"autograder\.io takes 15000000; take large files out"):
        find_server("autograder_io").pack(replace(contents, files=large))
