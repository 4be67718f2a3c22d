"""What continuous integration, pre-commit and the development container say agrees with the project."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").is_file())
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CLASSIFIER = "Programming Language :: Python :: "
INDEX = "https://download.pytorch.org/whl/cpu"


def pythons() -> list[str]:
    """Return the versions of Python that the project's classifiers name."""
    return [line.removeprefix(CLASSIFIER) for line in PROJECT["classifiers"] if line.startswith(CLASSIFIER)]


def workflow(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def jobs() -> dict[str, Any]:
    """Return the jobs of all workflows."""
    return {name: job for path in WORKFLOWS for name, job in workflow(path)["jobs"].items()}


def steps(job: dict[str, Any], key: str) -> list[str]:
    return [step[key] for step in job["steps"] if key in step]


# Pythons


def test_the_project_requires_the_oldest_python_that_it_names() -> None:
    required = SpecifierSet(PROJECT["requires-python"])
    minors = [int(version.partition(".")[2]) for version in pythons()]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert all(required.contains(version) for version in pythons())
    assert not required.contains(f"3.{minors[0] - 1}")


def test_conda_takes_the_same_pythons() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (python,) = (item for item in environment["dependencies"] if str(item).startswith("python"))
    allowed = SpecifierSet(python.removeprefix("python"))
    assert [f"3.{minor}" for minor in range(30) if allowed.contains(f"3.{minor}")] == pythons()


# The workflow


@pytest.mark.parametrize("name", sorted(jobs()))
def test_a_job_runs_make_targets_alone_on_every_python(name: str) -> None:
    job = jobs()[name]
    assert job["strategy"]["matrix"]["python"] == pythons()
    for command in steps(job, "run"):
        make, *targets = command.split()
        assert make == "make", command
        assert set(targets) <= TARGETS, command
    for action in steps(job, "uses"):
        assert re.fullmatch(r"actions/[\w-]+@v\d+", action), action
    assert job["timeout-minutes"] > 0


def test_changes_are_checked_and_tested_and_the_long_tests_run_at_night() -> None:
    found = {name: (job["if"], steps(job, "run")[1:]) for name, job in jobs().items()}
    assert found == {
        "test": ("github.event_name != 'schedule'", ["make check", "make test"]),
        "test-full": (
            "github.event_name == 'schedule' || github.event_name == 'workflow_dispatch'",
            ["make test-full"],
        ),
    }


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_nothing_else(path: Path) -> None:
    whole = workflow(path)
    assert whole["permissions"] == {"contents": "read"}
    assert whole["env"] == {"PIP_EXTRA_INDEX_URL": INDEX}
    assert "secrets." not in path.read_text(encoding="utf-8")
    for job in whole["jobs"].values():
        assert "permissions" not in job
        (checkout,) = (step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))
        assert checkout["with"] == {"persist-credentials": False}
        (python,) = (
            step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@")
        )
        assert python["with"]["cache"] == "pip"
        files = python["with"]["cache-dependency-path"].split()
        assert [file for file in files if not (ROOT / file).is_file()] == []


# Before each commit, and in a container


def test_pre_commit_uses_the_versions_of_the_project() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repository,) = config["repos"]
    hooks = {hook["id"]: hook for hook in repository["hooks"]}
    assert repository["repo"] == "local"
    for name in ("ruff-check", "ruff-format"):
        assert hooks[name]["additional_dependencies"] == [f"ruff=={PINS['ruff']}"]
    assert hooks["mypy"]["entry"] == ".venv/bin/mypy"  # which constraints.txt pins
    assert hooks.keys() == {"ruff-check", "ruff-format", "mypy"}


def test_the_container_installs_the_project_and_forwards_nothing() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    image, _, version = container["image"].partition(":")
    assert image.endswith("/python")
    assert version in pythons()
    make, target = container["postCreateCommand"].split()
    assert make == "make"
    assert target in TARGETS
    assert container["forwardPorts"] == []
    assert container["otherPortsAttributes"] == {"onAutoForward": "ignore"}
    assert container["containerEnv"] == {"PIP_EXTRA_INDEX_URL": INDEX}


@pytest.mark.parametrize(
    ("python", "place"), [("python3", ".venv/"), ("/opt/bin/python3.13", ".venv-python3.13/")]
)
def test_another_python_gets_an_environment_of_its_own(python: str, place: str) -> None:
    words = ["make", "--no-print-directory", "--dry-run", "--always-make", "grade", f"PYTHON={python}"]
    recipe = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert f"{python} -m venv {place[:-1]}" in recipe
    assert recipe[-1].startswith(f"{place}bin/autograder grade knn ")
