"""An audit finds tests that end differently, limits that are tight, and suites that score wrongly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from autograder.authoring import audit
from autograder.commands.main import app
from autograder.engine.pool import Pool
from tests.support import tiny

FLAKY = '''

@pytest.mark.task("double")
def test_flaky():
    """Ends well in every other round: two submissions are graded in each."""
    with open(COUNT, "a") as file:
        file.write("x")
        assert (file.tell() - 1) // 2 % 2 == 0
'''


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["audit", "tiny", "--course", str(folder), *words])


def test_a_sound_suite(tmp_path: Path) -> None:
    tiny.write_course(tmp_path / "course")
    for name, source in {"ada": tiny.REFERENCE, "bob": "def double(x):\n    return 3 * x\n"}.items():
        (tmp_path / "class" / name).mkdir(parents=True)
        (tmp_path / "class" / name / "tiny_module.py").write_text(source)
    (tmp_path / "class" / "cem").mkdir()
    done = run(tmp_path / "course", "--repeat", "2", "--class", str(tmp_path / "class"))
    assert done.exit_code == 0, done.output
    assert "5 tests on 4 submissions, 2 times: no outcome changed. Reference: 0." in done.stdout
    assert re.search(r"bob +0 +double 6, table 4", done.stdout)
    assert re.search(r"\(stub\) +0 +double 6, table 4", done.stdout)


def test_a_test_that_ends_differently_is_named(tmp_path: Path) -> None:
    count = f"\n\nCOUNT = {str(tmp_path / 'count')!r}\n"
    tiny.write_course(tmp_path / "course", public=tiny.PUBLIC + count + FLAKY)
    done = run(tmp_path / "course", "--repeat", "2")
    assert done.exit_code == 1
    assert "test_public.py::test_flaky" in done.stdout
    assert "passed" in done.stdout
    assert "failed" in done.stdout


def test_a_test_that_hangs_on_the_secret_is_named(tmp_path: Path) -> None:
    chance = '''

@pytest.mark.task("double")
@pytest.mark.parametrize("coin", range(10))  # one of them falls both ways, but for once in 2 ** 30 runs
def test_chance(coin):
    """Ends well under about half of all secrets."""
    from autograder.hidden import hidden_seed

    assert hidden_seed(f"coin {coin}") % 2
'''
    tiny.write_course(tmp_path / "course", hidden=tiny.HIDDEN + chance)
    done = run(tmp_path / "course", "--repeat", "2", "--secrets", "4")
    assert done.exit_code == 1
    assert "test_hidden.py::test_chance[" in done.stdout
    assert re.search(r"(passed|failed) under [0-9]+ secret", done.stdout)
    assert "test_double" not in done.stdout
    assert "and under 4 other secrets: " in done.stdout


def test_tight_limits_and_wrong_scores_are_named(tmp_path: Path) -> None:
    marks = "@pytest.mark.task('double')\n@pytest.mark.limits(cpu_seconds=1)\n"
    slow = f"\n\n{marks}def test_slow():\n    '''Slow.'''\n    tiny_module.double(0)\n"
    course, assignment = tiny.write_course(tmp_path, public=tiny.PUBLIC + slow)
    for path, old, new in (
        (assignment.file, "cpu_seconds = 1", "cpu_seconds = 10"),
        (tmp_path / "solutions" / "tiny" / "tiny_module.py", "return 2 * x", "return busy(x)"),
    ):
        path.write_text(path.read_text().replace(old, new))
    path = tmp_path / "solutions" / "tiny" / "tiny_module.py"
    busy = (
        "\n\ndef busy(x):\n    import time\n    start = time.process_time()\n"
        "    while time.process_time() < start + 0.2:\n        pass\n    return 3 * x\n"
    )
    path.write_text(path.read_text() + busy)
    from autograder.course import assignment as assignments

    found = audit.audit(
        course,
        assignments.load(course, "tiny"),
        [],
        repeat=2,
        sandbox="full",
        open_engine=Pool,
    )
    assert not found.unstable
    assert "test_public.py::test_slow" in {one.test for one in found.tight}
    assert all(one.limit_seconds == 1 and one.reference_seconds > 0.1 for one in found.tight)
    said = " ".join(found.faults)
    assert "The reference gets " in said
    assert "must be longer than the CPU limit" in said
    assert "The stub gets" not in said


@pytest.mark.full
def test_the_suite_of_knn_is_sound() -> None:
    root = Path(__file__).parents[3]
    words = ["--class", str(root / "examples" / "submissions" / "knn"), "--repeat", "4"]
    done = CliRunner().invoke(app, ["audit", "knn", "--course", str(root), *words])
    assert done.exit_code == 0, done.output
    assert "no outcome changed" in done.stdout
