"""The commands: what they print, how they end, and that problems are one line."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import planted
import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.course import Course


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return planted.write_course(tmp_path / "course")


def run(course: Course, *arguments: str) -> Any:
    return CliRunner().invoke(app, [*arguments, "--course", str(course.root)])


def test_release_writes_and_check_tells_when_it_is_stale(course: Course) -> None:
    before = run(course, "release", "--check")
    assert before.exit_code == 1
    assert before.output.endswith("assignments/ is stale; run: make release\n")
    assert not (course.root / "assignments").exists()
    done = run(course, "release")
    assert done.exit_code == 0, done.output
    assert "dist/shapes.zip" in done.output
    assert "no leak found" in done.output
    after = run(course, "release", "--check")
    assert (after.exit_code, after.output) == (0, "assignments/ is up to date\n")
    checks = (course.root / "assignments" / "shapes" / "checks.json").read_text()
    assert '"points": 3.3333' in checks


def test_a_leak_is_told_line_by_line_and_nothing_is_written(course: Course) -> None:
    path = course.root / "autograder" / "suites" / "shapes" / "test_public.py"
    path.write_text(planted.PUBLIC + "\n# product = width * height\n# return abs(product)\n")
    done = run(course, "release")
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert "assignments/shapes/test_public.py:18: a solution, of solutions/shapes/shapes.py:7" in lines[0]
    assert any(
        line.startswith("dist/shapes.zip!shapes/assignments/shapes/test_public.py:18") for line in lines
    )
    assert lines[-1].startswith("error: assignments/shapes/test_public.py:18: a solution")
    assert not (course.root / "dist").exists()


def test_a_malformed_marker_is_one_line(course: Course) -> None:
    path = course.root / "solutions" / "shapes" / "shapes.py"
    path.write_text(planted.MODULE.replace("### END SOLUTION", "### End Solution", 1))
    done = run(course, "release")
    assert done.exit_code == 2
    assert done.stderr.startswith("error: solutions/shapes/shapes.py:11: looks like a solution marker")
    assert done.stderr.count("\n") == 1


def test_publish_pushes_what_release_wrote(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Instructor")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "instructor@example.org")
    public = tmp_path / "public.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(public)], check=True)
    settings = course.root / "course.toml"
    settings.write_text(settings.read_text().replace('repository = "uni/course"', 'remote = "../public.git"'))
    assert "run: make release" in run(course, "publish").stderr
    run(course, "release")
    done = run(course, "publish")
    assert done.exit_code == 0, done.output
    tag = subprocess.check_output(["git", "-C", str(public), "rev-parse", "v1"], text=True)
    assert done.output == f"../public.git  v1 is {tag[:12]}\n"
    again = run(course, "publish")
    assert again.exit_code == 2
    assert "the tag v1 exists already" in again.stderr


def test_new_says_what_it_wrote(course: Course) -> None:
    done = run(course, "new", "softmax")
    assert done.exit_code == 0, done.output
    *paths, last = done.output.splitlines()
    assert all(Path(path).is_file() for path in paths)
    assert len(paths) == 5
    assert "autograder check solutions/softmax/softmax.py" in last
    assert run(course, "new", "softmax").exit_code == 2
