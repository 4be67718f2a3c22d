"""The commands: what they print, how they end, and that problems are one line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.commands import terminal
from autograder.commands.main import app
from autograder.course import Course
from tests.support import planted


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


def test_release_says_what_it_does(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "EVERY_SECONDS", 0)
    said = run(course, "release").stderr.splitlines()
    assert "Collecting the suite of shapes" in said
    assert "Looking for leaks" in said
    settings = course.root / "course.toml"
    settings.write_text(settings.read_text().replace('repository = "uni/course"', 'remote = "../none.git"'))
    run(course, "release")
    said = run(course, "publish").stderr.splitlines()
    assert said[:2] == ["Looking for leaks", "Fetching the public repository"]


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


def with_list(course: Course, **statuses: str) -> None:
    """List assignments in ``course.toml``, and copy those that are not there yet from the one that is."""
    path = course.root / "course.toml"
    lines = [f'[[assignments]]\nname = "{name}"\nstatus = "{status}"\n' for name, status in statuses.items()]
    path.write_text(path.read_text().partition("[[assignments]]")[0] + "\n".join(lines))
    for name in statuses:
        planted.copy_assignment(course.root, name)


def edit(course: Course, old: str, new: str, file: str) -> None:
    path = course.root / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_release_takes_names_and_says_what_changed_and_why(course: Course) -> None:
    with_list(course, shapes="released", solids="draft")
    first = run(course, "release").output
    assert "2 notebooks new\n" in first
    assert "solids is a draft: it is in assignments/solids/ for you, and students do not get it\n" in first
    edit(course, '"Geometry"', '"Plane geometry"', "course.toml")
    edit(course, 'tag = "v1"', 'tag = "v2"', "course.toml")
    for name in ("shapes", "solids"):
        edit(course, "# ", "# {{course}}: ", f"solutions/{name}/{name}.md")
        edit(course, "of all kinds", "of many kinds", f"solutions/{name}/{name}.py")
    one = run(course, "release", "shapes").output.splitlines()
    why = "the course's name, the tag, solutions/shapes/shapes.md"
    assert f"1 notebook changed (shapes/shapes.ipynb): {why}" in one
    assert "1 stub changed (shapes/shapes.py): solutions/shapes/shapes.py" in one
    assert not [line for line in one if "solids" in line]
    assert run(course, "release", "--check", "shapes").exit_code == 0
    assert "assignments/solids/solids.py differs" in run(course, "release", "--check").output
    run(course, "release")
    edit(course, '"Plane geometry"', '"Geometry"', "course.toml")
    assert run(course, "release").output.startswith("2 notebooks changed: the course's name\n")
    assert "changed" not in run(course, "release").output


def test_a_new_tag_makes_nothing_stale_that_is_not_released_again(course: Course) -> None:
    with_list(course, shapes="released", solids="released")
    run(course, "release")
    edit(course, 'tag = "v1"', 'tag = "v2"', "course.toml")
    run(course, "release", "solids")
    assert run(course, "release", "--check").exit_code == 0
    assert "run: make release" in run(course, "publish").stderr


def test_suites_are_collected_once(course: Course) -> None:
    run(course, "release")
    kept = course.root / ".coursegrad" / "plans.json"
    plain = json.loads(kept.read_text())
    assert plain["plans"]["shapes"]["tests"][0]["title"] == "Two by three."
    plain["plans"]["shapes"]["tests"][0]["title"] = "As it was kept."
    kept.write_text(json.dumps(plain))
    run(course, "release")
    checks = course.root / "assignments" / "shapes" / "checks.json"
    assert "As it was kept." in checks.read_text()
    edit(course, "Two by three.", "Two by four.", "autograder/suites/shapes/test_public.py")
    assert "dist: is older than shapes or the kit; run: make release" in run(course, "publish").stderr
    run(course, "release")
    assert "Two by four." in checks.read_text()


def test_an_assignment_that_is_not_listed_is_told(course: Course) -> None:
    with_list(course, shapes="released")
    planted.copy_assignment(course.root, "solids")
    done = run(course, "release")
    assert "solids is not listed in course.toml, so it is a draft" in done.stderr
    assert not (course.root / "dist" / "student" / "assignments" / "solids").exists()
    assert (course.root / "assignments" / "solids").exists()


def test_names_that_cannot_be_released_are_one_line(course: Course) -> None:
    with_list(course, shapes="draft", solids="released")
    run(course, "release")
    for command in ("release", "publish"):
        done = run(course, command, "cubes")
        assert done.exit_code == 2
        assert "choose one of: shapes, solids" in done.stderr
        assert done.stderr.count("\n") == 1
    done = run(course, "publish", "shapes", "solids")
    assert done.stderr.startswith("error: shapes: is a draft; set its `status`")


def test_a_draft_can_be_graded(course: Course) -> None:
    with_list(course, shapes="draft")
    done = run(course, "check", str(course.root / "solutions" / "shapes" / "shapes.py"), "--sandbox", "none")
    assert done.exit_code == 0, done.output
    assert "of 12.5 points" in done.output


def test_new_lists_a_draft_and_keeps_the_rest_released(course: Course) -> None:
    run(course, "new", "softmax")
    assert [(one.name, one.status) for one in Course.load(course.root).listed or ()] == [
        ("shapes", "released"),
        ("softmax", "draft"),
    ]
    run(course, "new", "hinge")
    assert Course.load(course.root).status("hinge") == "draft"
    assert Course.load(course.root).assignments() == ("shapes", "softmax", "hinge")
