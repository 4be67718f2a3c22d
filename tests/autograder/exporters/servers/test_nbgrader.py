"""The first week with nbgrader, as its guide says: every command of it, in a course that nbgrader began."""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from autograder.commands.main import app
from autograder.graded.answers import ANSWER
from tests.support import nbgrader_course, tiny
from tests.support.nbgrader_course import Guide, Step
from tests.support.waiting import until

GUIDE = Path(__file__).parents[4] / "docs" / "servers" / "nbgrader.md"
CHROMIUM = Path("/usr/bin/chromium")
HAND_OUT, COLLECT, SCORE, GIVE_BACK, CHANGES, DOWNLOADS = (
    "Hand out",
    "Collect and grade",
    "Score the answers",
    "Give back",
    "When something changes",
    "Downloads of a learning management system",
)
WRONG = tiny.REFERENCE.replace("return 2 * x", "return x * x")


def read_guide() -> Guide:
    return Guide(GUIDE, {"knn": "tiny", "tiny.py": "tiny_module.py"})


def test_the_tests_below_run_every_command_of_the_guide() -> None:
    assert read_guide().sections == (HAND_OUT, COLLECT, SCORE, GIVE_BACK, CHANGES, DOWNLOADS)


def test_commands_of_the_guide_are_there() -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    guide = read_guide()
    steps = [step for section in guide.sections for step in guide.steps(section)]
    assert {step.prompt for step in steps} == {"kit", "cs101"}
    for step in steps:
        words = step.command.split()
        if words[0] == "autograder":
            options = {name for parameter in known[words[1]].params for name in parameter.opts}
            assert {word for word in words if word.startswith("-")} <= options, step
            assert step.prompt == "kit"


class Desk:
    """A kit's course and nbgrader's beside it, and students with folders of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "home").mkdir()
        (root / "exchange").mkdir()
        (root / "exchange").chmod(0o777)
        self.variables = nbgrader_course.environment(root / "home")
        nbgrader_course.write_kit(root / "kit")
        nbgrader_course.run("nbgrader quickstart cs101", root, self.variables)
        self.set(f'c.Exchange.root = "{root}/exchange"\n')
        self.guide = read_guide()

    @property
    def course(self) -> Path:
        """Nbgrader's course folder."""
        return self.root / "cs101"

    def set(self, settings: str) -> None:
        """Add to the settings of nbgrader."""
        with (self.course / "nbgrader_config.py").open("a") as file:
            file.write(f"\n{settings}")

    def follow(self, section: str) -> dict[str, str]:
        """Do what a section says; return what each command said."""
        self.set(self.guide.settings(section))
        return {step.command: self._run(step) for step in self.guide.steps(section)}

    def _run(self, step: Step) -> str:
        return nbgrader_course.run(step.command, self.root / step.prompt, self.variables)

    def fetch(self, student: str) -> Path:
        """Have a student fetch the assignment; return the folder."""
        own = self.root / "desks" / student
        own.mkdir(parents=True, exist_ok=True)
        self._as_student("fetch_assignment", student)
        return own / "tiny"

    def submit(self, student: str) -> None:
        """Have a student hand in the folder."""
        self._as_student("submit", student)

    def _as_student(self, command: str, student: str) -> None:
        options = ["--course=cs101", f"--student={student}", f"--Exchange.root={self.root}/exchange"]
        words = ["nbgrader", command, "tiny", *options]
        nbgrader_course.run(words, self.root / "desks" / student, self.variables)

    def grades(self) -> dict[str, tuple[float, float]]:
        """Return score and maximum of each student in what ``nbgrader export`` wrote."""
        with (self.course / "grades.csv").open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["assignment"] == "tiny"]
        return {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in rows}

    def select(self, column: str, cell: str) -> dict[str, Any]:
        """Return a column of each student's grade, or comment, of a cell."""
        table, name = column.split(".")
        query = f"""
            SELECT submitted_assignment.student_id, {table}.{name} FROM {table}
            JOIN base_cell ON base_cell.id = {table}.cell_id AND base_cell.name = ?
            JOIN submitted_notebook ON submitted_notebook.id = {table}.notebook_id
            JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
        """
        with sqlite3.connect(self.course / "gradebook.db") as database:
            found = dict(database.execute(query, [cell]).fetchall())
        database.close()
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


def answer(folder: Path, text: str) -> None:
    """Write an answer into a student's notebook, and an output below the first cell that shows something."""
    path = folder / "tiny.ipynb"
    path.write_text(path.read_text().replace(ANSWER, text))


@pytest.mark.full
def test_the_first_week(desk: Desk, browser: Any) -> None:
    released = hand_out(desk)
    hand_in(desk)
    collect_and_grade(desk)
    score_answers(desk, browser)
    give_back(desk)
    change_something(desk)
    assert (desk.course / "source" / "tiny" / "tiny_module.py").read_bytes() == released


def hand_out(desk: Desk) -> bytes:
    """Release the assignment with nbgrader; return the stub that students got, byte for byte."""
    desk.follow(HAND_OUT)
    outbound = desk.root / "exchange" / "cs101" / "outbound" / "tiny"
    stub = (desk.root / "kit" / "assignments" / "tiny" / "tiny_module.py").read_bytes()
    assert (outbound / "tiny_module.py").read_bytes() == stub
    assert "Because two is one plus one" not in (outbound / "tiny.ipynb").read_text()
    return stub


def hand_in(desk: Desk) -> None:
    """Have ada hand in right code, bob wrong code, eve no notebook, and zoe only an answer."""
    for student, source in {"ada": tiny.REFERENCE, "bob": WRONG, "eve": tiny.REFERENCE, "zoe": ""}.items():
        folder = desk.fetch(student)
        if source:
            (folder / "tiny_module.py").write_text(source)
        if student == "eve":
            (folder / "tiny.ipynb").unlink()
        else:
            answer(folder, f"Because, says {student}.")
        desk.submit(student)


def collect_and_grade(desk: Desk) -> None:
    nbgrader_course.run("nbgrader db student add eve", desk.course, desk.variables)
    said = desk.follow(COLLECT)
    (exported,) = (text for command, text in said.items() if command.startswith("autograder export"))
    assert "points for 4, 4 of them new or changed" in exported
    handed_in = (desk.course / "autograded" / "bob" / "tiny" / "tiny_module.py").read_text()
    assert handed_in == WRONG, "nbgrader puts no stub in its place"
    assert desk.select("grade.auto_score", "code-double") == {"ada": 6, "bob": 0, "eve": 6, "zoe": 0}
    assert desk.select("grade.auto_score", "code-table") == {"ada": 4, "bob": 4, "eve": 4, "zoe": 0}
    assert not any(desk.select("grade.needs_manual_grade", "code-double").values())
    with (desk.root / "kit" / "graded" / "tiny" / "grades.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: row["score"] for name, row in rows.items()} == {
        "ada": "10",
        "bob": "4",
        "eve": "10",
        "zoe": "0",
    }
    assert not [row["notes"] for row in rows.values() if "Ignored" in row["notes"]]


def score_answers(desk: Desk, browser: Any) -> None:
    """Score two answers in the formgrader, and other points for code; the sums are on its pages."""
    (step,) = desk.guide.steps(SCORE)
    with nbgrader_course.serve(step.command, desk.course, desk.variables, desk.root / "log") as address:
        page = browser.new_page()
        page.goto(f"{address}?token=token")  # which logs in
        api = page.context.request
        listed = api.get(f"{address}formgrader/api/submitted_notebooks/tiny/tiny").json()
        ids = {one["student"]: one["id"] for one in listed}
        assert ids.keys() == {"ada", "bob", "zoe"}, "eve has no notebook to look at"
        for student, cell, points in (
            ("ada", "why-twice", "4"),
            ("bob", "why-twice", "2"),
            ("bob", "code-double", "1.5"),
        ):
            page.goto(f"{address}formgrader/submissions/{ids[student]}/")
            assert f"Because, says {student}." in page.inner_text("body")
            assert read_code(page) == {"ada": ["6", "4"], "bob": ["0", "4"]}[student]
            give(desk, page, student, cell, points)
        comments = [box.get_attribute("placeholder") or "" for box in page.locator("textarea.comment").all()]
        assert any(one.startswith("- **Doubles a small tensor** (0 / 2.4): ") for one in comments)
        page.goto(f"{address}formgrader/gradebook/tiny/tiny")
        page.wait_for_selector("tbody tr td a")
        sums = sorted(re.findall(r"\b(\d+(?:\.\d+)?) / 15\b", page.inner_text("tbody")))
        assert sums == ["0", "14", "7.5"], "6 + 4 + 4 of ada, 1.5 + 4 + 2 of bob, and zoe waits"
        page.close()


def read_code(page: Any) -> list[str | None]:
    """Return the points for code as the page of a submission shows them."""
    boxes = [f'input.score[id="code-{task}"]' for task in ("double", "table")]
    for box in boxes:  # the page asks for points once it is there
        page.wait_for_selector(f"{box}[placeholder]")
    return [page.locator(box).get_attribute("placeholder") for box in boxes]


def give(desk: Desk, page: Any, student: str, cell: str, points: str) -> None:
    """Type points into the box of a cell, and wait until they are saved."""
    page.fill(f'input.score[id="{cell}"]', points)
    page.keyboard.press("Tab")
    until(lambda: desk.select("grade.manual_score", cell)[student] == float(points), "points are saved")


def give_back(desk: Desk) -> None:
    said = desk.follow(GIVE_BACK)
    assert desk.grades() == {"ada": (14, 15), "bob": (7.5, 15), "eve": (10, 15), "zoe": (0, 15)}
    html = (desk.course / "feedback" / "bob" / "tiny" / "tiny.html").read_text()
    assert "tiny (Score: 7.5 / 15.0)" in html
    assert "<strong>Doubles a small tensor</strong>" in html
    (imported,) = (text for command, text in said.items() if "--import" in command)
    assert "scores: 2 new" in imported
    with (desk.root / "kit" / "graded" / "tiny" / "grades.csv").open(newline="") as file:
        totals = {row["student"]: row["total"] for row in csv.DictReader(file)}
    assert (totals["ada"], totals["zoe"]) == ("14", "not scored yet")


def change_something(desk: Desk) -> None:
    """Have bob hand in again; what people gave stays, and counts."""
    folder = desk.root / "desks" / "bob" / "tiny"
    (folder / "tiny_module.py").write_text(tiny.REFERENCE)
    desk.submit("bob")
    said = desk.follow(CHANGES)
    (exported,) = (text for command, text in said.items() if command.startswith("autograder export"))
    assert "points for 4, 1 of them new or changed" in exported
    assert "points that people gave for code in the formgrader count there: bob" in exported
    assert desk.select("grade.auto_score", "code-double")["bob"] == 6
    assert desk.select("grade.manual_score", "code-double")["bob"] == 1.5
    assert desk.select("grade.needs_manual_grade", "code-double")["bob"]
    assert desk.select("grade.manual_score", "why-twice") == {"ada": 4, "bob": 2, "eve": None, "zoe": None}
    nbgrader_course.run("nbgrader export", desk.course, desk.variables)
    assert desk.grades()["bob"] == (7.5, 15)
    # Autograding again removes comments on code, and no points; another export brings them back.
    nbgrader_course.run("nbgrader autograde tiny --no-execute --force", desk.course, desk.variables)
    assert desk.select("grade.auto_score", "code-double") == {"ada": 6, "bob": 6, "eve": 6, "zoe": 0}
    assert desk.select("comment.auto_comment", "code-double")["ada"] is None
    desk.follow(CHANGES)
    assert desk.select("comment.auto_comment", "code-double")["ada"] == "All 3 checks passed."
    nbgrader_course.run("nbgrader export", desk.course, desk.variables)
    assert desk.grades() == {"ada": (14, 15), "bob": (7.5, 15), "eve": (10, 15), "zoe": (0, 15)}


@pytest.mark.full
def test_downloads_of_a_learning_management_system(desk: Desk) -> None:
    desk.follow(HAND_OUT)
    archive = desk.course / "downloaded" / "tiny" / "archive"
    archive.mkdir(parents=True)
    for student, source in {"ada": tiny.REFERENCE, "bob": WRONG}.items():
        own = desk.root / "desks" / student
        shutil.copytree(desk.course / "release" / "tiny", own)
        (own / "tiny_module.py").write_text(source)
        answer(own, "Because.")
        pack = "from helpers.notebook import submit; submit.build('tiny')"
        nbgrader_course.run(["python", "-c", pack], own, desk.variables)
        shutil.copy(own / "tiny-submission.zip", archive / f"{student}_tiny-submission.zip")
    desk.follow(DOWNLOADS)
    assert (desk.course / "submitted" / "bob" / "tiny" / "tiny_module.py").read_text() == WRONG
    desk.follow(COLLECT)
    assert desk.select("grade.auto_score", "code-double") == {"ada": 6, "bob": 0}


@pytest.mark.full
def test_the_course_folder_of_a_release_needs_no_setting(tmp_path: Path) -> None:
    """``dist/nbgrader`` as it is: nothing runs, outputs stay, and no stub takes the place of a module."""
    variables = nbgrader_course.environment(tmp_path)
    kit, course = tmp_path / "kit", tmp_path / "kit" / "dist" / "nbgrader"
    nbgrader_course.write_kit(kit)
    nbgrader_course.run("autograder release", kit, variables)
    nbgrader_course.run("nbgrader generate_assignment tiny", course, variables)
    own = course / "submitted" / "ada" / "tiny"
    shutil.copytree(course / "release" / "tiny", own)
    (own / "tiny_module.py").write_text(WRONG)
    shown = '"outputs": [{"name": "stdout", "output_type": "stream", "text": ["seen by ada"]}]'
    path = own / "tiny.ipynb"
    path.write_text(path.read_text().replace('"outputs": []', shown, 1).replace(ANSWER, "Because."))
    nbgrader_course.run("nbgrader autograde tiny", course, variables)
    assert "seen by ada" in (course / "autograded" / "ada" / "tiny" / "tiny.ipynb").read_text()
    assert (course / "autograded" / "ada" / "tiny" / "tiny_module.py").read_text() == WRONG
    database = (course / "gradebook.db").read_bytes()
    nbgrader_course.run("autograder release tiny", kit, variables)
    assert (course / "gradebook.db").read_bytes() == database
    assert (own / "tiny_module.py").read_text() == WRONG
