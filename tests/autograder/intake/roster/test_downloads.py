"""Whatever roster a platform exports, it fits what the same platform lets one download."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from autograder import intake
from autograder.course.assignment import Assignment
from autograder.intake import roster

FILES = Path(__file__).parents[1] / "rosters"
GRADESCOPE = """\
---
submission_11:
  :submitters:
  - :name: Zoë Müller
    :sid: '0816'
    :email: zoe.mueller@uni.example
  :created_at: 2026-11-27 20:07:36.083571000 Z
submission_12:
  :submitters:
  - :name: Seán O'Brien
    :sid:
    :email: Sean.OBrien@uni.example
  :created_at: 2026-11-27 20:09:00.000000000 Z
"""


def put(path: Path, text: str = "x = 1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def canvas(folder: Path) -> None:
    put(folder / "mullerzoe_4712_90001_toy.py")
    put(folder / "obriensean_LATE_4713_90002_toy-1.py")


def moodle(folder: Path) -> None:
    put(folder / unicodedata.normalize("NFD", "Zoë Müller_4712_assignsubmission_file") / "toy.py")
    put(folder / "Seán O'Brien_4713_assignsubmission_file" / "toy.py")


def moodle_without_names(folder: Path) -> None:
    put(folder / "Participant_4712_assignsubmission_file" / "toy.py")
    put(folder / "Participant_4713_assignsubmission_file" / "toy.py")


def gradescope(folder: Path) -> None:
    put(folder / "submission_metadata.yml", GRADESCOPE)
    put(folder / "submission_11" / "toy.py")
    put(folder / "submission_12" / "toy.py")


def nbgrader(folder: Path) -> None:
    put(folder / "gradebook.db")
    put(folder / "submitted" / "zmueller" / "toy" / "toy.py")
    put(folder / "submitted" / "sobrien" / "toy" / "toy.py")


def by_hand(folder: Path) -> None:
    put(folder / unicodedata.normalize("NFD", "Müller, Zoë") / "toy.py")
    put(folder / "seán o'brien" / "toy.py")


DOWNLOADS = {
    "canvas": canvas,
    "moodle": moodle,
    "gradescope": gradescope,
    "nbgrader": nbgrader,
    "excel": by_hand,
    "plain": by_hand,
}
ROSTERS = sorted(path.name for path in FILES.iterdir() if path.name != "workbook.xlsx")


@pytest.mark.parametrize("name", ROSTERS)
def test_everybody_in_the_download_is_somebody_on_the_roster(
    name: str, tmp_path: Path, toy: Assignment
) -> None:
    write = moodle_without_names if "blind" in name else DOWNLOADS[name.partition("-")[0].partition(".")[0]]
    if write is by_hand:
        put(tmp_path / "class" / "0816" / "toy.py")
        put(tmp_path / "class" / "sobrien" / "toy.py")
    else:
        write(tmp_path / "class")
    people = roster.read(FILES / name)
    handin = intake.read_class(tmp_path / "class", toy, people)
    by_student = {one.student: one for one in handin.submissions}
    assert set(by_student) == {person.student for person in people.people}
    absent = [person.student for person in people.people if by_student[person.student].absent]
    ada = people.find("4711", "0815", "apark", "ada.park@uni.example", "Ada Park")
    assert ada is not None
    assert absent == [ada.student]
    assert not any("Not on the roster" in note for note in handin.notes)


@pytest.mark.parametrize("name", [name for name in ROSTERS if "blind" not in name])
def test_folders_that_people_named_by_hand_are_found_by_name(
    name: str, tmp_path: Path, toy: Assignment
) -> None:
    known = roster.read(FILES / name)
    by_hand(tmp_path / "class")
    handin = intake.read_class(tmp_path / "class", toy, known)
    assert len(handin.submissions) == len(known.people)
    assert [one.name for one in handin.submissions if one.absent] in (["Ada Park"], ["Park, Ada"])
