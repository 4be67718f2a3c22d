"""An agproject.yml that the models of autograder-cli let through, and the server does not."""

from __future__ import annotations

import sys
from pathlib import Path

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


def test_what_the_kit_cannot_upload_is_refused(made: Files) -> None:
    content = yaml.safe_load(made["agproject.yml"].content)
    case = content["project"]["test_suites"][0]["test_cases"][0]
    case["repeat"] = [{"$x": 1}]
    assert "written out one by one" in refuse(yaml.safe_dump(content))
    del case["repeat"]
    content["project"]["mutation_suites"] = [{"name": "Mutants"}]
    assert "ag project save" in refuse(yaml.safe_dump(content))


def test_without_autograder_cli_one_line_says_how_to_install_it(
    made: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "autograder_cli.config.models", None)
    with pytest.raises(ConfigError, match=r"pip install 'coursegrad\[servers\]'"):
        config.parse(made["agproject.yml"].content.decode(), Path("agproject.yml"))
