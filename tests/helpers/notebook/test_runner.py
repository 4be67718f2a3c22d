"""One call tells a student what is right, what is wrong, and which version of the file ran."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import helpers
from helpers import check
from helpers.notebook import frontend, reload, runner, submit
from helpers.submission.handout import HandoutError
from tests.support.fake_colab import FakeShell
from tests.support.handouts import SOLUTION, STUB, TESTS, write_toy


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file that the student edits, beside the notebook."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    yield write_toy(tmp_path)
    sys.modules.pop("toy", None)
    reload._finder.files.clear()
    runner._last.clear()
    runner._checked.clear()


def statuses(task: str | int | None = None) -> list[str]:
    return [outcome.status for outcome in runner.run("toy", task).outcomes]


def test_the_stub_and_the_solution(toy: Path) -> None:
    assert statuses() == ["not_implemented", "not_judged", "not_implemented", "not_implemented"]
    toy.write_text(SOLUTION)
    done = runner.run("toy")
    assert done.passed == 4
    assert done.points == done.max_points == 5.5
    assert done.checked.startswith("toy.py as saved at ")
    assert done.notes == ()


def test_one_task(toy: Path) -> None:
    toy.write_text(SOLUTION)
    assert statuses("total") == ["passed", "passed"]
    assert statuses(2) == statuses("2") == statuses("total")
    for unknown in ("sum", 0, 3, -1, "two"):
        listed = re.escape(f"toy has no task {unknown!r}; choose one of: 1 (double), 2 (total).")
        with pytest.raises(HandoutError, match=listed):
            runner.run("toy", unknown)


def test_without_the_name_of_the_assignment(toy: Path) -> None:
    for call in (check, submit.build, submit.preview):
        with pytest.raises(HandoutError, match=r'^Name the assignment between the brackets: "toy"\.$'):
            call()
    with pytest.raises(HandoutError, match="Name the assignment"):
        check(2)  # type: ignore[arg-type]


def test_every_edit_counts_at_once(toy: Path) -> None:
    for body, status in {
        "return 2 * x": "passed",
        "return 3 * x": "failed",
        "return x * x ": "failed",
    }.items():
        toy.write_text(STUB.replace('raise NotImplementedError("toy: double")', body))
        done = runner.run("toy", "double")
        assert done.outcomes[0].status == status
    assert done.outcomes[0].failure is not None
    assert done.outcomes[0].failure.likely_cause == "this is the square"


def test_a_rule_about_source_says_what_grading_says(toy: Path) -> None:
    ((public,),) = [list(toy.parent.rglob("test_public.py"))]
    rule = 'checks.holds(True, what="the function", problem="is long")'
    assert rule in TESTS
    asks = 'from helpers.testing.constraints import require; require(toy.double, banned=["torch.cdist"])'
    public.write_text(TESTS.replace(rule, asks))
    toy.write_text(SOLUTION)
    assert statuses("double") == ["passed", "passed"]
    toy.write_text("import timeit\n" + SOLUTION.replace("2 * x", "2 * x + int(0 * timeit.default_timer())"))
    failure = runner.run("toy", "double").outcomes[1].failure
    assert failure is not None
    assert failure.problem == "double(): uses timeit.default_timer, which this check does not know."
    assert failure.likely_cause == "write it in plain tensor operations"


def test_an_exception_shows_the_line_that_was_saved_last(toy: Path) -> None:
    runner.run("toy")
    toy.write_text("# one line more\n" + STUB.replace('raise NotImplementedError("toy: double")', "return y"))
    failure = runner.run("toy", "double").outcomes[0].failure
    assert failure is not None
    assert failure.problem == "Your code raised NameError: name 'y' is not defined"
    assert failure.place == "toy.py, line 7, in double"
    assert failure.code == "return y"


def test_a_file_that_does_not_load(toy: Path) -> None:
    toy.write_text("def double(x:\n")
    done = runner.run("toy")
    assert done.problem is not None
    assert done.problem.place == "toy.py, line 1"
    assert [outcome.status for outcome in done.outcomes] == ["not_run"] * 4
    assert done.notes == ()
    toy.write_text(SOLUTION)
    runner.run("toy")
    toy.write_text("import no_such_module\n")
    done = runner.run("toy")
    assert done.problem is not None
    assert "ModuleNotFoundError" in done.problem.problem
    (note,) = done.notes
    assert "is newer than what runs: this notebook still has the version" in note


def test_a_file_that_was_not_saved(toy: Path) -> None:
    runner.run("toy")
    (note,) = runner.run("toy").notes
    assert note == "toy.py has not changed since the last check. If you edited it, save the file first."
    assert runner.run("toy", "total").notes == ()
    toy.write_text(SOLUTION)
    assert runner.run("toy").notes == runner.run("toy").notes == ()


def test_functions_written_into_the_notebook_are_pointed_out(toy: Path) -> None:
    runner.run("toy")
    exec("def double(x):\n    return 2 * x\n\ndef mine():\n    pass\n", vars(sys.modules["__main__"]))
    toy.write_text(SOLUTION)
    (note,) = runner.run("toy").notes
    assert note == "double: defined in this notebook as well. Only the version in toy.py is checked."
    toy.write_text(STUB)
    assert runner.run("toy", "double").notes == (
        "double: written in this notebook, but not in toy.py, which is what this checks. submit.build and "
        "grading take it from the notebook, once that is saved.",
    )


def test_missing_files(toy: Path) -> None:
    toy.unlink()
    with pytest.raises(HandoutError, match=r"toy\.py is missing; the set-up cell puts it back"):
        runner.run("toy")
    with pytest.raises(HandoutError, match="no assignment 'nothing'"):
        runner.run("nothing")


def test_a_terminal_shows_text(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    helpers.check("toy", task="total")
    assert capsys.readouterr().out.startswith("A toy: 0 of 2 public checks passed\n")


def test_a_notebook_shows_html(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell()
    monkeypatch.setattr(frontend, "shell", lambda: shell)
    helpers.check("toy")
    (bundle,) = shell.published
    assert bundle["text/html"].startswith('<div class="coursegrad">')
    assert bundle["text/plain"].startswith("A toy: 0 of 4 public checks passed")


def test_an_interruption_shows_the_table_and_stops_the_notebook(
    toy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toy.write_text(SOLUTION.replace("return 2 * x", "raise KeyboardInterrupt"))
    with pytest.raises(KeyboardInterrupt) as caught:
        helpers.check("toy")
    assert isinstance(caught.value, runner.Stopped)
    assert caught.value._render_traceback_() == ["Stopped."]
    said = capsys.readouterr().out
    assert "■ stopped" in said
    assert said.count("○ not run") == 2
    assert "toy.py, line 6, in double" in said


def test_it_is_quick(toy: Path) -> None:
    toy.write_text(SOLUTION)
    program = (
        "import sys\n"
        "from helpers.notebook import runner\n"
        "runner.run('toy')\n"
        "calls = 0\n"
        "def count(*_):\n"
        "    global calls\n"
        "    calls += 1\n"
        "sys.setprofile(count)\n"
        "runner.run('toy')\n"
        "sys.setprofile(None)\n"
        "print(calls)\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=toy.parent, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) < 600_000
