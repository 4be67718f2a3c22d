"""An agproject.yml that the models of autograder-cli let through, and the server does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from autograder.errors import ConfigError
from autograder.exporters.servers.autograder_io import config
from autograder.exporters.servers.interface import Files


def refuse(text: str) -> str:
    """Return why an ``agproject.yml`` is refused."""
    with pytest.raises(ConfigError) as caught:
        config.parse(text, Path("agproject.yml"))
    assert caught.value.where == "agproject.yml"
    return caught.value.found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("time_limit: 90", "time_limit: 91", "test_cases[1].resources.time_limit`: expected 1 to 90"),
        ("time_limit: 90", "time_limit: 500", "expected 1 to 90"),
        ("time_limit: 90", "time_limit: 0", "expected 1 to 90"),
        ("time_limit: 90", "time_limt: 90", "resources.time_limt`: unknown key"),
        ("time_limit: 90", "time_limit: 45.0", "expected a whole number, not 45.0"),
        ("time_limit: 90", "time_limit: '45'", "expected a whole number, not '45'"),
        ("max_points: 24", "max_points: 2.5", "custom_scoring.max_points`"),
        ("max_points: 24", "max_points: 24.0", "expected a whole number, not 24.0"),
        ("max_points: 24", "max_points: true", "expected a whole number, not True"),
        ("max_points: 24", "max_points: -1", "expected 0 or more"),
        ("source: stderr", "source: stdin", "custom_scoring.source`"),
        ("source: stderr", "origin: stderr", "custom_scoring"),
        ("block_process_spawn: false", "block_process_spawn: true", "expected false"),
        ("block_process_spawn: false", "block_process_spawn: 'no'", "expected true or false, not 'no'"),
        ("setup_cmd: rm", "setup_comand: rm", "test_suites[1].setup_comand`: unknown key"),
        ("test_suites:", "test_suits:", "project.test_suits`: unknown key"),
        ("project:", "projekt:", "project`"),
        ("name: 2 Keep a table", "name: 1 Double a tensor", "1 Double a tensor is there twice"),
        ("name: 2 Keep a table", "name: ''", "expected 1 to 255 characters, not 0"),
        ("normal: shown", "normal: shwon", "there is no preset 'shwon'"),
        ("show_points: true", "show_point: true", "show_points"),
        ("  - coursegrad.tar", "  - other.tar", "other.tar is no file of the project"),
        ("    - tiny.ipynb", "    - tiny2.ipynb", "tiny2.ipynb is no file of the project"),
        ("semester: Fall", "semester: Autumn", "project.course.semester"),
        ("timezone: UTC", "timezone: Mars", "timezone"),
        ("project:", "project: [", "is not valid YAML"),
    ],
)
def test_what_the_models_let_through_is_refused(made: Files, old: str, new: str, said: str) -> None:
    text = made["agproject.yml"].content.decode()
    assert old in text
    assert said in refuse(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("project", "mutation_suites"), [{"name": "Mutants"}]),
        (("project", "handgrading"), {"points_style": "start_at_zero_and_add"}),
        (("project", "settings", "max_group_size"), 2),
        (("project", "settings", "anyone_with_link_can_submit"), True),
        (("project", "settings", "deadline"), {"cutoff_type": "relative", "deadline": "2026-03-01 23:59"}),
        (("project", "test_suites", 0, "test_cases", 0, "repeat"), [{"$x": 1}]),
        (("project", "test_suites", 0, "test_cases", 0, "stdout"), {"compare_with": "text"}),
        (("project", "test_suites", 0, "test_cases", 0, "feedback", "first_failed_test"), "shown"),
    ],
)
def test_what_the_kit_does_not_upload_is_refused(made: Files, keys: tuple[Any, ...], value: object) -> None:
    content = table = yaml.safe_load(made["agproject.yml"].content)
    for key in keys[:-1]:
        table = table[key]
    table[keys[-1]] = value
    said = refuse(yaml.safe_dump(content))
    assert str(keys[-1]) in said
    assert "use: ag project save" in said


def test_a_test_case_of_several_commands_is_refused(made: Files) -> None:
    content = yaml.safe_load(made["agproject.yml"].content)
    content["project"]["test_suites"][0]["test_cases"][0] = {
        "name": "1 Double a tensor",
        "type": "multi_cmd",
        "commands": [{"name": "a", "cmd": "true"}],
    }
    assert "test_cases[1].type`: the kit does not upload this" in refuse(yaml.safe_dump(content))


def test_without_autograder_cli_one_line_says_how_to_install_it(
    made: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "autograder_cli.config.models", None)
    with pytest.raises(ConfigError, match=r"pip install 'coursegrad\[servers\]'"):
        config.parse(made["agproject.yml"].content.decode(), Path("agproject.yml"))
