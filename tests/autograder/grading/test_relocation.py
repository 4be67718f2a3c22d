"""A class that was graded without its roster has no second results once it is graded with it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from autograder.graded.folder import GradedFolder
from tests.conftest import Run


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """Return a download from Canvas in which two students handed in the very same file."""
    folder = tmp_path / "canvas" / "toy"
    folder.mkdir(parents=True)
    (folder / "parkada_4711_90001_toy.py").write_text("pass")
    (folder / "novakpetra_4719_90009_toy.py").write_text("pass")
    (folder / "guestgerd_4799_90012_toy.py").write_text("fail")
    (tmp_path / "roster.csv").write_text("login,id,name\napark,4711,Ada Park\npnovak,4719,Petra Novak\n")
    (tmp_path / "wrong.csv").write_text("login,id\nxyz,1\nuvw,2\n")
    return folder


def students(output: Path) -> list[str]:
    """Return the students of the gradebook."""
    with (output / "grades.csv").open(encoding="utf-8") as file:
        return [row["student"] for row in csv.DictReader(file)]


def test_names_follow_the_roster_and_overrides_follow_the_names(
    run: Run, download: Path, tmp_path: Path
) -> None:
    output, people = tmp_path / "graded", ("--roster", tmp_path / "roster.csv")
    grade = ("grade", "toy", download, "-o", output)
    assert run(*grade, *people).exit_code == 0
    assert students(output) == ["apark", "guestgerd_4799", "pnovak"]
    run("override", output, "pnovak", "--points", 3, "--reason", "agreed", "--by", "eva")
    forgotten = run(*grade)
    assert forgotten.exit_code == 0, forgotten.output
    assert students(output) == ["guestgerd_4799", "novakpetra_4719", "parkada_4711"]
    renamed = "apark is parkada_4711; pnovak is novakpetra_4719"
    assert f"before under other names, which were replaced: {renamed}" in forgotten.stderr
    assert "3 of 3 results were up to date and kept" in forgotten.stderr
    assert "not in this folder" not in forgotten.stderr
    assert [one.points for one in GradedFolder(output).overrides("novakpetra_4719")] == [3]
    again = run(*grade, *people)
    assert students(output) == ["apark", "guestgerd_4799", "pnovak"]
    assert "parkada_4711 is apark" in again.stderr
    assert [one.points for one in GradedFolder(output).overrides("pnovak")] == [3]
    assert not list((output / "overrides").glob("novak*"))
    assert sorted(path.stem for path in (output / "feedback").glob("*.html")) == students(output)


def test_who_handed_in_nothing_goes_with_the_roster(run: Run, download: Path, tmp_path: Path) -> None:
    output, other = tmp_path / "graded", tmp_path / "other.csv"
    other.write_text("login,id\napark,4711\nediaz,4723\nmkim,4722\n")
    grade = ("grade", "toy", download, "-o", output, "--roster")
    run(*grade, other)
    run("override", output, "mkim", "--points", 3, "--reason", "agreed", "--by", "eva")
    assert students(output) == ["apark", "ediaz", "guestgerd_4799", "mkim", "novakpetra_4719"]
    done = run(*grade, tmp_path / "roster.csv")
    assert students(output) == ["apark", "guestgerd_4799", "mkim", "pnovak"]
    assert "not in this folder: mkim; " in done.stderr


def test_overrides_of_both_names_are_kept(run: Run, download: Path, tmp_path: Path) -> None:
    output, people = tmp_path / "graded", ("--roster", tmp_path / "roster.csv")
    grade = ("grade", "toy", download, "-o", output)
    run(*grade)
    folder = GradedFolder(output)
    old = folder.results()["novakpetra_4719"]
    folder.save(old.model_copy(update={"student": "pnovak"}))
    for student, points in {"novakpetra_4719": 3, "pnovak": 4}.items():
        run("override", output, student, "--points", points, "--reason", "agreed", "--by", "eva")
    run(*grade, *people)
    assert students(output) == ["apark", "guestgerd_4799", "pnovak"]
    assert [one.points for one in folder.overrides("pnovak")] == [4]
    kept = json.loads((output / "removed" / "novakpetra_4719" / "overrides.json").read_text())
    assert [one["points"] for one in kept] == [3]


def test_other_files_are_another_hand_in(run: Run, download: Path, tmp_path: Path) -> None:
    output = tmp_path / "graded"
    run("grade", "toy", download, "-o", output)
    (download / "novakpetra_4719_90009_toy.py").write_text("fail")
    done = run("grade", "toy", download, "-o", output, "--roster", tmp_path / "roster.csv")
    assert "not in this folder: novakpetra_4719; to take one out: autograder remove" in done.stderr
    assert run("remove", output, "novakpetra_4719").exit_code == 0
    assert students(output) == ["apark", "guestgerd_4799", "pnovak"]
    assert (output / "removed" / "novakpetra_4719" / "result.json").is_file()
    assert not list((output / "feedback").glob("novak*"))
    failed = run("remove", output, "novakpetra_4719")
    assert failed.exit_code == 2
    assert "holds no result of 'novakpetra_4719'" in failed.stderr


@pytest.mark.parametrize("command", ["grade", "intake"])
def test_a_roster_of_another_class_is_refused(run: Run, download: Path, tmp_path: Path, command: str) -> None:
    output = ("-o", tmp_path / "graded") if command == "grade" else ()
    failed = run(command, "toy", download, *output, "--roster", tmp_path / "wrong.csv")
    assert failed.exit_code == 2
    (row,) = failed.stderr.splitlines()
    assert "wrong.csv: none of the 3 hand-ins in" in row
    assert "expected some of: xyz; uvw; name the roster of this class with --roster" in row
    assert not (tmp_path / "graded").exists()
    (download / "anon_aB3xZ_90012_toy.py").write_text("pass")
    for path in download.glob("*_4*"):
        path.unlink()
    (download / "anon_aC3xZ_90013_toy.py").write_text("pass")
    assert run(command, "toy", download, *output, "--roster", tmp_path / "wrong.csv").exit_code == 0
