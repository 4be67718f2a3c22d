"""A new assignment can be released at once; its stub gets nothing and its reference everything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.authoring import scaffold
from autograder.commands.main import app
from autograder.course import Course
from autograder.errors import ReleaseError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    (tmp_path / "course.toml").write_text('name = "New"\ntimezone = "UTC"\n')
    return Course.load(tmp_path)


def run(course: Course, *arguments: str) -> str:
    done = CliRunner().invoke(app, [*arguments, "--course", str(course.root)])
    assert done.exit_code == 0, done.output
    return done.output


def test_the_walk_of_contributing(course: Course) -> None:
    """Follow CONTRIBUTING.md: new, release, check the reference, check the stub, look whether it is fresh."""
    section = (ROOT / "CONTRIBUTING.md").read_text().partition("## A new assignment")[2].partition("\n## ")[0]
    blocks = section.split("```sh\n")[1:]
    lines = [line.partition("#")[0] for block in blocks for line in block.partition("```")[0].splitlines()]
    walk = [line.split() for line in lines]
    commands = [words[1:] for words in walk if words[0] == "autograder"]
    assert [words[0] for words in commands] == ["new", "release", "check", "check", "release"]
    outputs = []
    for words in commands:
        paths = [str(course.root / word) if "/" in word else word for word in words]
        outputs.append(run(course, *paths))
    assert "10 of 10 points" in outputs[2]
    assert "0 of 10 points" in outputs[3]
    assert outputs[3].count("Not implemented yet") == 2
    assert outputs[4] == "assignments/ is up to date\n"


def test_what_is_written_is_clean(course: Course) -> None:
    paths = [str(path) for path in scaffold.write(course, "softmax") if path.suffix == ".py"]
    configuration = ["--config", str(ROOT / "pyproject.toml")]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *configuration, *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("soft-max", "cannot be the name of a module"),
        ("Softmax", "cannot be the name of a module"),
        ("größe", "cannot be the name of a module"),
        ("class", "cannot be the name of a module"),
        ("../x", "cannot be the name of a module"),
        ("random", "is the name of a Python module"),
        ("helpers", "is the name of a Python module"),
        ("suite", "is the package for modules that tests share"),
        ("test_public", "is the name of a Python module"),
    ],
)
def test_names_that_no_module_can_have_are_refused(course: Course, name: str, says: str) -> None:
    with pytest.raises(ReleaseError, match=says):
        scaffold.write(course, name)
    assert sorted(path.name for path in course.root.iterdir()) == ["course.toml"]


def test_nothing_is_overwritten(course: Course) -> None:
    scaffold.write(course, "softmax")
    (course.root / "solutions" / "softmax" / "softmax.py").write_text("mine")
    with pytest.raises(ReleaseError, match="exists already"):
        scaffold.write(course, "softmax")
    assert (course.root / "solutions" / "softmax" / "softmax.py").read_text() == "mine"
