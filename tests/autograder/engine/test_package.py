"""Modules that the test files of a suite share: found by them, in the folder in use, and by nobody else."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from autograder.course import Course, provenance
from autograder.course import assignment as assignments
from autograder.course.assignment import Assignment
from autograder.engine.package import importable
from autograder.engine.pool import Pool
from autograder.errors import ConfigError, SuiteError
from autograder.intake import Submission
from tests.support import tiny

SHARED = """import tiny_module
import torch

from helpers.testing import checks

NUMBERS = torch.tensor([31337.0, 4242.0])


def check_double(x):
    checks.close(tiny_module.double(x), 2 * x, what="double(x)")
"""
IMPORT, SECRET, CHECK = (
    "import tiny_module\n",
    "SECRET = torch.tensor([31337.0, 4242.0])\n",
    'checks.close(tiny_module.double(SECRET), 2 * SECRET, what="double(x)")\n',
)
HIDDEN = (
    tiny.HIDDEN.replace(IMPORT, f"{IMPORT}from suite.oracles import NUMBERS as SECRET, check_double\n")
    .replace(SECRET, "")
    .replace(CHECK, "check_double(SECRET)\n")
)
LOOK = (
    "import importlib, sys\n"
    "def look():\n"
    "    for name in ('suite', 'suite.oracles', 'oracles'):\n"
    "        try:\n"
    "            importlib.import_module(name)\n"
    "        except ModuleNotFoundError:\n"
    "            continue\n"
    "        print('FOUND', name)\n"
    "    print('LOOKED', [name for name in sys.modules if name.partition('.')[0] in ('suite', 'oracles')])\n"
    "look()\n"
)


def write_course(root: Path, shared: str = SHARED) -> tuple[Course, Assignment]:
    """Write the tiny course, with a suite that shares a module."""
    course, assignment = tiny.write_course(root, hidden=HIDDEN)
    (assignment.suite / "oracles.py").write_text(shared)
    return course, assignment


def outcomes(
    course: Course, assignment: Assignment, source: str, sandbox: str, **more: bytes
) -> dict[str, tuple[str, str]]:
    """Return status and output of each test."""
    submission = Submission("ada", Path("ada"), {"tiny_module.py": source.encode(), **more})
    with Pool(assignment, course, jobs=1, sandbox=sandbox) as pool:  # type: ignore[arg-type]
        (found,) = pool.grade([submission])
    return {one.id.partition("::")[2]: (one.status.value, one.output) for one in found.outcomes}


@pytest.mark.parametrize("sandbox", ["full", "none"])
def test_hidden_tests_use_what_they_share(tmp_path: Path, sandbox: str) -> None:
    course, assignment = write_course(tmp_path)
    assert assignment.shared == ("oracles",)
    right = outcomes(course, assignment, tiny.REFERENCE, sandbox)
    assert {status for status, _ in right.values()} == {"passed"}
    wrong = outcomes(course, assignment, tiny.REFERENCE.replace("2 * x", "3 * x"), sandbox)
    assert wrong["test_double_hidden"][0] == "failed"


@pytest.mark.parametrize("sandbox", ["full", "none"])
def test_a_copy_of_the_course_uses_its_own(tmp_path: Path, sandbox: str) -> None:
    write_course(tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    oracles = tmp_path / "two" / "autograder" / "suites" / "tiny" / "oracles.py"
    oracles.write_text(SHARED.replace("2 * x", "3 * x"))
    for name, status in {"one": "passed", "two": "failed"}.items():
        course = Course.load(tmp_path / name)
        found = outcomes(course, assignments.load(course, "tiny"), tiny.REFERENCE, sandbox)
        assert found["test_double_hidden"][0] == status


@pytest.mark.parametrize("sandbox", ["full", "none"])
def test_student_code_finds_none_of_it(tmp_path: Path, sandbox: str) -> None:
    course, assignment = write_course(tmp_path)
    source = LOOK + tiny.REFERENCE.replace("return 2 * x", "look()\n    return 2 * x")
    found = outcomes(course, assignment, source, sandbox)
    status, said = found["test_double_hidden"]
    assert status == "passed"
    assert "LOOKED []" in said
    assert "FOUND" not in said


def test_a_file_of_the_same_name_that_is_handed_in_is_another_module(tmp_path: Path) -> None:
    course, assignment = write_course(tmp_path)
    text = assignment.file.read_text().replace('["tiny_module"]', '["tiny_module", "oracles"]')
    assignment.file.write_text(text)
    (assignment.folder / "oracles.py").write_text("NUMBERS = 'of the student'\n")
    assignment = assignments.load(course, "tiny")
    source = "import oracles\nassert oracles.NUMBERS == 'of the student'\n" + tiny.REFERENCE
    handed_in = (assignment.folder / "oracles.py").read_bytes()
    for sandbox in ("full", "none"):
        found = outcomes(course, assignment, source, sandbox, **{"oracles.py": handed_in})
        assert {status for status, _ in found.values()} == {"passed"}


def test_student_code_cannot_put_another_in_its_place(tmp_path: Path) -> None:
    course, assignment = write_course(tmp_path)
    source = (
        "import sys, types\n"
        "fake = types.ModuleType('suite.oracles')\n"
        "fake.NUMBERS, fake.check_double = None, lambda x: None\n"
        "sys.modules['suite'] = types.ModuleType('suite')\n"
        "sys.modules['suite.oracles'] = sys.modules['suite'].oracles = fake\n"
    ) + tiny.REFERENCE.replace("2 * x", "3 * x")
    for sandbox in ("full", "none"):
        assert outcomes(course, assignment, source, sandbox)["test_double_hidden"][0] == "failed"


@pytest.mark.parametrize(
    ("shared", "words"),
    [
        ("x = 1\n1 / 0\n", "oracles.py, line 2: ZeroDivisionError"),
        ("x = 1\ny = (\n", "oracles.py, line 2: SyntaxError"),
        ("x = 1\n", "test_hidden.py, line 5: ImportError: cannot import name 'NUMBERS'"),
        ("from suite.others import x\n", "oracles.py, line 1: ModuleNotFoundError: No module named"),
        ("from suite.test_hidden import x\n", "oracles.py, line 1: ModuleNotFoundError: No module named"),
    ],
)
def test_an_error_in_it_is_one_clear_line(tmp_path: Path, shared: str, words: str) -> None:
    course, assignment = write_course(tmp_path, shared)
    with pytest.raises(SuiteError) as caught, Pool(assignment, course, jobs=1, sandbox="none"):
        pass
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_hash_of_the_suite_follows_it(tmp_path: Path) -> None:
    _, assignment = write_course(tmp_path)
    before = provenance.suite_hash(assignment)
    (assignment.suite / "oracles.py").write_text(SHARED + "\n# changed\n")
    assert provenance.suite_hash(assignment) != before


def test_files_that_are_no_shared_modules(tmp_path: Path) -> None:
    _, assignment = write_course(tmp_path)
    for name in (
        "conftest.py",
        "__init__.py",
        "_own.py",
        "test_more.py",
        "Big.py",
        "no-name.py",
        "data.toml",
    ):
        (assignment.suite / name).write_text("")
    assert assignment.shared == ("oracles",)


def test_a_module_of_students_cannot_have_the_name_of_the_package(tmp_path: Path) -> None:
    course, assignment = write_course(tmp_path)
    assignment.file.write_text(assignment.file.read_text().replace('["tiny_module"]', '["suite"]'))
    with pytest.raises(ConfigError, match="expected another name"):
        assignments.load(course, "tiny")


def test_the_package_is_there_for_a_while_and_leaves_another_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "oracles.py").write_text("VALUE = 1\n")
    other = ModuleType("suite")
    monkeypatch.setitem(sys.modules, "suite", other)
    finders = list(sys.meta_path)
    with importable(tmp_path):
        assert importlib.import_module("suite.oracles").VALUE == 1
        (tmp_path / "oracles.py").write_text("VALUE = 2\n")
        assert not list(tmp_path.glob("__pycache__"))
    assert sys.modules["suite"] is other
    assert "suite.oracles" not in sys.modules
    assert sys.meta_path == finders
    with importable(tmp_path):
        assert importlib.import_module("suite.oracles").VALUE == 2
