"""Files that repeat what other files say are fresh; `make check` runs these tests too."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.testing import CliRunner

import autograder
from autograder.commands.main import app
from autograder.graded.results import SubmissionResult
from helpers.testing import tolerances
from tests.support import attack_table

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


@pytest.fixture
def pins() -> dict[str, str]:
    """Return the version that ``constraints.txt`` gives each package."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_result_schema_is_fresh() -> None:
    written = json.loads((ROOT / "docs" / "schemas" / "result-v1.json").read_text())
    assert written == SubmissionResult.model_json_schema(), "run `make schema`"


def test_table_of_attacks_is_fresh() -> None:
    assert (ROOT / "docs" / "attacks.md").read_text(encoding="utf-8") == attack_table.page(), (
        "run `make attacks`"
    )


def test_table_of_tolerances_is_fresh() -> None:
    written = (ROOT / "docs" / "tolerances.md").read_text(encoding="utf-8")
    assert written == tolerances.page(), "run `make tolerances`"


def test_environment_lists_the_packages_of_the_project(project: dict[str, Any]) -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *_, last = environment["dependencies"]
    constraints, *packages, itself = last["pip"]
    assert constraints == "-c constraints.txt"
    assert itself == "-e ."
    assert packages == sorted(project["dependencies"])
    (python,) = (item for item in environment["dependencies"] if str(item).startswith("python"))
    assert python.split(",")[0] == f"python{project['requires-python']}"


def test_constraints_pin_every_package_of_the_project(project: dict[str, Any], pins: dict[str, str]) -> None:
    for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text


def test_constraints_suit_every_machine(pins: dict[str, str]) -> None:
    assert pins["torch"] == "2.13.0"
    assert list(pins) == sorted(pins)
    for name, version in pins.items():
        assert name == canonicalize_name(name)
        assert re.fullmatch(r"[0-9][0-9a-z.]*", version), f"{name}: local versions exist on one index only"


def test_assignments_are_fresh() -> None:
    done = CliRunner().invoke(app, ["release", "--check", "--course", str(ROOT)])
    assert done.exit_code == 0, done.output


def test_version_is_one(project: dict[str, Any]) -> None:
    assert project["version"] == autograder.__version__
