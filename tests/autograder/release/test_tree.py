"""The trees of a release: whole, needing nothing of the instructor's, and the same on every build."""

from __future__ import annotations

import ast
import io
import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from autograder.course import Course
from autograder.errors import ReleaseError
from autograder.release import handout, student, tree
from tests.support import planted

ROOT = Path(__file__).parents[3]
ASSIGNMENT = [f"shapes/{name}" for name in ("checks.json", "shapes.ipynb", "shapes.py", "test_public.py")]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return planted.write_course(tmp_path / "course")


def test_the_trees_hold_what_they_should(course: Course) -> None:
    built = planted.build(course)
    assert sorted(built.assignments) == ASSIGNMENT
    outside = {path for path in built.student if not path.startswith("helpers/")}
    others = {".gitignore", "LICENSE", "README.md", "environment.yml", "requirements.txt"}
    assert outside == {f"assignments/{path}" for path in ASSIGNMENT} | others
    assert "helpers/testing/checks.py" in built.student
    assert not [path for path in built.student if "__pycache__" in path]
    with zipfile.ZipFile(io.BytesIO(built.archives["shapes.zip"])) as archive:
        assert archive.namelist() == sorted(f"shapes/{path}" for path in built.student)


def test_two_builds_are_the_same_bytes(course: Course) -> None:
    assert planted.build(course) == planted.build(course)


def test_students_need_nothing_of_the_instructor(course: Course, tmp_path: Path) -> None:
    tree.write(course, planted.build(course))
    here = course.root / "dist" / "student"
    code = (
        "import pkgutil, importlib, sys, helpers;"
        "assert helpers.__path__[0].startswith(sys.argv[1]), helpers.__path__;"
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(helpers.__path__, 'helpers.')];"
        "bad = {'autograder', 'nbgrader'} & set(sys.modules); assert not bad, bad"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(here)], cwd=here, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_requirements_are_what_the_helpers_import_at_the_versions_of_the_kit(course: Course) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    ours = {r.name: r.specifier for r in map(Requirement, project["dependencies"])}
    text = planted.build(course).student["requirements.txt"].decode()
    theirs = {r.name: r.specifier for r in map(Requirement, text.splitlines()[1:])}
    assert {name: theirs[name] for name in theirs if name in ours} == {
        name: ours[name] for name in theirs if name in ours
    }
    imported: set[str] = set()
    for path in (ROOT / "helpers").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
    packages = {name.replace("sklearn", "scikit-learn") for name in imported - set(sys.stdlib_module_names)}
    assert packages - {"helpers", "IPython", "google"} <= theirs.keys()  # JupyterLab brings IPython
    environment = yaml.safe_load(planted.build(course).student["environment.yml"])
    assert environment["dependencies"][-1] == {"pip": ["-r requirements.txt"]}


def test_the_readme_has_a_badge_for_the_tag(course: Course) -> None:
    text = planted.build(course).student["README.md"].decode()
    link = "https://colab.research.google.com/github/uni/course/blob/v1/assignments/shapes/shapes.ipynb"
    assert f"(https://colab.research.google.com/assets/colab-badge.svg)]({link})" in text
    assert "assignments/shapes/shapes.py" in text


def test_without_a_repository_there_is_no_badge(course: Course) -> None:
    path = course.root / "course.toml"
    path.write_text(path.read_text().replace("uni/course", ""))
    built = planted.build(Course.load(course.root))
    for name in ("README.md", "assignments/shapes/shapes.ipynb"):
        assert b"colab" not in built.student[name].lower()


def test_a_release_replaces_what_was_there(course: Course) -> None:
    built = planted.build(course)
    tree.write(course, built)
    root = course.root
    (root / "assignments" / "shapes" / "shapes.py").write_text("edited")
    for stray in ("assignments/old/old.py", "dist/student/notes.txt", "dist/old.zip", "dist/wheel.whl"):
        (root / stray).parent.mkdir(exist_ok=True)
        (root / stray).write_text("stray")
    tree.write(course, built)
    there = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.name != "secret"}
    assert {p for p in there if p.startswith("assignments/")} == {f"assignments/{p}" for p in ASSIGNMENT}
    assert {p for p in there if p.startswith("dist/student/")} == {f"dist/student/{p}" for p in built.student}
    assert {p for p in there if p.count("/") == 1 and p.startswith("dist/")} == {
        "dist/shapes.zip",
        "dist/wheel.whl",
    }
    assert not (root / "assignments" / "old").exists()
    assert (root / "assignments" / "shapes" / "shapes.py").read_bytes() == built.assignments[
        "shapes/shapes.py"
    ]
    for path, content in built.public.items():
        assert (root / path).read_bytes() == content


def test_stale_assignments_are_told_file_by_file(course: Course) -> None:
    built = planted.build(course)
    assert len(tree.find_stale(course, built)) == len(ASSIGNMENT)
    tree.write(course, built)
    folder = course.root / "assignments" / "shapes"
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "shapes.pyc").write_bytes(b"left by a run")
    assert tree.find_stale(course, built) == []
    (folder / "checks.json").unlink()
    (folder / "shapes.py").write_text("edited")
    (folder / "extra.py").write_text("")
    (folder / "test_public.py").rename(folder / "other")
    (folder / "test_public.py").symlink_to("other")
    assert tree.find_stale(course, built) == [
        "assignments/shapes/checks.json is missing",
        "assignments/shapes/extra.py is not part of the release",
        "assignments/shapes/other is not part of the release",
        "assignments/shapes/shapes.py differs from what the solutions produce",
        "assignments/shapes/test_public.py differs from what the solutions produce",
    ]


def test_what_another_machine_has_makes_nothing_stale(course: Course) -> None:
    built = planted.build(course)
    tree.write(course, built)
    file = course.root / "assignments" / "shapes" / "checks.json"
    checks = json.loads(file.read_bytes())
    there = checks | {"grader": {"python": "3.99", "torch": "9.9.9"}, "packages": ["torch", "torchvision"]}
    file.write_bytes(handout.dumps(there))
    assert tree.find_stale(course, built) == []
    file.write_bytes(handout.dumps(there | {"title": "Another"}))
    assert tree.find_stale(course, built) == [
        "assignments/shapes/checks.json differs from what the solutions produce"
    ]


def test_links_and_repositories_are_not_overwritten(course: Course, tmp_path: Path) -> None:
    built = planted.build(course)
    (course.root / "dist" / "student" / ".git").mkdir(parents=True)
    with pytest.raises(ReleaseError, match="itself a git repository"):
        tree.write(course, built)
    (course.root / "dist" / "student" / ".git").rmdir()
    (course.root / "dist" / "student").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("")
    (course.root / "dist" / "student").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ReleaseError, match="is a link"):
        tree.write(course, built)
    assert (tmp_path / "elsewhere" / "precious").exists()


def test_what_cannot_be_written_is_told(course: Course) -> None:
    (course.root / "assignments").write_text("a file where a folder should be")
    with pytest.raises(ReleaseError, match="cannot be written"):
        tree.write(course, planted.build(course))


def test_too_large_an_archive_is_refused(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(student, "MAX_ARCHIVE", 10_000)
    with pytest.raises(ReleaseError, match="at most 10,000"):
        planted.build(course)


def test_a_course_without_assignments_is_refused(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text('name = "a"\ntimezone = "UTC"\n')
    with pytest.raises(ReleaseError, match="autograder new"):
        planted.build(Course.load(tmp_path))


def test_sources_for_nbgrader_hold_no_solution_but_in_notebooks(course: Course) -> None:
    built = planted.build(course)
    source = {path.removeprefix("source/shapes/"): content for path, content in built.nbgrader.items()}
    assert b"four times as large" in source["shapes.ipynb"]
    assert source["shapes.py"] == built.assignments["shapes/shapes.py"]
    assert "helpers/testing/checks.py" in source


def test_what_is_the_instructors_in_nbgraders_course_stays(course: Course) -> None:
    tree.write(course, planted.build(course))
    folder = course.root / "dist" / "nbgrader"
    settings = folder / "nbgrader_config.py"
    assert "exclude_overwriting" in settings.read_text()
    own = {
        "gradebook.db": b"points",
        "submitted/ada/shapes/shapes.py": b"pass",
        "source/ps1/ps1.ipynb": b"{}",
        "source/header.ipynb": b"{}",
        "nbgrader_config.py": b"c = get_config()\n",
    }
    for name, content in own.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "downloaded").mkdir()
    (folder / ".git").mkdir()
    (folder / "source" / "shapes" / "stray.py").write_text("")
    tree.write(course, planted.build(course))
    for name, content in own.items():
        assert (folder / name).read_bytes() == content
    assert (folder / "downloaded").is_dir()
    assert not (folder / "source" / "shapes" / "stray.py").exists()


def test_settings_of_nbgrader_that_cannot_be_written(course: Course) -> None:
    (course.root / "dist").mkdir()
    (course.root / "dist" / "nbgrader").write_text("in the way")
    with pytest.raises(ReleaseError, match=r"dist/nbgrader.*cannot be written"):
        tree.write(course, planted.build(course))


def test_a_cell_with_the_name_of_one_for_points_is_refused(course: Course) -> None:
    path = course.root / "solutions" / "shapes" / "shapes.md"
    cell = "```{code-cell} ipython3\n---\nnbgrader: {grade_id: code-area, solution: true}\n---\npass\n```\n"
    path.write_text(f"{path.read_text()}\n{cell}")
    with pytest.raises(ReleaseError, match=r"shapes.md:\d+: grade_id 'code-area' is taken; rename it"):
        planted.build(course)


def with_list(course: Course, **statuses: str) -> Course:
    """List assignments in ``course.toml``; those that are not there yet are copies of the one that is."""
    path = course.root / "course.toml"
    lines = [f'[[assignments]]\nname = "{name}"\nstatus = "{status}"\n' for name, status in statuses.items()]
    path.write_text(path.read_text().partition("[[assignments]]")[0] + "\n".join(lines))
    for name in statuses:
        planted.copy_assignment(course.root, name)
    return Course.load(course.root)


def test_a_draft_reaches_no_student(course: Course) -> None:
    course = with_list(course, shapes="released", solids="draft", lines="closed")
    built = planted.build(course)
    assert {path.partition("/")[0] for path in built.assignments} == {"shapes", "solids", "lines"}
    assert {path.split("/")[1] for path in built.student if path.startswith("assignments/")} == {
        "shapes",
        "lines",
    }
    assert set(built.archives) == {"shapes.zip", "lines.zip"}
    readme = built.student["README.md"].decode()
    assert "solids" not in readme
    assert readme.index("shapes.ipynb") < readme.index("lines.ipynb"), "in the course's order"
    assert "(closed)" in readme


def test_what_becomes_a_draft_leaves_dist(course: Course) -> None:
    course = with_list(course, shapes="released", solids="released")
    tree.write(course, planted.build(course))
    course = with_list(course, shapes="released", solids="draft")
    tree.write(course, tree.build(course, planted.plan, ["shapes"]))
    assert not (course.root / "dist" / "student" / "assignments" / "solids").exists()
    assert not (course.root / "dist" / "solids.zip").exists()
    assert (course.root / "assignments" / "solids" / "solids.py").is_file()


def test_the_release_of_one_leaves_the_files_of_others_alone(course: Course) -> None:
    course = with_list(course, shapes="released", solids="released")
    tree.write(course, planted.build(course))
    folders = ("assignments/{}", "dist/student/assignments/{}", "dist/nbgrader/source/{}")
    for name in ("shapes", "solids"):
        path = course.root / "solutions" / name / f"{name}.py"
        path.write_text(path.read_text().replace("of all kinds", "of many kinds"))
    tree.write(course, tree.build(course, planted.plan, ["shapes"]))
    for folder in folders:
        new = (course.root / folder.format("shapes") / "shapes.py").read_text()
        old = (course.root / folder.format("solids") / "solids.py").read_text()
        assert "of many kinds" in new
        assert "of all kinds" in old
    assert (course.root / "dist" / "solids.zip").is_file()
    assert len(tree.find_stale(course, planted.build(course))) == 2, "the checks hold the stub as well"
    assert tree.find_stale(course, tree.build(course, planted.plan, ["shapes"])) == []


def test_one_that_was_never_released_is_not_in_the_tree(course: Course) -> None:
    course = with_list(course, shapes="released", solids="released")
    built = tree.build(course, planted.plan, ["solids"])
    assert not [path for path in built.student if path.startswith("assignments/shapes/")]
    assert b"shapes.ipynb" not in built.student["README.md"]


def test_a_list_names_what_is_there(course: Course) -> None:
    path = course.root / "course.toml"
    path.write_text(path.read_text() + '[[assignments]]\nname = "solids"\n')
    with pytest.raises(ReleaseError, match="names 'solids', and there is no solutions/solids/assignment"):
        planted.build(Course.load(course.root))


def test_the_readme_says_what_an_assignment_takes(course: Course) -> None:
    path = course.root / "solutions" / "shapes" / "assignment.toml"
    text = path.read_text().replace('id = "table"', 'id = "table"\nextra = true')
    path.write_text(text + '\n[overview]\nneeds = "sides"\nminutes = 4\ngpu = true\n')
    row = planted.build(course).student["README.md"].decode().split("\n")[4]
    assert row.startswith("| 1 | [Shapes](assignments/shapes/shapes.ipynb) [![Open in Colab]")
    assert row.endswith(" | sides | 10 + 5 for answers + 2.5 extra | 4 min, less with a GPU |")
