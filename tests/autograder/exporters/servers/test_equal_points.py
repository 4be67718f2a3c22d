"""One class gets the same points on every server as from the kit, by the bundle that the server is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.exporters.servers import NAMES, find_server
from autograder.exporters.servers.points import choose_scale
from autograder.grading import loop
from helpers.submission import packed as handins
from tests.support import tiny
from tests.support.servers import autograder_io_grading, made
from tests.support.servers.autograder_io_class import TABLE, teach
from tests.support.servers.autolab import import_tarball
from tests.support.servers.gradescope import Gradescope
from tests.support.servers.prairielearn import Question
from tests.support.servers.submitty import Submitty

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders look like those of servers"),
]
CLASS = {
    "right": tiny.REFERENCE,
    "stub": tiny.STUB,
    "wrong factor": tiny.REFERENCE.replace("return 2 * x", "return 3 * x"),
    "a loop": tiny.REFERENCE.replace("return 2 * x", "for _ in range(1):\n        x = x + x\n    return x"),
    "one row": tiny.REFERENCE.replace("self.rows[name] = value", "self.rows = {name: value}"),
    "raises": tiny.REFERENCE.replace("return 2 * x", "return 2 * y"),
    "broken": "def double(x:\n",
}
HALVES = tiny.HIDDEN.replace('"double", weight=2', '"double"')
"""Hidden tests of which two are worth 1.5 points each, so that a whole number of each tier is not enough."""
PYTHON = {"COURSEGRAD_PYTHON": sys.executable}
Grade = Callable[[dict[str, bytes]], float]
Enter = Callable[[AbstractContextManager[Any]], Any]


def on_gradescope(root: Path, enter: Enter) -> Grade:
    course = made.write_course(root / "course", "gradescope", hidden=HALVES)
    server = Gradescope(_new(root / "server"), made.make(course, "gradescope").read_bytes())
    server.install()

    def grade(files: dict[str, bytes]) -> float:
        run = server.grade(files)
        assert run.results is not None, run.output
        return float(run.results["score"])

    return grade


def on_autograder_io(root: Path, enter: Enter) -> Grade:
    tiny.write_course(root / "course", hidden=HALVES)
    (root / "course" / "course.toml").write_text(tiny.COURSE + TABLE.format(url="https://autograder.io"))
    contents = made.gather(Course.load(root / "course"), "autograder_io", planned=True)
    scale = choose_scale(contents.assignment, contents.plan, None, "scale")
    packed = find_server("autograder_io").pack(contents)
    desk = enter(teach(_new(root / "desk"), packed, enter(pytest.MonkeyPatch.context())))
    assert desk.upload().exit_code == 0
    (project,) = desk.site.all("Project")
    folders = iter(range(100))

    def grade(files: dict[str, bytes]) -> float:
        found = autograder_io_grading.grade(desk.site, root / f"container-{next(folders)}", project, files)
        assert not found.errors, found
        return sum(found.scores.values()) / scale

    return grade


def on_autolab(root: Path, enter: Enter) -> Grade:
    course = made.write_course(root / "course", "autolab", hidden=HALVES)
    lab = import_tarball(made.make(course, "autolab").read_bytes())
    folders = iter(range(100))

    def grade(files: dict[str, bytes]) -> float:
        found = lab.grade(_new(root / f"job-{next(folders)}"), handins.pack("tiny", files), env=PYTHON)
        assert not found.error, found
        return sum(found.scores.values())

    return grade


def on_prairielearn(root: Path, enter: Enter) -> Grade:
    image = 'image = "university/coursegrad"'
    course = made.write_course(root / "course", "prairielearn", image, hidden=HALVES)
    question = Question(made.make(course, "prairielearn"))
    folders = iter(range(100))

    def grade(files: dict[str, bytes]) -> float:
        found = question.grade(_new(root / f"job-{next(folders)}"), files, env=PYTHON)
        return 10 * float(found.results.get("score", 0)) if found.gradable else 0.0

    return grade


def on_submitty(root: Path, enter: Enter) -> Grade:
    image = 'image = "university/coursegrad:2026"'
    course = made.write_course(root / "course", "submitty", image, hidden=HALVES)
    server = Submitty(_new(root / "server"), made.make(course, "submitty", planned=True))
    server.install()

    def grade(files: dict[str, bytes]) -> float:
        return server.grade(files).total / 2  # points there are whole numbers

    return grade


SERVERS = {
    "gradescope": on_gradescope,
    "autograder_io": on_autograder_io,
    "autolab": on_autolab,
    "prairielearn": on_prairielearn,
    "submitty": on_submitty,
}
"""Classroom 50 has the public tests alone, and cannot give the same points."""


def test_every_server_is_compared() -> None:
    assert {*SERVERS, "classroom50"} == set(NAMES)


@pytest.mark.parametrize("name", SERVERS)
def test_a_class_gets_the_points_that_the_kit_gives(name: str, kit: dict[str, float], tmp_path: Path) -> None:
    with ExitStack() as stack:
        grade = SERVERS[name](tmp_path, stack.enter_context)
        there = {student: grade({"tiny_module.py": source.encode()}) for student, source in CLASS.items()}
    assert there == pytest.approx(kit)


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """Return the points that `autograder grade` gives to the class."""
    course, one = tiny.write_course(tmp_path_factory.mktemp("kit"), hidden=HALVES)
    scores = {
        student: loop.grade_one(course, one, tiny.submission(source), sandbox="full").score
        for student, source in CLASS.items()
    }
    assert scores["right"] == 10
    assert scores["a loop"] == 8.5
    assert len(set(scores.values())) > 3, "a class in which nearly all have the same shows nothing"
    return scores


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
