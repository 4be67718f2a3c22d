"""Files as Canvas and Moodle name them."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from tests.autograder.intake.arrivals.shape import OTHER, RIGHT, Shapes, put

shapes = Shapes(4501)


@shapes(person="Canvas, Carla")
def canvas_browser_copy(folder: Path, student: str) -> None:
    put(folder / "canvascarla_4501_90001_knn (1).py")


@shapes()
def canvas_attempts(folder: Path, student: str) -> None:
    put(folder / "attempts_4502_90002_knn.py", OTHER)
    put(folder / "attempts_4502_90003_knn-2.py")


@shapes(says="late")
def canvas_late(folder: Path, student: str) -> None:
    put(folder / "late_LATE_4503_90004_knn.py")


@shapes()
def canvas_anonymous(folder: Path, student: str) -> None:
    put(folder / "anon_4504_90005_knn.py")


@shapes(says="late")
def canvas_anonymous_late(folder: Path, student: str) -> None:
    put(folder / "LATE_anon_4505_90006_knn.py")


@shapes()
def canvas_group(folder: Path, student: str) -> None:
    put(folder / "team_7_4506_90007_knn.py")


@shapes()
def canvas_name_with_underscore(folder: Path, student: str) -> None:
    put(folder / "smith_joneskim_4507_90008_knn.py")


@shapes(0, says="text")
def canvas_text_entry(folder: Path, student: str) -> None:
    put(folder / "entry_4508_text.html", b"<p>Here is my homework.</p>")


@shapes()
def moodle_file_and_text(folder: Path, student: str) -> None:
    put(folder / "Moodle File And Text_4509_assignsubmission_file" / "knn.py")
    put(folder / "Moodle File And Text_4509_assignsubmission_onlinetext" / "onlinetext.html", b"<p>Hi</p>")


@shapes(person="Jürgen Müßig", student="umlauts")
def umlauts(folder: Path, student: str) -> None:
    name = unicodedata.normalize("NFD", "Jürgen Müßig_88888_assignsubmission_file")
    put(folder / name / "knn.py", RIGHT)


@shapes(0, says="text")
def moodle_text_only(folder: Path, student: str) -> None:
    name = "Moodle Text Only_4511_assignsubmission_onlinetext"
    put(folder / name / "onlinetext.html", b"<p>Next week.</p>")
