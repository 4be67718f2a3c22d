"""A folder to work in is filled from the release, and nothing that a student wrote is lost in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from helpers.notebook import workspace
from helpers.submission import handout
from helpers.submission.handout import Handout, HandoutError
from tests.support.handouts import CHECKS, SOLUTION, STUB, write_toy

MINE = SOLUTION.replace("2 * x", "x + x")
OLD_STUB = STUB.replace("Two functions", "A few functions")


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Handout:
    """Return a release of the toy assignment, and work elsewhere."""
    folder = tmp_path / "course-v2" / "assignments" / "toy"
    write_toy(folder)
    (folder / "toy.ipynb").write_text("{}")
    (tmp_path / "content").mkdir()
    monkeypatch.chdir(tmp_path / "content")
    found = handout.read(folder)
    assert found is not None
    return found


def from_last_year(folder: Path) -> Path:
    """Write the assignment as an earlier release had it; return its module."""
    module = write_toy(folder)
    module.write_text(OLD_STUB)
    stubs = {"toy.py": hashlib.sha256(OLD_STUB.encode()).hexdigest()}
    (folder / "checks.json").write_text(json.dumps({**CHECKS, "stubs": stubs, "title": "Last year's"}))
    return module


def test_an_empty_folder_gets_a_folder_in_it_with_everything(released: Handout) -> None:
    folder = workspace.folder_beside(released)
    assert folder == Path.cwd() / "toy"
    assert workspace.fill(folder, released) == []
    assert sorted(path.name for path in folder.iterdir()) == [
        "checks.json",
        "test_public.py",
        "toy.ipynb",
        "toy.py",
    ]


@pytest.mark.parametrize("name", ["toy.ipynb", "toy.py"])
def test_beside_the_notebook_only_the_modules_are_put(released: Handout, name: str) -> None:
    Path(name).write_text("mine")
    assert workspace.folder_beside(released) == Path.cwd()
    workspace.fill(Path.cwd(), released)
    assert {path.name for path in Path.cwd().iterdir()} == {name, "toy.py"}
    assert Path(name).read_text() == "mine"


def test_the_set_up_again_stays_where_it_is(released: Handout, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = workspace.folder_beside(released)
    workspace.fill(folder, released)
    monkeypatch.chdir(folder)
    (folder / "toy.py").unlink()
    assert workspace.folder_beside(released) == folder
    back = f"toy.py was missing from {folder}; it is there again, as you first received it."
    assert workspace.fill(folder, released) == [back]
    assert (folder / "toy.py").read_text() == STUB
    assert workspace.fill(folder, released) == []


def test_a_new_release_renews_what_nobody_wrote_in(released: Handout) -> None:
    folder = workspace.folder_beside(released)
    from_last_year(folder)
    workspace.fill(folder, released)
    assert (folder / "toy.py").read_text() == STUB
    assert json.loads((folder / "checks.json").read_text())["title"] == CHECKS["title"]


@pytest.mark.parametrize("checks", ["last year's", "damaged", "of a format to come", "missing"])
def test_work_is_kept_and_the_checks_are_renewed(released: Handout, checks: str) -> None:
    folder = workspace.folder_beside(released)
    from_last_year(folder).write_text(MINE)
    (folder / "toy_weights.pt").write_bytes(b"weights")
    if checks == "damaged":
        (folder / "checks.json").write_text("{")
    elif checks == "of a format to come":
        (folder / "checks.json").write_text(json.dumps({**CHECKS, "format": 99}))
    elif checks == "missing":
        (folder / "checks.json").unlink()
    workspace.fill(folder, released)
    assert (folder / "toy.py").read_text() == MINE
    assert (folder / "toy_weights.pt").read_bytes() == b"weights"
    assert json.loads((folder / "checks.json").read_text())["title"] == CHECKS["title"]


def test_lines_that_end_as_on_windows_are_no_work(released: Handout) -> None:
    folder = workspace.folder_beside(released)
    folder.mkdir()
    (folder / "toy.py").write_bytes(STUB.replace("\n", "\r\n").encode())
    workspace.fill(folder, released)
    assert (folder / "toy.py").read_text() == STUB


def test_work_done_elsewhere_is_taken_over(released: Handout, tmp_path: Path) -> None:
    before, drive = workspace.folder_beside(released), tmp_path / "drive" / "toy"
    workspace.fill(before, released)
    assert workspace.fill(drive, released, earlier=before) == [], "there is only what was released"
    (before / "toy.py").write_text(MINE)
    (before / "toy_weights.pt").write_bytes(b"weights")
    assert workspace.fill(drive, released, earlier=before) == [
        f"{name} was copied from {before}, where you worked before." for name in ("toy.py", "toy_weights.pt")
    ]
    assert (drive / "toy.py").read_text() == MINE
    assert (drive / "toy_weights.pt").read_bytes() == b"weights"
    assert workspace.fill(drive, released, earlier=before) == [], "the same in both"


def test_of_two_pieces_of_work_none_is_overwritten(released: Handout, tmp_path: Path) -> None:
    before, drive = workspace.folder_beside(released), tmp_path / "drive" / "toy"
    for folder, text in ((before, MINE), (drive, SOLUTION)):
        workspace.fill(folder, released)
        (folder / "toy.py").write_text(text)
    said = workspace.fill(drive, released, earlier=before)
    assert said == [f"There is another toy.py in {before}; the one in {drive} is used."]
    assert (before / "toy.py").read_text() == MINE
    assert (drive / "toy.py").read_text() == SOLUTION


def test_a_folder_that_cannot_be_written_to_is_told_in_a_sentence(released: Handout) -> None:
    Path("toy").write_text("a file where the folder should be")
    with pytest.raises(HandoutError, match=r"toy cannot be written \(.*\)\. Open the notebook in a folder"):
        workspace.fill(Path.cwd() / "toy", released)


def test_a_deleted_module_comes_back_as_released_and_no_other(
    released: Handout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(released.folder)
    module = released.folder / "toy.py"
    module.write_text(MINE)
    assert workspace.restore(released) == []
    assert module.read_text() == MINE
    module.unlink()
    assert workspace.restore(released) == [
        f"toy.py was missing from {released.folder}; it is there again, as you first received it."
    ]
    assert module.read_text() == STUB
