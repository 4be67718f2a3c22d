"""A class folder is read student by student; one bad hand-in never affects another."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from autograder import intake
from autograder.course import Course
from autograder.course.assignment import Assignment, load
from autograder.errors import IntakeError
from autograder.intake import Submission, reading
from helpers.submission import packed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a class folder with one good submission."""
    folder = tmp_path / "class"
    _hand_in(folder / "ada" / "toy.py")
    return folder


def _hand_in(path: Path, text: str = "x = 1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _only(folder: Path, toy: Assignment, student: str) -> Submission:
    return next(item for item in intake.read_class(folder, toy).submissions if item.student == student)


def test_a_plain_class(folder: Path, toy: Assignment) -> None:
    _hand_in(folder / "Zoë B" / "toy.py", "x = 2\n")
    handin = intake.read_class(folder, toy)
    assert [item.student for item in handin.submissions] == ["Zoë B", "ada"]
    assert handin.submissions[1] == Submission("ada", folder / "ada", {"toy.py": b"x = 1\n"})
    assert handin.notes == ()


def test_problems_stay_with_their_student(folder: Path, toy: Assignment) -> None:
    (folder / "empty").mkdir()
    (folder / "link").mkdir()
    (folder / "link" / "toy.py").symlink_to("/etc/passwd")
    _hand_in(folder / "large" / "toy.py", "#" * 1_000_001)
    (folder / "away").symlink_to(folder / "ada")
    handin = intake.read_class(folder, toy)
    assert {item.student: item.problem for item in handin.submissions} == {
        "ada": None,
        "away": "The folder is a link; hand in the folder that it points to.",
        "empty": "toy.py is missing.",
        "large": "toy.py is larger than 1 MB.",
        "link": "toy.py is a link, not a file; hand in the file that it points to.",
    }
    assert all(not item.files for item in handin.submissions if item.problem)


def test_one_folder_deeper(folder: Path, toy: Assignment) -> None:
    _hand_in(folder / "bob" / "hw1" / "toy.py")
    _hand_in(folder / "bob" / "__MACOSX" / "toy.py")
    _hand_in(folder / "bob" / ".cache" / "toy.py")
    bob = _only(folder, toy, "bob")
    assert bob.problem is None
    assert bob.notes == ("Taken from the folder hw1.",)
    _hand_in(folder / "bob" / "hw2" / "toy.py")  # the same file once more
    assert _only(folder, toy, "bob").notes == ("Taken from the folder hw1.", "Ignored: hw2/.")
    _hand_in(folder / "bob" / "hw2" / "toy.py", "x = 2\n")
    bob = _only(folder, toy, "bob")
    assert bob.problem == "Waits for a decision: toy.py could be hw1/toy.py or hw2/toy.py."
    assert (bob.undecided, bob.files) == (("hw1/toy.py", "hw2/toy.py"), {})
    _hand_in(folder / "bob" / "toy.py", "x = 3\n")
    assert _only(folder, toy, "bob").files == {"toy.py": b"x = 3\n"}


def test_any_number_of_folders_deeper(folder: Path, toy: Assignment) -> None:
    _hand_in(folder / "bob" / "a" / "b" / "c" / "toy.py")
    assert _only(folder, toy, "bob").notes == ("Taken from the folder a/b/c.",)


def test_other_files_are_ignored_and_named(folder: Path, toy: Assignment) -> None:
    for name in ("conftest.py", "pytest.ini", "a\x1b[2J.txt", ".DS_Store", "__pycache__/x.pyc"):
        _hand_in(folder / "ada" / name)
    ada = _only(folder, toy, "ada")
    assert list(ada.files) == ["toy.py"]
    assert ada.notes == ("Ignored: a\\x1b[2J.txt, conftest.py, pytest.ini.",)
    for number in range(9):
        _hand_in(folder / "ada" / f"b{number}")
    assert "and 7 more" in _only(folder, toy, "ada").notes[0]


def test_nobody_reads_that_released_files_are_ignored(folder: Path, toy: Assignment) -> None:
    for name in ("checks.json", "test_public.py", "helpers/data/digits.npz", "timestamp.txt", "own.txt"):
        _hand_in(folder / "ada" / "toy" / name)
    _hand_in(folder / "ada" / "toy" / "submission_secret.txt")
    (folder / "ada" / "toy.py").rename(folder / "ada" / "toy" / "toy.py")
    assert _only(folder, toy, "ada").notes == ("Ignored: toy/own.txt.",)
    (folder / "ada" / "toy" / "checks.json").unlink()  # these are not the release's, then
    (note,) = _only(folder, toy, "ada").notes
    assert note == "Ignored: toy/own.txt, toy/test_public.py, toy/helpers/."


def test_case_does_not_matter(folder: Path, toy: Assignment) -> None:
    _hand_in(folder / "bob" / "Toy.PY")
    bob = _only(folder, toy, "bob")
    assert bob.files == {"toy.py": b"x = 1\n"}
    assert bob.notes == ("toy.py was taken from Toy.PY.",)


def test_other_entries_of_the_class_are_noted(folder: Path, toy: Assignment) -> None:
    (folder / "grading.xlsx").write_text("")
    (folder / ".DS_Store").write_text("")
    handin = intake.read_class(folder, toy)
    assert [item.student for item in handin.submissions] == ["ada"]
    assert handin.notes == ("grading.xlsx belongs to no student and was left out.",)


def test_names_are_made_safe(folder: Path, toy: Assignment) -> None:
    _hand_in(folder / "a\nb\u202e" / "toy.py")
    assert [item.student for item in intake.read_class(folder, toy).submissions] == ["a_b_", "ada"]


@pytest.mark.parametrize("name", ["ADA", "ada ", "ada."])
def test_names_that_a_file_system_might_confuse_stay_apart(folder: Path, toy: Assignment, name: str) -> None:
    _hand_in(folder / name / "toy.py", "x = 2\n")
    handin = intake.read_class(folder, toy)
    assert len({item.student.casefold() for item in handin.submissions}) == 2
    assert sorted(item.files["toy.py"] for item in handin.submissions) == [b"x = 1\n", b"x = 2\n"]
    (note,) = handin.notes
    assert "in the results" in note


def test_folders_that_are_no_class(folder: Path, toy: Assignment, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other" / "documents").mkdir(parents=True)
    for name, found in {
        "nowhere": "no such folder",
        "class/ada/toy.py": "is not a folder",
        "empty": r"holds no folder or zip file of a student; expected .*STUDENT/toy\.py, or .*STUDENT\.zip",
        "class/ada": "holds no folder or zip file of a student",
        "other": r"nothing in it holds toy\.py",
    }.items():
        with pytest.raises(IntakeError, match=found):
            intake.read_class(tmp_path / name, toy)


def test_several_modules(course: Course, folder: Path) -> None:
    path = course.root / "solutions" / "toy" / "assignment.toml"
    path.write_text(path.read_text().replace('["toy"]', '["toy", "extra"]'))
    (path.parent / "extra.py").write_text("")
    both = load(course, "toy")
    ada = _only(folder, both, "ada")
    assert (ada.problem, ada.broken) == (None, {"extra.py": "extra.py is missing."})
    _hand_in(folder / "ada" / "extra.py")
    assert list(_only(folder, both, "ada").files) == ["toy.py", "extra.py"]
    with pytest.raises(IntakeError, match=r"expected toy\.py and extra\.py, or the folder"):
        intake.read_one(folder / "ada" / "toy.py", both)


def test_one_submission(folder: Path, toy: Assignment) -> None:
    by_folder = intake.read_one(folder / "ada", toy)
    by_file = intake.read_one(folder / "ada" / "toy.py", toy)
    assert by_folder.student == by_file.student == "ada"
    assert by_folder.files == by_file.files
    with pytest.raises(IntakeError, match="no such file"):
        intake.read_one(folder / "ada" / "absent.py", toy)
    _hand_in(folder / "ada" / "other.py")
    with pytest.raises(IntakeError, match=r"expected toy\.py"):
        intake.read_one(folder / "ada" / "other.py", toy)
    _hand_in(folder / "ada" / "my_toy (1).py")
    assert intake.read_one(folder / "ada" / "my_toy (1).py", toy).notes == (
        "toy.py was taken from my_toy (1).py.",
    )


def test_one_submission_with_a_problem(folder: Path, toy: Assignment) -> None:
    (folder / "ada" / "toy.py").write_bytes(b"\xff")
    assert "UTF-8" in str(intake.read_one(folder / "ada" / "toy.py", toy).problem)


def test_assignment_is_inferred(course: Course, folder: Path, toy: Assignment) -> None:
    assert intake.infer_assignment(course, folder / "ada") == toy
    assert intake.infer_assignment(course, folder / "ada" / "toy.py") == toy
    _hand_in(folder / "bob" / "other.py")
    with pytest.raises(IntakeError, match=r"no file of any assignment; expected one of: toy\.py"):
        intake.infer_assignment(course, folder / "bob")
    _hand_in(folder / "eve" / "toy.py")
    with pytest.raises(IntakeError, match=r"several folders in it hold toy\.py; grade a class with"):
        intake.infer_assignment(course, folder)
    with pytest.raises(IntakeError, match="no such file"):
        intake.infer_assignment(course, folder / "absent.py")


def test_ambiguous_assignment(course: Course, folder: Path) -> None:
    twin = course.root / "solutions" / "twin"
    twin.mkdir()
    original = course.root / "solutions" / "toy"
    (twin / "toy.py").write_text("")
    (twin / "assignment.toml").write_text(
        (original / "assignment.toml").read_text().replace('name = "toy"', 'name = "twin"')
    )
    suite = course.root / "autograder" / "suites"
    (suite / "twin").mkdir()
    for tier in ("public", "hidden"):
        (suite / "twin" / f"test_{tier}.py").write_text("")
    with pytest.raises(IntakeError, match="could belong to toy or twin; say which with --assignment"):
        intake.infer_assignment(course, folder / "ada")


def _zip(path: Path, members: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def test_a_zip_file_per_student(folder: Path, toy: Assignment) -> None:
    notebook = '{"cells": [{"cell_type": "code", "source": []}], "nbformat": 4}'
    _zip(folder / "Bob B.zip", {"toy.py": "x = 2\n", "toy.ipynb": notebook, "manifest.json": "{}"})
    _zip(folder / "eve.ZIP", {"hw/toy.py": "x = 3\n", "hw/notes.txt": "", "__MACOSX/hw/._toy.py": ""})
    (folder / "mia.zip").write_text("no zip")
    handin = intake.read_class(folder, toy)
    assert handin.notes == ()
    bob, ada, eve, mia = handin.submissions
    assert (bob.student, bob.files, bob.problem, bob.notes) == ("Bob B", {"toy.py": b"x = 2\n"}, None, ())
    assert ada.student == "ada"
    assert eve.files == {"toy.py": b"x = 3\n"}
    assert bob.notebook == notebook.encode()
    assert eve.notes == ("Taken from the folder hw.", "Ignored: hw/notes.txt.")
    assert mia.problem == "The file is damaged, or is not a zip file."


def test_a_zip_file_and_a_folder_of_one_student_are_two_attempts(folder: Path, toy: Assignment) -> None:
    _zip(folder / "ada.zip", {"toy.py": "x = 2"})
    os.utime(folder / "ada", (1_000_000_000,) * 2)
    handin = intake.read_class(folder, toy)
    (ada,) = handin.submissions
    assert ada.files == {"toy.py": b"x = 2"}
    assert [item.files for item in ada.earlier] == [{"toy.py": b"x = 1\n"}]
    assert handin.notes == ("ada handed in 2 times; the latest counts: ada.zip; before: ada.",)


def test_a_zip_file_in_a_students_folder(folder: Path, toy: Assignment) -> None:
    _zip(folder / "bob" / "toy-submission.zip", {"toy.py": "x = 2\n"})
    bob = _only(folder, toy, "bob")
    assert bob.files == {"toy.py": b"x = 2\n"}
    assert bob.notes == ("Taken from toy-submission.zip.",)
    _zip(folder / "bob" / "older.zip", {"toy.py": "x = 1\n"})
    bob = _only(folder, toy, "bob")
    assert bob.undecided == ("older.zip/toy.py", "toy-submission.zip/toy.py")
    _hand_in(folder / "bob" / "toy.py", "x = 3\n")
    assert _only(folder, toy, "bob").files == {"toy.py": b"x = 3\n"}


def test_a_link_is_no_zip_file(folder: Path, toy: Assignment, tmp_path: Path) -> None:
    _zip(tmp_path / "elsewhere.zip", {"toy.py": ""})
    (folder / "bob.zip").symlink_to(tmp_path / "elsewhere.zip")
    (folder / "eve").mkdir()
    (folder / "eve" / "toy.zip").symlink_to(tmp_path / "elsewhere.zip")
    for student in ("bob", "eve"):
        said = _only(folder, toy, student).problem
        assert said == "The zip file is a link, not a file; hand in the file that it points to."


def test_one_zip_file(course: Course, folder: Path, toy: Assignment) -> None:
    _zip(folder / "bob.zip", {"hw/toy.py": "x = 2\n"})
    assert intake.infer_assignment(course, folder / "bob.zip") == toy
    bob = intake.read_one(folder / "bob.zip", toy)
    assert (bob.student, bob.files) == ("bob", {"toy.py": b"x = 2\n"})
    _zip(folder / "bob.zip", {"deep/er/toy.py": ""})
    assert intake.infer_assignment(course, folder / "bob.zip") == toy
    assert intake.read_one(folder / "bob.zip", toy).problem == "deep/er/toy.py is empty."
    (folder / "bob.zip").write_text("no zip")
    with pytest.raises(IntakeError, match="The file is damaged, or is not a zip file; say which assignment"):
        intake.infer_assignment(course, folder / "bob.zip")


def test_the_zip_file_that_students_build(folder: Path, toy: Assignment) -> None:
    files = {"toy.py": b"x = 2\n", "toy.ipynb": b'{"cells": [{"cell_type": "markdown"}], "nbformat": 4}'}
    (folder / "bob.zip").write_bytes(packed.pack("toy", files))
    bob = _only(folder, toy, "bob")
    assert (bob.files, bob.problem, bob.notes) == ({"toy.py": b"x = 2\n"}, None, ())
    assert packed.MANIFEST == reading.MANIFEST


@pytest.mark.parametrize("held", [{}, {"__MACOSX/._toy.py": "x"}, {"work/": ""}])
def test_an_archive_without_a_file_is_called_empty(
    folder: Path, toy: Assignment, held: dict[str, str]
) -> None:
    _zip(folder / "bob.zip", held)
    _zip(folder / "carla" / "inner.zip", held)
    _zip(folder / "dora" / "inner.zip", held)
    _hand_in(folder / "dora" / "toy.py", "x = 2\n")
    found = {one.student: one for one in intake.read_class(folder, toy).submissions}
    assert str(found["bob"].problem).startswith("bob.zip is empty: it contains none of your files. Pack ")
    assert str(found["carla"].problem).startswith("inner.zip is empty: it contains none of your files. Pack ")
    assert found["dora"].problem is None


def test_the_folder_around_a_class_is_not_the_class(tmp_path: Path, toy: Assignment) -> None:
    folder = tmp_path / "around" / "class"
    _hand_in(folder / "ada" / "toy.py")
    _hand_in(folder / "bob" / "toy.py", "x = 2\n")
    (folder.parent / "roster.csv").write_text("student\nada\nbob\n")
    for _ in range(2):
        with pytest.raises(IntakeError, match=rf"contains the class folder.*did you mean {folder}\?"):
            intake.read_class(folder.parent, toy)
        (folder.parent / "decisions.toml").write_text("[class]\nignore = []\n")
    shutil.copytree(folder, folder.parent / "other")
    with pytest.raises(IntakeError, match=rf"did you mean {folder} or {folder.parent / 'other'}\?"):
        intake.read_class(folder.parent, toy)


def test_an_archive_of_a_class_may_hold_its_roster(tmp_path: Path, toy: Assignment) -> None:
    held = {f"class/{name}/toy.py": "x = 1" for name in ("ada", "bob")}
    _zip(tmp_path / "all.zip", {**held, "roster.csv": "student\nada\nbob\n"})
    handin = intake.read_class(tmp_path / "all.zip", toy)
    assert [one.student for one in handin.submissions] == ["ada", "bob"]
