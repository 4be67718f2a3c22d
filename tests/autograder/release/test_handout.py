"""What students get of an assignment: the points of the grader, the public tests as they are."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.errors import ReleaseError
from autograder.release import handout
from helpers.submission.handout import find
from tests.support import planted


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return planted.write_course(tmp_path / "course")


def build(course: Course) -> dict[str, bytes]:
    assignment = assignments.load(course, "shapes")
    return handout.build(course, assignment, planted.plan(assignment)).files


def test_an_assignment_is_four_files(course: Course) -> None:
    files = build(course)
    assert sorted(files) == ["checks.json", "shapes.ipynb", "shapes.py", "test_public.py"]
    assert files["test_public.py"].decode() == planted.PUBLIC
    assert b'raise NotImplementedError("shapes: Table.add")' in files["shapes.py"]


def test_the_list_of_checks_has_the_points_of_the_grader_and_nothing_hidden(course: Course) -> None:
    files = build(course)
    checks = json.loads(files["checks.json"])
    cells = checks.pop("cells")
    assert checks == {
        "format": 2,
        "name": "shapes",
        "title": "Shapes",
        "repository": "uni/course",
        "tag": "v1",
        "modules": ["shapes"],
        "weights": [],
        "tasks": [
            {"id": "area", "title": "The area", "points": 10},
            {"id": "table", "title": "A table", "points": 2.5},
        ],
        "tests": [
            {
                "id": "test_public.py::test_area",
                "title": "Two by three.",
                "task": "area",
                "points": 3.3333,
                "kind": "value",
            },
            {
                "id": "test_public.py::test_table",
                "title": "A table keeps shapes.",
                "task": "table",
                "points": 2.5,
                "kind": "value",
            },
        ],
        "stubs": {"shapes.py": hashlib.sha256(files["shapes.py"]).hexdigest()},
        "released": {"shapes.py": files["shapes.py"].decode()},
        "packages": list(course.importable),
        "grader": {
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "torch": version("torch").partition("+")[0],
        },
        "limits": {"cpu_seconds": 10, "memory_mb": 512},
        "functions": [
            {"file": "shapes.py", "name": "area", "task": "area"},
            {"file": "shapes.py", "name": "Table.add", "task": "table"},
        ],
    }
    book = json.loads(files["shapes.ipynb"])
    assert [cell["id"] for cell in cells] == [cell["id"] for cell in book["cells"]]


def test_the_notebooks_helpers_read_it(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in build(course).items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    found = find("shapes")
    assert [test.id for test in found.tests] == ["test_public.py::test_area", "test_public.py::test_table"]
    assert found.stubs.keys() == {"shapes.py"}


def test_conventions_reach_the_notebook_and_the_checks(course: Course) -> None:
    folder = course.root / "solutions" / "shapes"
    settings = planted.ASSIGNMENT.replace("[tiers]", "[conventions]\nhalf = 0.5\nwhole = 1.0\n\n[tiers]")
    (folder / "assignment.toml").write_text(settings)
    (folder / "shapes.md").write_text(planted.NOTEBOOK.replace("# Shapes", "# From {{half}} to {{whole}}"))
    files = build(course)
    assert json.loads(files["checks.json"])["conventions"] == {"half": 0.5, "whole": 1.0}
    assert b"# From 0.5 to 1" in files["shapes.ipynb"]


@pytest.mark.parametrize(
    "line", ["from autograder.course.hidden_generators import hidden_generator", "import suite.oracles"]
)
def test_public_tests_that_need_the_grader_are_refused(course: Course, line: str) -> None:
    path = course.root / "autograder" / "suites" / "shapes" / "test_public.py"
    path.write_text(f"{planted.PUBLIC}\n{line}\n")
    with pytest.raises(ReleaseError, match="which students do not have") as caught:
        build(course)
    assert caught.value.where.endswith("shapes/test_public.py:18")


def test_public_tests_of_another_name_are_refused(course: Course) -> None:
    path = course.root / "solutions" / "shapes" / "assignment.toml"
    path.write_text(planted.ASSIGNMENT.replace('"test_hidden.py" = "hidden"', '"test_hidden.py" = "public"'))
    with pytest.raises(ReleaseError, match=r"expected the public tests in one file, test_public\.py"):
        build(course)


@pytest.mark.parametrize("name", ["shapes.md", "shapes.py"])
def test_unreadable_sources_are_refused(course: Course, name: str) -> None:
    path = course.root / "solutions" / "shapes" / name
    path.write_bytes(b"\xff")
    with pytest.raises(ReleaseError, match="UTF-8"):
        build(course)


def test_a_missing_notebook_is_refused(course: Course) -> None:
    (course.root / "solutions" / "shapes" / "shapes.md").unlink()
    with pytest.raises(ReleaseError, match="there is no such file"):
        build(course)
