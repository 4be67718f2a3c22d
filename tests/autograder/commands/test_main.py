"""The command line: reports on standard output, one line per error, and a fast start."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from autograder.commands.main import app
from autograder.course import Course
from tests.support.waiting import PATIENCE


@pytest.fixture
def run(course: Course, monkeypatch: pytest.MonkeyPatch, open_engine: Any) -> Any:
    """Return a function that runs a command in the course's folder with the stand-in engine."""
    monkeypatch.chdir(course.root)
    monkeypatch.setenv("COLUMNS", "120")

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words], obj=open_engine)

    return invoke


def test_grading_a_class(run: Any, class_folder: Path, tmp_path: Path) -> None:
    done = run("grade", "toy", class_folder, "--output", tmp_path / "graded", "--jobs", 2)
    assert done.exit_code == 0
    assert done.stderr == ""
    for words in ("ada", "12.5", "all 2 checks passed", "2 failed", "toy.py is missing.", "3 students"):
        assert words in done.stdout
    assert str(tmp_path / "graded" / "grades.csv") in done.stdout.replace("\n", "")


def test_weak_and_missing_sandboxes_are_announced_in_one_line(
    run: Any, class_folder: Path, tmp_path: Path
) -> None:
    none = run("grade", "toy", class_folder, "-o", tmp_path / "a", "--sandbox", "none")
    assert none.stderr.splitlines() == [
        "warning: student code ran without a sandbox; use these grades only to test the suite"
    ]
    weak = run("grade", "toy", class_folder, "-o", tmp_path / "b", "--allow-weak-sandbox")
    assert weak.stderr.splitlines() == [
        "warning: the sandbox is weak (not proved: uid); run `autograder probe` for details"
    ]


def test_notes_about_the_class_are_warnings(run: Any, class_folder: Path, tmp_path: Path) -> None:
    (class_folder / "b\x1b[2Jad.xlsx").write_text("")
    done = run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    assert done.stderr == "warning: b\\x1b[2Jad.xlsx belongs to no student and was left out.\n"


def test_earlier_results_are_mentioned(run: Any, class_folder: Path, tmp_path: Path) -> None:
    run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    (class_folder / "bob").rename(class_folder / "rob")
    done = run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    assert done.stderr.splitlines() == [
        "2 of 3 results were up to date and kept",
        "warning: the gradebook still holds students who are not in this folder: bob; "
        f"to take one out: autograder remove {tmp_path / 'graded'} STUDENT",
    ]


def test_unfinished_grading_is_mentioned(run: Any, class_folder: Path, tmp_path: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("half")
    done = run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    assert done.stderr == "warning: some checks ended without a result; run the command again for: ada\n"


def test_errors_are_one_line_with_what_to_do(run: Any, class_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "graded"
    for words, message in {
        ("grade", "knn", class_folder, "-o", output): "choose one of: toy",
        ("grade", "toy", tmp_path / "no\nwhere", "-o", output): "there is no such folder; check the path",
        ("grade", "toy", class_folder, "-o", class_folder / "out"): "choose one outside it",
        ("grade", "toy", class_folder, "-o", output, "--course", tmp_path): "no course.toml here",
        ("check", class_folder): "several folders in it hold toy.py; grade a class with",
        ("report", output): "grade a class first",
    }.items():
        failed = run(*words)
        assert failed.exit_code == 2, words
        assert failed.stdout == ""
        (line,) = failed.stderr.splitlines()
        assert line.startswith("error: ")
        assert message in line
    assert not output.exists()


def test_a_package_that_the_grader_lacks_stops_before_anybody_is_graded(
    run: Any, course: Course, class_folder: Path, tmp_path: Path
) -> None:
    settings = course.root / "course.toml"
    settings.write_text(f'packages = ["torch", "no-such-package"]\n{settings.read_text()}')
    done = run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "pip install no_such_package" in done.stderr
    assert not (tmp_path / "graded").exists()


def test_checking_one_submission(run: Any, class_folder: Path) -> None:
    passed = run("check", class_folder / "ada" / "toy.py")
    assert passed.exit_code == 0
    assert "A toy  12.5 of 12.5 points" in passed.stdout
    failed = run("check", class_folder / "bob", "--assignment", "toy")
    assert failed.exit_code == 0
    assert "\\x1b[31mWrong.\\u202e" in failed.stdout
    assert "CANARY" not in failed.stdout
    assert "CANARY" in run("check", class_folder / "bob", "--details").stdout


CANVAS = """\
Student,ID,SIS Login ID,Section,Notes,A toy (77),Final Score
    Points Possible,,,,,12.5,(read only)
"Adams, Ada",1,ada,A,,,
"Bell, Bob",2,bob,A,,EX,
"Nobody, Nina",3,nina,A,,,
"Nobody, Ned",4,ned,A,,3,
"Student, Test",5,0a1b,A,,,
"""


def test_canvas_gets_points_and_keeps_what_nobody_decided(
    run: Any, class_folder: Path, tmp_path: Path
) -> None:
    output, export = tmp_path / "graded", tmp_path / "export.csv"
    export.write_text(CANVAS)
    words = ("grade", "toy", class_folder, "-o", output, "--roster", export)
    done = run(*words)
    assert (output / "canvas.csv").read_text().splitlines() == [
        "Student,ID,SIS Login ID,Section,A toy (77)",
        "    Points Possible,,,,12.5",
        '"Adams, Ada",1,ada,A,12.5',
        '"Bell, Bob",2,bob,A,EX',
    ]
    assert "points for 1; 3 left as they are: 1 excused, 2 without a submission" in done.stdout
    assert "5 students (1 excused, 2 without a submission), mean 6.25" in done.stdout
    assert done.stderr.splitlines() == [
        "warning: export.csv: left out 1 test student of Canvas.",
        "warning: Not on the roster, but graded: eve.",
        "warning: Nothing was handed in by Nobody, Nina; Nobody, Ned.",
        "warning: not in Canvas' export, so not in canvas.csv: eve",
    ]
    gradebook = (output / "grades.csv").read_text(encoding="utf-8").splitlines()
    rows = {row["student"]: row for row in csv.DictReader(gradebook)}
    assert {name: (row["score"], row["status"]) for name, row in rows.items()} == {
        "ada": ("12.5", "graded"),
        "bob": ("", "excused"),
        "eve": ("0", "not run"),
        "nina": ("", "nothing handed in"),
        "ned": ("", "nothing handed in"),
    }

    def page(student: str) -> str:
        return (output / "feedback" / f"{student}.md").read_text(encoding="utf-8").splitlines()[0]

    assert {name: page(name) for name in rows} == {
        "ada": "# A toy: 12.5 of 12.5 points",
        "bob": "# A toy: no points",
        "eve": "# A toy: 0 of 12.5 points",
        "nina": "# A toy: no points",
        "ned": "# A toy: no points",
    }
    again = run("report", output, "--roster", export, "--missing-as-zero")
    assert page("nina") == "# A toy: 0 of 12.5 points"
    assert "points for 3; 1 left as they are: 1 excused" in again.stdout
    assert '"Nobody, Nina",3,nina,A,0' in (output / "canvas.csv").read_text()
    decided = run("override", output, "nina", "--points", 4, "--reason", "an oral exam", "--by", "Grace")
    assert decided.stderr.startswith(f"warning: {output / 'canvas.csv'} is older than these points; ")
    run("report", output, "--roster", export)
    assert '"Nobody, Nina",3,nina,A,4' in (output / "canvas.csv").read_text()
    export.write_text(CANVAS.replace("A,,EX", "A,,"))
    run(*words)  # everything is up to date, and Bob is no longer excused
    assert [page(name) for name in ("bob", "nina", "ned")] == [
        "# A toy: 0 of 12.5 points",
        "# A toy: 4 of 12.5 points",
        "# A toy: no points",
    ]


def test_canvas_keeps_what_waits_for_a_decision(run: Any, class_folder: Path, tmp_path: Path) -> None:
    output, export = tmp_path / "graded", tmp_path / "export.csv"
    export.write_text(CANVAS.replace("Nobody, Ned", "Choice, Una").replace(",ned,", ",una,"))
    for place, word in {"first": "pass", "second": "fail"}.items():
        (class_folder / "una" / place).mkdir(parents=True)
        (class_folder / "una" / place / "toy.py").write_text(word)
    done = run("grade", "toy", class_folder, "-o", output, "--roster", export)
    assert "1 excused, 1 without a submission, 1 waiting for your decision" in done.stdout
    assert "Choice, Una" not in (output / "canvas.csv").read_text()
    (row,) = [row for row in (output / "grades.csv").read_text().splitlines() if row.startswith("una,")]
    assert row.startswith('una,"Choice, Una",,12.5,,,needs a decision,')


def test_the_column_of_canvas_is_known_before_grading(
    run: Any, course: Course, class_folder: Path, tmp_path: Path
) -> None:
    output, export = tmp_path / "graded", tmp_path / "export.csv"
    words = ("grade", "toy", class_folder, "-o", output, "--roster", export)
    export.write_text(CANVAS.replace("Notes", "a toy (78)"))
    refused = run(*words)
    assert (refused.exit_code, output.exists()) == (2, False)
    assert "has several columns of 'A toy': a toy (78); A toy (77); write the number" in refused.stderr
    settings = course.root / "course.toml"
    settings.write_text(f"{settings.read_text()}[gradebook]\ntoy = 78\n")
    assert run(*words).exit_code == 0
    assert "a toy (78)" in (output / "canvas.csv").read_text()
    settings.write_text(settings.read_text().replace("78", '"Exercise 1"'))
    export.write_text(CANVAS.replace("A toy (77)", "Homework (77)"))
    added = run("report", output, "--roster", export)
    for words in (
        "no column `Exercise 1 (number)` or `A toy (number)` or `toy (number)` (it has Homework (77)), so",
        "[gradebook] toy = 77",
    ):
        assert words in added.stderr
    assert (output / "canvas.csv").read_text().splitlines()[0].endswith(",Exercise 1")


def test_reports_are_written_again(run: Any, class_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "graded"
    first = run("grade", "toy", class_folder, "-o", output)
    (output / "grades.csv").unlink()
    again = run("report", output)
    assert again.exit_code == 0
    assert again.stdout == first.stdout
    assert (output / "grades.csv").is_file()


def test_weights_that_moved_within_a_task_are_one_line(
    course: Course, class_folder: Path, tmp_path: Path, open_engine: Any
) -> None:
    class Reweighted(open_engine):  # type: ignore[misc]
        plan = (
            *open_engine.plan,
            replace(open_engine.plan[0], id="test_public.py::test_c", title="Adds more"),
        )

    words = ["grade", "toy", str(class_folder), "-o", str(tmp_path / "graded"), "--course", str(course.root)]
    assert CliRunner().invoke(app, words, obj=open_engine).exit_code == 0
    (course.root / "autograder/suites/toy/test_hidden.py").write_text("# another one\n")
    done = CliRunner().invoke(app, words, obj=Reweighted)
    assert done.exit_code == 0, done.output
    assert done.stderr.splitlines()[0] == (
        "points moved between tests of the same task; 3 students with the same submission keep their points"
    )


def test_interruption_is_one_line(run: Any, class_folder: Path, tmp_path: Path) -> None:
    (class_folder / "ada" / "toy.py").write_text("stop")
    done = run("grade", "toy", class_folder, "-o", tmp_path / "graded")
    assert done.exit_code == 130
    assert done.stderr.splitlines() == [
        "stopped: 2 of 3 submissions are graded and kept; the same command continues from here"
    ]
    checked = run("check", class_folder / "ada")
    assert (checked.exit_code, checked.stderr) == (130, "stopped\n")


def test_interruption_counts_what_is_on_disk(
    course: Course, class_folder: Path, tmp_path: Path, open_engine: Any
) -> None:
    class Interrupted(open_engine):  # type: ignore[misc]
        def __enter__(self) -> Any:
            raise KeyboardInterrupt

    words = ["grade", "toy", str(class_folder), "-o", str(tmp_path / "graded"), "--course", str(course.root)]
    assert CliRunner().invoke(app, words, obj=open_engine).exit_code == 0
    (tmp_path / "graded" / "results" / "eve.json").unlink()
    (class_folder / "bob" / "toy.py").write_text("pass")
    done = CliRunner().invoke(app, words, obj=Interrupted)
    assert done.exit_code == 130
    assert done.stderr.startswith("stopped: 1 of 3 submissions are graded and kept"), "ada's"


def test_schema_is_printed(run: Any) -> None:
    assert json.loads(run("schema").stdout)["title"] == "SubmissionResult"


@pytest.mark.parametrize(
    "command", [[], ["grade"], ["check"], ["report"], ["accept"], ["override"], ["probe"], ["schema"]]
)
def test_help_shows_an_example(run: Any, command: list[str]) -> None:
    shown = run(*command, "--help")
    assert shown.exit_code == 0
    assert "Example: autograder" in shown.stdout


def test_start_is_fast_and_leaves_torch_alone() -> None:
    code = (
        "import sys\n"
        "from autograder import intake\n"
        "from autograder.commands import main, terminal\n"
        "from autograder.grading import loop\n"
        "from autograder.reports import table\n"
        "heavy = {'torch', 'numpy', 'pytest', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    ours, bare = (min(cpu_seconds(*words) for _ in range(4)) for words in (HELP, IMPORTS))
    assert ours < 4 * bare


HELP = ("-m", "autograder", "--help")
IMPORTS = ("-c", "import pydantic, rich.console, rich.table, typer")
"""What the command line is made of, and so the least that it can take."""


def cpu_seconds(*words: str) -> float:
    """Return the CPU time of a Python of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_version() -> None:
    shown = subprocess.run([sys.executable, "-m", "autograder", "--version"], capture_output=True, text=True)
    assert shown.stdout.startswith("autograder 0.")


def test_interrupting_the_real_process(course: Course, class_folder: Path, tmp_path: Path) -> None:
    program = (
        "import time\n"
        "from autograder.commands import main\n"
        "class Slow:\n"
        "    def __init__(self, *a, **k): pass\n"
        "    def __enter__(self):\n"
        "        print('ready', flush=True)\n"
        "        while True: time.sleep(0.01)\n"  # one long call could begin just after the signal
        "    def __exit__(self, *a): pass\n"
        f"main.app(['grade', 'toy', {str(class_folder)!r}, '-o', {str(tmp_path / 'out')!r}], obj=Slow)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COURSEGRAD_ROOT": str(course.root)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert stderr.count("\n") == 1
    assert stderr.startswith("stopped: 0 of 3")


SUITE = '''
import pytest
import toy

@pytest.mark.task("{task}")
def test_{task}():
    """Answers."""
    assert toy.answer() == 42
'''


@pytest.mark.full
def test_grading_with_the_real_engine(course: Course, class_folder: Path, tmp_path: Path) -> None:
    suite = course.root / "autograder" / "suites" / "toy"
    (suite / "test_public.py").write_text(SUITE.format(task="first"))
    (suite / "test_hidden.py").write_text(SUITE.format(task="second"))
    (class_folder / "ada" / "toy.py").write_text("def answer():\n    return 42\n")
    (class_folder / "bob" / "toy.py").write_text("def answer():\n    return 41\n")
    output = tmp_path / "graded"
    words = ["grade", "toy", class_folder, "-o", output, "--allow-weak-sandbox", "--course", course.root]
    subprocess.run([sys.executable, "-m", "autograder", *map(str, words)], check=True, capture_output=True)
    rows = [row.split(",")[:3] for row in (output / "grades.csv").read_text().splitlines()]
    assert rows[1:] == [["ada", "", "12.5"], ["bob", "", "0"], ["eve", "", "0"]]
    (suite / "test_hidden.py").write_text("import nothing_of_that_name\n")
    failed = subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, words)], capture_output=True, text=True
    )
    assert failed.returncode == 2
    assert failed.stderr.startswith("error: ")
    assert failed.stderr.count("\n") == 1


def test_help_names_the_defaults(run: Any) -> None:
    """Square brackets in a help text are markup, and would vanish."""
    for command, default in {
        "grade": "one per core",
        "report": "of course.toml",
        "override": "the whole score",
        "audit": "around this folder",
    }.items():
        assert f"[default: ({default})]" in " ".join(run(command, "--help").output.replace("│", "").split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("grade", "knn"), "autograder grade: Missing argument 'CLASS_FOLDER'. See: autograder grade --help"),
        (("grade", "knn", "x", "-o", "y", "--jbos", "3"), "autograder grade: No such option: --jbos"),
        (
            ("grade", "knn", "x", "-o", "y", "-j", "many"),
            "autograder grade: Invalid value for '--jobs' / '-j'",
        ),
        (("garde", "knn"), "autograder: No such command 'garde'"),
    ],
)
def test_a_mistyped_command_is_one_line(words: tuple[str, ...], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.replace("python -m autograder", "autograder").startswith(f"error: {told}")


def test_the_module_imports_nothing_from_the_current_folder(tmp_path: Path) -> None:
    """It may be run in the folder of a hand-in, whose `helpers` and `typer.py` are a student's."""
    (tmp_path / "helpers").mkdir()
    for name in ("helpers/__init__.py", "typer.py", "pathlib.py"):
        (tmp_path / name).write_text('raise SystemExit("hostile")\n')
    command = [sys.executable, "-m", "autograder", "probe", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
