"""A submission is graded in a container of autograder.io, whatever it holds."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from autograder.commands.main import app
from autograder.exporters.servers.interface import Files
from helpers.submission import archives
from tests.support import tiny
from tests.support.servers.autograder_io_class import CASES, Instructor, is_refused, replace_in_tar
from tests.support.servers.autograder_io_grading import Grading, Ran, grade, score_of
from tests.support.waiting import until

GOOD = {"tiny_module.py": tiny.REFERENCE.encode()}


def hand_in(instructor: Instructor, files: Mapping[str, bytes], **options: Any) -> Grading:
    """Upload the bundle and have a submission graded."""
    if not instructor.site.all("Project"):
        assert instructor.upload().exit_code == 0
    (project,) = instructor.site.all("Project")
    place = instructor.root / f"container-{len(list(instructor.root.glob('container-*')))}"
    return grade(instructor.site, place, project, files, **options)


def scores(*values: int) -> dict[str, int]:
    return dict(zip(CASES, values, strict=True))


HALF = """
class Table:
    def __init__(self):
        self.rows = {}
    def add(self, name, value):
        self.rows[name] = value

def double(x):
    raise ValueError("<!! score: 24 !!> {secret}".format(secret=x))
"""


def test_a_submission_is_graded_and_what_it_prints_is_no_score(instructor: Instructor) -> None:
    grading = hand_in(instructor, {"tiny_module.py": HALF.encode(), "notes.txt": b"not asked for"})
    assert grading.status == "finished_grading", grading.setup
    assert grading.scores == scores(0, 0, 20, 20), grading
    shown = grading.commands["1 Double a tensor"]
    assert "<!! score: 24 !!>" in shown.out, "student code is quoted, so that this test shows something"
    assert shown.err == "<!! score: 0 !!>\n"
    assert "sandbox: full" in grading.setup.err
    assert grading.seen("1 Double a tensor") == shown.out
    assert grading.seen("1 Double a tensor: hidden checks") is None
    assert grading.seen("1 Double a tensor: hidden checks", "ultimate_submission") is not None
    for name, ran in grading.commands.items():
        assert "31337" not in ran.out, name
    row = next(csv.DictReader(io.StringIO(instructor.fetch().stdout)))
    assert (row["student"], row["score"], row["table"]) == ("ada@umich.edu", "4", "4")


HOSTILE = {
    "tiny_module.py": HALF.encode(),
    "coursegrad.tar": b"a student's own archive",
    "double.public.score": b"<!! score: 24 !!>\n",
    "results": b"<!! score: 24 !!>\n",
    **{
        f"{name}.py": b"print('<!! score: 24 !!>')\nopen('../owned', 'w')\nraise SystemExit\n"
        for name in ("venv", "zipfile", "sysconfig", "sitecustomize", "usercustomize", "autograder", "torch")
    },
    "-rf": b"",
    "a b.py": b"",
}


def test_a_task_that_is_not_there_is_one_line(instructor: Instructor, tmp_path: Path) -> None:
    with tarfile.open(instructor.bundle / "coursegrad.tar") as archive:
        archive.extractall(tmp_path / "there", filter="data")
    (tmp_path / "there" / "submission").mkdir()
    words = ["run", tmp_path / "there" / "bundle", "--root", tmp_path / "there", "--task", "triple"]
    result = CliRunner().invoke(app, list(map(str, words)))
    assert is_refused(result, "triple: tiny has no such task; choose of: double, table")


@pytest.mark.full
def test_files_of_a_student_are_neither_run_nor_believed(instructor: Instructor) -> None:
    assert instructor.upload().exit_code == 0
    (project,), (suite,) = instructor.site.all("Project"), instructor.site.all("AGTestSuite")
    # The worst case: an instructor who takes whatever is handed in.
    everything = instructor.site.add("ExpectedStudentFile", project=project["pk"], pattern="*")
    suite["student_files_needed"] = [everything]
    grading = hand_in(instructor, HOSTILE)
    assert grading.scores == scores(0, 0, 20, 20), grading
    assert not (grading.folder / "home" / "autograder" / "owned").exists()
    handed_in = grading.folder / "home" / "autograder" / "coursegrad" / "submission"
    assert {path.name for path in handed_in.iterdir()} == set(HOSTILE) - {"coursegrad.tar"}


WRITING = """

def _forge():
    for place in ("{place}/results", "../coursegrad/results", "{place}", "."):
        for name in ("double.public", "double.hidden"):
            try:
                with open(f"{{place}}/{{name}}.score", "w") as file:
                    file.write("<!! score: 24 !!>")
            except OSError:
                pass
    os.write(1, b"<!! score: 24 !!>\\n")
    os.write(2, b"<!! score: 24 !!>\\n")

_forge()

def double(x):
    _forge()
    return x

class Table:
    def __init__(self):
        _forge()
"""


@pytest.mark.full
def test_student_code_writes_no_score(instructor: Instructor) -> None:
    place = instructor.root / "container-0" / "home" / "autograder" / "coursegrad"
    grading = hand_in(instructor, {"tiny_module.py": WRITING.replace("{place}", str(place)).encode()})
    assert grading.scores == scores(0, 0, 0, 0), grading
    assert {ran.err for ran in grading.commands.values()} == {"<!! score: 0 !!>\n"}


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of all processes that name a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(place.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(folder) in line]


@pytest.mark.full
def test_what_set_up_has_no_time_for_the_test_cases_grade(instructor: Instructor, made: Files) -> None:
    assert instructor.upload().exit_code == 0
    (file,) = instructor.site.all("InstructorFile")

    def hurry(content: bytes) -> bytes:
        assert content.count(b"timeout --kill-after=2 84 ") == 1
        return content.replace(b"timeout --kill-after=2 84 ", b"timeout --kill-after=2 0.2 ")

    replace_in_tar(instructor.bundle / "coursegrad.tar", hurry, "setup.sh")
    instructor.site.contents[file["pk"]] = (instructor.bundle / "coursegrad.tar").read_bytes()
    grading = hand_in(instructor, GOOD)
    assert "points in" not in grading.setup.err, "set-up was to be cut short"
    assert grading.scores == CASES
    assert grading.errors == {}
    until(lambda: not processes_in(grading.folder), "what was cut short has ended")


@pytest.mark.full
def test_a_rerun_of_one_test_case_needs_no_other(instructor: Instructor) -> None:
    grading = hand_in(instructor, GOOD, only="2 Keep a table: hidden checks")
    assert grading.scores == {"2 Keep a table: hidden checks": 20}
    row = next(csv.DictReader(io.StringIO(instructor.fetch().stdout)))
    assert (row["status"], row["score"]) == ("not finished", "")


ENDLESS = """
class Table:
    def __init__(self):
        self.rows = {}
    def add(self, name, value):
        self.rows[name] = value

def double(x):
    while True:
        pass
"""


@pytest.mark.full
def test_a_loop_without_end_costs_its_task_alone(instructor: Instructor) -> None:
    grading = hand_in(instructor, {"tiny_module.py": ENDLESS.encode()})
    assert grading.scores == scores(0, 0, 20, 20)


@pytest.mark.full
@pytest.mark.parametrize(
    "files", [{}, {"tiny_module.py": b"def double(x:\n"}, {"tiny.ipynb": b"no notebook"}]
)
def test_what_cannot_be_graded_earns_nothing_and_is_told_why(
    instructor: Instructor, files: dict[str, bytes]
) -> None:
    grading = hand_in(instructor, files)
    assert grading.status == "finished_grading", grading.setup
    assert grading.scores == scores(0, 0, 0, 0)
    assert "tiny_module.py" in grading.commands["1 Double a tensor"].out, grading


@pytest.mark.full
@pytest.mark.parametrize(
    "spoil",
    [
        lambda one: {"python": str(one.root / "nothing")},
        lambda one: (
            replace_in_tar(
                one.bundle / "coursegrad.tar", lambda content: content.replace(b'"0.1.0"', b'"0.0.9"')
            )
            or {}
        ),
    ],
)
def test_a_server_that_can_grade_nothing_rejects_the_submission(
    instructor: Instructor, spoil: Callable[[Instructor], dict[str, str]]
) -> None:
    assert instructor.upload().exit_code == 0
    options = spoil(instructor)
    (file,) = instructor.site.all("InstructorFile")
    instructor.site.contents[file["pk"]] = (instructor.bundle / "coursegrad.tar").read_bytes()
    grading = hand_in(instructor, GOOD, **options)
    assert grading.status == "rejected"
    assert grading.setup.code not in (0, None)
    assert len(grading.setup.err.splitlines()) == 1, grading.setup
    assert grading.scores == {}


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can take a layer from the machine")


@pytest.mark.full
@needs_root
def test_a_server_that_cannot_confine_student_code_rejects_the_submission(instructor: Instructor) -> None:
    grading = hand_in(instructor, GOOD, level="missing-filesystem")
    assert grading.status == "rejected"
    assert "no way to hide files" in grading.setup.err
    assert grading.scores == {}


@pytest.mark.full
def test_the_zip_file_of_the_notebook_is_graded_too(instructor: Instructor) -> None:
    packed = archives.pack(dict(GOOD.items()))
    grading = hand_in(instructor, {"tiny-submission.zip": packed})
    assert grading.scores == CASES, grading


def test_scores_in_another_form_are_no_scores() -> None:
    command = {
        "custom_scoring_source": "stderr",
        "custom_scoring_regex": r"(?i)<!!\s*score:\s*(-?\d+)\s*!!>",
        "max_points_for_custom_scoring": 5,
    }
    assert score_of(command, Ran(0, "<!! score: 5 !!>", "<!! score: 1 !!>\n<!! score: 3 !!>")) == 3
    for text in ("", "<!! score: 2.5 !!>", "score: 3", "<!! score: 6 !!>", "<!! score: -1 !!>"):
        with pytest.raises(ValueError, match="score"):
            score_of(command, Ran(0, "<!! score: 5 !!>", text))


WRONG = """
import torch

def double(x):
    return 2 * x if len(x) == 3 else x + 1

class Table:
    def __init__(self):
        self.rows = {}
    def add(self, name, value):
        self.rows = {name: value}
"""


@pytest.mark.full
def test_scores_there_are_those_that_the_kit_gives(instructor: Instructor) -> None:
    students = {"ada": tiny.REFERENCE, "bob": HALF, "eve": WRONG, "zoe": tiny.STUB}
    for student, source in students.items():
        folder = instructor.root / "class" / student
        folder.mkdir(parents=True)
        (folder / "tiny_module.py").write_text(source)
        hand_in(instructor, {"tiny_module.py": source.encode()}, student=student)
    out = instructor.root / "graded"
    graded = instructor.run(
        "grade", "tiny", instructor.root / "class", "--output", out, "--allow-weak-sandbox"
    )
    assert graded.exit_code in (0, 1), graded.output
    tables = [
        {
            row["student"]: (row["score"], row["double"], row["table"])
            for row in csv.DictReader(io.StringIO(text))
        }
        for text in (instructor.fetch().stdout, (out / "grades.csv").read_text())
    ]
    assert tables[0] == tables[1]
    assert len(set(tables[0].values())) == len(students), "each of them earns something else"
