"""Every platform's download is recognized by itself; what is hostile in it stays with its student."""

from __future__ import annotations

import os
import shutil
import socket
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import intake
from autograder.course.assignment import Assignment
from autograder.errors import IntakeError
from autograder.intake import ClassHandin, roster

GRADESCOPE = """\
---
submission_11:
  :submitters:
  - :name: Ada Park
    :sid: '0815'
    :email: ada@x.edu
  :created_at: 2026-02-27 20:07:36.083571000 Z
  :score: 3.0
  :history:
  - :id: 10
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests: []
submission_12:
  :submitters:
  - :name: Bruno Silva
    :sid:
    :email: bruno@x.edu
  - :name: Carla Weiß
    :sid: '0817'
    :email: carla@x.edu
  :created_at: 2026-02-27 20:09:00.000000000 Z
submission_13:
  :submitters:
  - :name: Dora
    :sid: '0818'
    :email: dora@x.edu
"""


def put(path: Path, text: str = "x = 1\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def pack(path: Path, members: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)


def canvas(folder: Path) -> None:
    pack(folder / "parkada_4711_90001_knn-submission.zip", {"toy.py": "a"})
    put(folder / "silvabruno_LATE_4712_90002_toy.py", "b0")
    put(folder / "silvabruno_LATE_4712_90003_notes.txt")
    put(folder / "silvabruno_LATE_4712_90009_toy-1.py", "b1")
    put(folder / "weisscarla_4713_90004_essay.pdf")


def gradescope(folder: Path) -> None:
    put(folder / "submission_metadata.yml", GRADESCOPE)
    put(folder / "submission_11" / "toy.py", "a")
    put(folder / "submission_12" / "toy.py", "b")


def moodle(folder: Path) -> None:
    put(folder / "Ada Park_4711_assignsubmission_file" / "toy.py", "a")
    pack(folder / "Bruno Silva_4712_assignsubmission_file_" / "work.zip", {"toy.py": "b"})
    put(folder / "Carla Weiß_4713_assignsubmission_file_toy.py", "c")


def nbgrader(folder: Path) -> None:
    put(folder / "nbgrader_config.py")
    put(folder / "source" / "toy" / "toy.py", "solution")
    put(folder / "submitted" / "ada" / "toy" / "toy.py", "a")
    put(folder / "submitted" / "ada" / "other" / "toy.py", "no")
    put(folder / "submitted" / "bruno" / "toy" / "toy.py", "b")


def by_hand(folder: Path) -> None:
    put(folder / "ada" / "toy.py", "a")
    put(folder / "bruno" / "deeper" / "toy.py", "b")
    pack(folder / "carla.zip", {"toy.py": "c"})


def contents(handin: ClassHandin) -> dict[str, bytes | str | None]:
    return {one.student: one.files.get("toy.py", one.problem) for one in handin.submissions}


NO_CODE = "toy.py is missing. Handed in: essay.pdf; no Python code was found in it."
EXPECTED = {
    canvas: (
        "a Canvas download",
        {"parkada_4711": b"a", "silvabruno_4712": b"b1", "weisscarla_4713": NO_CODE},
    ),
    gradescope: (
        "a Gradescope export",
        {
            "0815": b"a",
            "0817": b"b",
            "0818": "The folder cannot be read (No such file or directory).",
            "bruno@x.edu": b"b",
        },
    ),
    moodle: (
        "a Moodle download",
        {"Ada Park_4711": b"a", "Bruno Silva_4712": b"b", "Carla Weiß_4713": b"c"},
    ),
    nbgrader: ("an nbgrader course folder", {"ada": b"a", "bruno": b"b"}),
    by_hand: ("a folder or archive per student", {"ada": b"a", "bruno": b"b", "carla": b"c"}),
}
each_layout = pytest.mark.parametrize("write", EXPECTED, ids=lambda write: write.__name__)


@each_layout
def test_a_download_is_recognized(write: object, tmp_path: Path, toy: Assignment) -> None:
    assert callable(write)
    write(tmp_path / "class")
    handin = intake.read_class(tmp_path / "class", toy)
    assert (handin.layout, contents(handin)) == EXPECTED[write]


@each_layout
@pytest.mark.parametrize("form", ["nested", "zip", "nested in a zip"])
def test_nested_and_packed_downloads_are_the_same(
    write: object, form: str, tmp_path: Path, toy: Assignment
) -> None:
    assert callable(write)
    folder = tmp_path / "class"
    write(folder / "assignment_12_export" if "nested" in form else folder)
    (folder / "__MACOSX").mkdir()
    if "zip" in form:
        folder = Path(shutil.make_archive(str(tmp_path / "download"), "zip", folder))
    handin = intake.read_class(folder, toy)
    assert (handin.layout, contents(handin)) == EXPECTED[write]


def test_kinds_may_be_mixed(tmp_path: Path, toy: Assignment) -> None:
    for write in (canvas, moodle, by_hand):
        write(tmp_path / "class")
    handin = intake.read_class(tmp_path / "class", toy)
    assert len(handin.submissions) == 9
    assert handin.layout == "a Canvas download and a Moodle download and a folder or archive per student"


def test_attempts_and_lateness_of_canvas(tmp_path: Path, toy: Assignment) -> None:
    canvas(tmp_path / "class")
    bruno = intake.read_class(tmp_path / "class", toy).submissions[1]
    assert (bruno.name, bruno.notes) == ("silvabruno", ("Canvas marks it as late.", "Ignored: notes.txt."))
    assert [one.files["toy.py"] for one in bruno.earlier] == [b"b0"]
    assert len(bruno.attempts) == 2


def test_a_group_is_one_submission_of_each_member(tmp_path: Path, toy: Assignment) -> None:
    gradescope(tmp_path / "class")
    names = {one.student: one.name for one in intake.read_class(tmp_path / "class", toy).submissions}
    assert names["bruno@x.edu"] == "Bruno Silva"
    assert names["0817"] == "Carla Weiß"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "is damaged"),
        ("\xff", "lists no submission"),
        ("- a\n- b\n", "lists no submission"),
        ("../../etc:\n  :submitters:\n  - :name: Eve\n", "lists no submission"),
        ("[" * 100_000, "is damaged"),
    ],
)
def test_a_damaged_list_of_gradescopes_is_one_line(
    tmp_path: Path, toy: Assignment, text: str, says: str
) -> None:
    put(tmp_path / "class" / "submission_metadata.yml", text)
    with pytest.raises(IntakeError, match=says):
        intake.read_class(tmp_path / "class", toy)


def test_the_roster_names_maps_and_lists(tmp_path: Path, toy: Assignment) -> None:
    by_hand(tmp_path / "class")
    put(tmp_path / "class" / "4711" / "toy.py", "a2")
    os.utime(tmp_path / "class" / "ada", (1_000_000_000,) * 2)
    put(tmp_path / "roster.csv", "student,id,name\nada,4711,Ada Park\nbruno,4712,\nzoe,4713,Zoë Fischer\n")
    handin = intake.read_class(tmp_path / "class", toy, roster.read(tmp_path / "roster.csv"))
    assert contents(handin) == {
        "ada": b"a2",
        "bruno": b"b",
        "carla": b"c",
        "zoe": "Nothing was handed in.",
    }
    assert [one.name for one in handin.submissions] == ["Ada Park", "", "", "Zoë Fischer"]
    assert set(handin.notes) == {
        "ada handed in 2 times; the latest counts: 4711; before: ada.",
        "Not on the roster, but graded: carla.",
        "Nothing was handed in by Zoë Fischer.",
    }


def test_people_whose_names_hold_commas_are_told_apart_and_all_of_them_are_named(
    tmp_path: Path, toy: Assignment
) -> None:
    by_hand(tmp_path / "class")
    rows = "".join(f'"Nobody, N{number}",n{number},Student\n' for number in range(9))
    put(tmp_path / "roster.csv", f"name,student,role\n{rows}Kim,kim,Instructor\n")
    handin = intake.read_class(tmp_path / "class", toy, roster.read(tmp_path / "roster.csv"))
    listed = "; ".join(f"Nobody, N{number}" for number in range(9))
    assert handin.notes == (
        "roster.csv: left out 1 person who is not a student (Kim (Instructor)).",
        "Not on the roster, but graded: ada; bruno; carla.",
        f"Nothing was handed in by {listed}.",
    )
    assert {one.student for one in handin.submissions if one.absent} == {f"n{n}" for n in range(9)}


def test_what_changed_meanwhile_is_named(tmp_path: Path, toy: Assignment) -> None:
    folder = tmp_path / "class"
    by_hand(folder)
    before = intake.read_class(folder, toy)
    assert intake.find_changed(before, folder, toy) == []
    put(folder / "ada" / "toy.py", "other")
    (folder / "carla.zip").unlink()
    put(folder / "dora" / "toy.py")
    assert intake.find_changed(before, folder, toy) == ["ada", "carla", "dora"]
    shutil.rmtree(folder)
    assert intake.find_changed(before, folder, toy) == ["ada", "bruno", "carla"]


# What students may hand in


def test_special_files_cost_their_student_the_points_and_nobody_else(tmp_path: Path, toy: Assignment) -> None:
    folder = tmp_path / "class"
    by_hand(folder)
    for name in ("fifo", "socket", "device", "folder", "secret", "loop"):
        (folder / name).mkdir()
    os.mkfifo(folder / "fifo" / "toy.py")
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder / "socket")  # the path of a socket may not be long
    listener.bind("toy.py")
    os.chdir(here)
    (folder / "device" / "toy.py").symlink_to("/dev/zero")
    (folder / "folder" / "toy.py").mkdir()
    (folder / "secret" / "toy.py").symlink_to("../../course/.coursegrad/secret")
    (folder / "loop" / "toy.py").symlink_to("toy.py")
    found = contents(intake.read_class(folder, toy))
    listener.close()
    for name in ("fifo", "socket"):
        assert found[name] == "toy.py is a folder, a device or a pipe, not a file; hand in an ordinary file."
    for name in ("device", "secret", "loop"):
        assert found[name] == "toy.py is a link, not a file; hand in the file that it points to."
    assert found["folder"] == "toy.py is missing."
    assert (found["ada"], found["bruno"], found["carla"]) == (b"a", b"b", b"c")


def test_names_of_any_bytes_and_length(tmp_path: Path, toy: Assignment) -> None:
    folder = tmp_path / "class"
    by_hand(folder)
    put(folder / os.fsdecode(b"\xff\xfe\n=cmd") / "toy.py", "odd")
    put(folder / ("x" * 255) / "toy.py", "long")
    put(folder / "ada" / ("y" * 255))
    handin = intake.read_class(folder, toy)
    assert sorted(map(str, contents(handin).values()))[-2:] == ["b'long'", "b'odd'"]
    for one in handin.submissions:
        one.student.encode()
        assert len(one.student.encode()) <= 200
        assert not set("/\n\\") & set(one.student)


def test_a_zip_file_of_a_class_leaves_nothing_outside(tmp_path: Path, toy: Assignment) -> None:
    outside = tmp_path / "outside"
    path = tmp_path / "class.zip"
    link = zipfile.ZipInfo("eve/toy.py")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ada/toy.py", "a")
        archive.writestr("bruno/toy.py", "b")
        archive.writestr("../outside", "no")
        archive.writestr(str(outside), "no")
        archive.writestr(link, "/etc/passwd")
        archive.writestr("carla/" + "z" * 300 + ".py", "no")
    handin = intake.read_class(path, toy)
    assert contents(handin) == {"ada": b"a", "bruno": b"b", "carla": "toy.py is missing."}
    assert not outside.exists()
    assert len([note for note in handin.notes if note.endswith("in the archive was left out.")]) == 4


def test_a_zip_file_that_is_no_class(tmp_path: Path, toy: Assignment) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04")
    with pytest.raises(IntakeError, match="damaged, or is not a zip file; unpack it yourself"):
        intake.read_class(tmp_path / "broken.zip", toy)


def test_weights_and_settings_are_left_alone(tmp_path: Path, toy: Assignment) -> None:
    put(tmp_path / "class" / "ada" / "toy.py", "a")
    (tmp_path / "class" / "ada" / "weights.pt").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    put(tmp_path / "class" / "ada" / "conftest.py", "raise SystemExit")
    (ada,) = intake.read_class(tmp_path / "class", toy).submissions
    assert ada.files == {"toy.py": b"a"}
    assert ada.notes == ("Ignored: conftest.py, weights.pt.",)


NAMES = st.text(min_size=1, max_size=30).filter(lambda n: "/" not in n and "\0" not in n and n not in ".. .")
PLATFORM = st.sampled_from(
    [
        "a_1_2_toy.py",
        "a_1_3_toy-1.py",
        "b_LATE_2_9_x.zip",
        "C D_3_assignsubmission_file",
        "submitted",
        "toy.py",
    ]
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.one_of(NAMES, PLATFORM), st.one_of(st.none(), st.binary(max_size=60)), max_size=6))
def test_any_folder_is_a_class_or_one_line(
    tmp_path: Path, toy: Assignment, entries: dict[str, bytes | None]
) -> None:
    folder = tmp_path / "class"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in entries.items():
        try:
            if content is None:
                (folder / name).mkdir()
                (folder / name / "toy.py").write_bytes(name.encode(errors="replace"))
            else:
                (folder / name).write_bytes(content)
        except (OSError, UnicodeEncodeError):
            continue
    try:
        handin = intake.read_class(folder, toy)
    except IntakeError:
        return
    students = [one.student.casefold() for one in handin.submissions]
    assert len(students) == len(set(students))
