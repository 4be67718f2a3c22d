"""A suite that is broken itself stops a run before any student is told anything."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autograder.commands.main import app
from autograder.graded.folder import GradedFolder
from tests.support import tiny

LINE = '        checks.close(tiny_module.double(SECRET), 2 * SECRET, what="double(x)")'.strip()
BROKEN = {
    "a name that is not there": (f"{LINE}\n    nothing.at_all", "NameError: name 'nothing' is not defined"),
    "an exception before student code is used": ("raise ValueError('no data')", "ValueError: no data"),
    "a check used wrongly": (
        "checks.holds(SECRET, what='x', problem='y')",
        "TypeError: holds() needs a bool",
    ),
    "a skipped test": ("pytest.skip('not today')", "Skipped: not today"),
    "student code compared": ("assert tiny_module.Table() == 3", "ProxyError: <student's object #"),
    "no threshold": (
        "from autograder.course.thresholds import Thresholds; Thresholds('tiny').require('a', 1.0, what='a')",
        "holds no threshold 'a'; run: autograder calibrate tiny",
    ),
}


def grade(root: Path, *words: str) -> Result:
    options = ["-o", str(root / "graded"), "--course", str(root / "course"), *words]
    return CliRunner().invoke(app, ["grade", "tiny", str(root / "class"), *options])


def write(root: Path, hidden: str, source: str = tiny.REFERENCE) -> None:
    tiny.write_course(root / "course", hidden=hidden)
    (root / "class" / "ada").mkdir(parents=True, exist_ok=True)
    (root / "class" / "ada" / "tiny_module.py").write_text(source)


def line_of(text: str, wanted: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if wanted in line)


@pytest.mark.parametrize("kind", BROKEN)
def test_an_error_of_the_suite_stops_the_run_with_file_and_line(kind: str, tmp_path: Path) -> None:
    body, told = BROKEN[kind]
    hidden = tiny.HIDDEN.replace(LINE, body)
    write(tmp_path, hidden)
    done = grade(tmp_path)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    line = line_of(hidden, body.splitlines()[-1])
    where = tmp_path / "course/autograder/suites/tiny" / f"test_hidden.py:{line}"
    assert done.stderr.startswith(f"error: {where}: ")
    assert told in done.stderr
    assert not list((tmp_path / "graded" / "results").iterdir())
    assert not list((tmp_path / "graded" / "feedback").iterdir())


def test_a_missing_fixture_names_the_test(tmp_path: Path) -> None:
    hidden = tiny.HIDDEN.replace("def test_table_hidden():", "def test_table_hidden(nowhere):")
    write(tmp_path, hidden)
    done = grade(tmp_path)
    line = line_of(hidden, "nowhere") - 1
    assert re.search(rf"test_hidden.py:({line}|{line + 1}): there is no fixture 'nowhere'", done.stderr)


def test_a_reference_that_fails_a_test_is_named_with_it(tmp_path: Path) -> None:
    write(tmp_path, tiny.HIDDEN.replace("2 * SECRET", "3 * SECRET"))
    done = grade(tmp_path)
    assert done.exit_code == 2
    assert (
        "test_hidden.py::test_double_hidden: the reference fails this test: double(x): wrong val"
        in done.stderr
    )
    assert f"autograder check {tmp_path}/course/solutions/tiny/tiny_module.py --details" in done.stderr


def test_a_reference_that_hits_a_limit_names_the_limits(tmp_path: Path) -> None:
    body = f"{LINE}\n    while True: tiny_module.double(SECRET)"
    write(tmp_path, tiny.HIDDEN.replace(LINE, body))
    assignment = tmp_path / "course/solutions/tiny/assignment.toml"
    assignment.write_text(assignment.read_text().replace("wall_seconds = 10", "wall_seconds = 2"))
    done = grade(tmp_path)
    assert done.exit_code == 2
    assert "test_hidden.py::test_double_hidden: the reference does not get through this test" in done.stderr
    assert f"raise the limits in {assignment}" in done.stderr


def test_the_reference_is_graded_once_for_one_suite(tmp_path: Path) -> None:
    write(tmp_path, tiny.HIDDEN)
    record = tmp_path / "course/.coursegrad/preflight/tiny.json"
    assert grade(tmp_path).exit_code == 0
    first = record.stat().st_mtime_ns
    shutil.rmtree(tmp_path / "graded")
    assert grade(tmp_path).exit_code == 0
    assert record.stat().st_mtime_ns == first
    write(tmp_path, tiny.HIDDEN + "\n")
    assert grade(tmp_path).exit_code == 0
    assert record.stat().st_mtime_ns > first
    write(tmp_path, tiny.HIDDEN.replace(LINE, "nothing"))
    assert grade(tmp_path).exit_code == 2, "what passed once is no record of another suite"


UNCHECKED = tiny.HIDDEN.replace(
    LINE, "found = tiny_module.double(SECRET)\n    checks.close(found + 0, 2 * SECRET, what='x')"
)


def test_an_error_that_only_a_submission_brings_out_is_the_instructors(tmp_path: Path) -> None:
    write(
        tmp_path, UNCHECKED, tiny.REFERENCE.replace("return 2 * x", "return None if len(x) == 2 else 2 * x")
    )
    done = grade(tmp_path)
    assert done.exit_code == 0, done.output
    place = f"test_hidden.py:{line_of(UNCHECKED, 'found + 0')}"
    told = f"{place}: TypeError: unsupported operand type(s) for +: 'NoneType' and 'int'"
    assert f"warning: the suite failed at {told}; correct it and grade again, on: ada" in done.stderr
    folder = GradedFolder(tmp_path / "graded")
    page = folder.feedback_file("ada", "md").read_text()
    assert "This check stopped with an error of its own" in page
    assert "TypeError" not in page
    assert "The suite failed" in folder.class_report.read_text()
    (test,) = (one for one in folder.results()["ada"].tests if one.status == "suite_error")
    assert test.fault == told
    assert test.points == 0
