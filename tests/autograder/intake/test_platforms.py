"""Names of platforms are read as they mean them, parts of one hand-in belong together, nobody is lost."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from autograder import intake
from autograder.intake import ClassHandin, Submission, roster
from autograder.platforms.canvas import download as canvas
from tests.support.hand_ins import NOTEBOOK, OTHER, WORK, knn, put, seven_zipped, tarred, zipped


def read(folder: Path, people: str = "") -> ClassHandin:
    """Read a class; with the text of a roster, if there is one."""
    if not people:
        return intake.read_class(folder, knn())
    (folder.parent / "roster.csv").write_text(people, encoding="utf-8")
    return intake.read_class(folder, knn(), roster.read(folder.parent / "roster.csv"))


def by_student(handin: ClassHandin) -> dict[str, Submission]:
    """Return submissions by student."""
    return {one.student: one for one in handin.submissions}


# Canvas


@pytest.mark.parametrize(
    ("name", "who", "original"),
    [
        ("parkada_4711_90001_knn.py", "parkada_4711", "knn.py"),
        ("parkada_LATE_4711_90001_knn-1.py", "parkada_4711", "knn-1.py"),
        ("parkada_4711_90001_knn (1).py", "parkada_4711", "knn (1).py"),
        ("parkada_4711_90001_my_12_34_knn.py", "parkada_4711", "my_12_34_knn.py"),
        ("team_7_4711_90001_knn.py", "team_7_4711", "knn.py"),
        ("group_1_2_4711_90001_knn.py", "group_1_2_4711", "knn.py"),
        ("smith_joneskim_4711_90001_knn.py", "smith_joneskim_4711", "knn.py"),
        ("anon_4711_90001_knn.py", "anon_4711", "knn.py"),
        ("anon_aB3xZ_90001_knn.py", "anon_aB3xZ", "knn.py"),
        ("LATE_anon_aB3xZ_90001_knn.py", "anon_aB3xZ", "knn.py"),
        ("anon_LATE_aB3xZ_90001_knn.py", "anon_aB3xZ", "knn.py"),
        ("parkada_4711_text.html", "parkada_4711", "text.html"),
        ("parkada_LATE_4711_90001_text.html", "parkada_4711", "text.html"),
        ("parkada_4711_90001_20261129_140300_knn.py", "parkada_4711", "20261129_140300_knn.py"),
    ],
)
def test_canvas_names(name: str, who: str, original: str) -> None:
    (found,) = canvas.parse([name], lambda _: False).values()
    assert (f"{found.name or 'anon'}_{found.user}", found.original) == (who, original)
    assert found.is_late == ("LATE" in name)


def test_the_roster_tells_what_a_canvas_name_means() -> None:
    (found,) = canvas.parse(["team_17_18_19_20_knn.py"], {"18"}.__contains__).values()
    assert (found.name, found.user) == ("team_17", "18")
    several = canvas.parse(["parkada_4711_90001_knn.py", "team_7_8_12345_knn.py"], lambda _: False)
    assert several["team_7_8_12345_knn.py"].user == "8"


def test_a_canvas_download_with_everything(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "class",
        {
            "team_7_4711_90001_knn.py": WORK,
            "anon_aB3xZ_90002_knn (1).py": WORK,
            "LATE_anon_cD4yW_90003_knn-1-1.py": WORK,
            "smith_joneskim_4712_90004_knn.zip": zipped({"knn/knn.py": WORK}),
            "silvabruno_4713_text.html": "<p>I could not upload it.</p>",
            "weisscarla_4714_90006_knn.rar": b"Rar!\x1a\x07\0",
            "parkada_4715_90007_knn.tar.gz": tarred({"hw/knn.py": WORK}),
        },
    )
    found = by_student(read(folder))
    whole = {student for student, one in found.items() if one.files == {"knn.py": WORK.encode()}}
    assert whole == {"team_7_4711", "anon_aB3xZ", "anon_cD4yW", "smith_joneskim_4712", "parkada_4715"}
    assert found["anon_cD4yW"].notes[0] == "Canvas marks it as late."
    assert found["silvabruno_4713"].problem == (
        "knn.py is missing. Handed in: text.html; no Python code was found in it."
    )
    assert str(found["weisscarla_4714"].problem).startswith(
        "knn.rar is a rar file and cannot be read; use zip"
    )


def test_code_that_was_typed_into_canvas(tmp_path: Path) -> None:
    page = WORK.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br>\n")
    folder = put(
        tmp_path / "class", {"parkada_4711_text.html": f"<p>{page}</p>", "b_4712_90001_knn.py": WORK}
    )
    ada = by_student(read(folder))["parkada_4711"]
    assert ada.problem is None
    assert b"def knn_get_best_k" in ada.files["knn.py"]


# Moodle


@pytest.mark.parametrize("form", ["folders", "files"])
def test_parts_of_a_moodle_hand_in_belong_together(tmp_path: Path, form: str) -> None:
    slash = "/" if form == "folders" else "_"
    folder = put(
        tmp_path / "class",
        {
            f"Ada Park_4711_assignsubmission_file{slash}knn.py": WORK,
            f"Ada Park_4711_assignsubmission_onlinetext{slash}onlinetext.html": "<p>see file</p>",
            f"Bruno Silva_4712_assignsubmission_onlinetext{slash}onlinetext.html": "<p>sorry</p>",
        },
    )
    for path in folder.iterdir():  # the text came later
        if "onlinetext" in path.name:
            os.utime(path, (2_000_000_000, 2_000_000_000))
    found = by_student(read(folder))
    ada = found["Ada Park_4711"]
    assert (ada.files, ada.problem, ada.earlier) == ({"knn.py": WORK.encode()}, None, ())
    assert "onlinetext.html" in str(found["Bruno Silva_4712"].problem)


def test_names_in_two_parts_find_the_roster(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "Zoë Müller")
    folder = put(
        tmp_path / "class",
        {
            f"{name}_4711_assignsubmission_file/knn.py": WORK,
            f"{unicodedata.normalize('NFD', 'Jörg')}/knn.py": OTHER,
        },
    )
    people = unicodedata.normalize("NFC", "student,name\nzm,Zoë Müller\njorg,Jörg\n")
    handin = read(folder, people)
    assert [one.student for one in handin.submissions] == ["jorg", "zm"]
    assert handin.notes == ()


# Blackboard and Brightspace


def test_attempts_of_blackboard(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "class",
        {
            "A_1_apark_attempt_2026-11-29-10-30-00_knn.py": OTHER,
            "A_1_apark_attempt_2026-11-29-10-30-00.txt": "Name: Ada Park (apark)",
            "A_1_apark_attempt_2026-11-30-09-00-00_knn (1).py": WORK,
            "A_1_bsilva_attempt_2026-11-29-10-31-00.txt": "Submission Field: sorry",
        },
    )
    handin = read(folder)
    found = by_student(handin)
    assert handin.layout == "a Blackboard download"
    assert found["apark"].files == {"knn.py": WORK.encode()}
    assert [one.files for one in found["apark"].earlier] == [{"knn.py": OTHER.encode()}]
    assert "receipt.txt" in str(found["bsilva"].problem)


def test_attempts_of_brightspace(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "class",
        {
            "53450-106236 - Ada Park - Nov 29, 2026 930 AM/knn.py": OTHER,
            "53450-106239 - Ada Park - Nov 29, 2026 1030 PM/hw/knn.py": WORK,
            "53451-106237 - Bruno - Silva - Dec 1, 2026 1200 AM - knn.py": WORK,
            "index.html": "<html>",
        },
    )
    handin = read(folder, "student,id\napark,53450\nbsilva,53451\n")
    found = by_student(handin)
    assert found["apark"].files == found["bsilva"].files == {"knn.py": WORK.encode()}
    assert [one.files for one in found["apark"].earlier] == [{"knn.py": OTHER.encode()}]
    assert found["bsilva"].name == "Bruno - Silva"


# No platform


def test_archives_of_every_kind_are_hand_ins(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "class",
        {
            "ada.tar.gz": tarred({"knn.py": WORK}),
            "bruno.7z": seven_zipped({"hw/knn.py": WORK}),
            "carla.rar": b"Rar!\x1a\x07\0",
            "dora.zip": b"no zip",
            "eve.zip": zipped({"a.zip": zipped({"b/knn (1).py": WORK})}),
        },
    )
    found = by_student(read(folder))
    assert {student for student, one in found.items() if one.problem is None} == {"ada", "bruno", "eve"}
    assert str(found["carla"].problem).startswith("carla.rar is a rar file and cannot be read")
    assert found["dora"].problem == "The file is damaged, or is not a zip file."


def test_a_file_for_each_student(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "class",
        {
            "ada_knn.py": WORK,
            "ada_knn.ipynb": NOTEBOOK,
            "knn-bruno.py": WORK,
            "carla.py": WORK,
            "dora.pdf": b"%PDF",
            "helper.py": "x = 1\n",
            "grades.csv": "a,b\n",
        },
    )
    handin = read(folder)
    found = by_student(handin)
    assert {student: one.problem is None for student, one in found.items()} == {
        "ada": True,
        "bruno": True,
        "carla": True,
        "dora": False,
    }
    assert found["ada"].notebook == NOTEBOOK.encode()
    assert handin.layout == "a file per student"
    assert set(handin.notes) == {
        "grades.csv belongs to no student and was left out.",
        "helper.py belongs to no student and was left out.",
    }


@pytest.mark.parametrize("pack", [zipped, tarred, seven_zipped])
def test_a_class_in_an_archive_of_any_kind(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    content = pack({"hw1/ada/knn.py": WORK, "hw1/bruno/deep/er/knn.py": OTHER, "hw1/carla/notes.txt": "x"})
    suffix = {zipped: "zip", tarred: "tar.gz", seven_zipped: "7z"}[pack]
    (tmp_path / f"class.{suffix}").write_bytes(content)
    found = by_student(intake.read_class(tmp_path / f"class.{suffix}", knn()))
    assert (found["ada"].problem, found["bruno"].problem) == (None, None)
    assert "notes.txt" in str(found["carla"].problem)


def test_everybody_who_handed_something_in_has_a_row(tmp_path: Path) -> None:
    odd = {
        "empty.zip": b"",
        "pdf/report.pdf": b"%PDF",
        "tiny/knn.py": "",
        "bad.tar.gz": b"\x1f\x8b\x08damaged",
    }
    folder = put(tmp_path / "class", {**odd, "ada/knn.py": WORK, "enc/knn.py": b"x = '\xe9'\n"})
    found = by_student(read(folder))
    assert found.keys() == {"empty", "pdf", "tiny", "bad", "ada", "enc"}
    assert [student for student, one in found.items() if one.problem is None] == ["ada"]
    assert found["enc"].problem == "knn.py is not UTF-8 text (byte 6); save it as UTF-8."
    assert found["bad"].problem == "The gzip file is damaged; pack the files again."
