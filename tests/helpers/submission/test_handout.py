"""An assignment is found from wherever its notebook runs, and damaged files are told in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.submission import handout
from helpers.submission.handout import Handout, HandoutError, PublicTest, ReleasedTask

PLAIN: dict[str, Any] = {
    "format": 2,
    "name": "toy",
    "title": "A toy",
    "modules": ["toy"],
    "weights": ["toy_weights.pt"],
    "tasks": [{"id": "first", "title": "The first task", "points": 10}],
    "tests": [
        {
            "id": "test_public.py::test_a",
            "title": "Adds",
            "task": "first",
            "points": 2.5,
            "kind": "value",
        }
    ],
    "stubs": {"toy.py": "0" * 64},
    "released": {"toy.py": "pass\n"},
    "packages": ["torch"],
    "grader": {"python": "3.11", "torch": "2.13.0"},
    "limits": {"cpu_seconds": 3, "memory_mb": 64},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an assignment in a student tree, and work in it."""
    folder = tmp_path / "tree" / "assignments" / "toy"
    folder.mkdir(parents=True)
    write(folder)
    monkeypatch.chdir(folder)
    return folder


def write(folder: Path, **changes: object) -> None:
    (folder / "checks.json").write_text(json.dumps({**PLAIN, **changes}))


def test_everything_is_read(folder: Path) -> None:
    assert handout.find("toy") == Handout(
        folder=folder,
        name="toy",
        title="A toy",
        modules=("toy",),
        weights=("toy_weights.pt",),
        tasks=(ReleasedTask("first", "The first task", 10),),
        tests=(PublicTest("test_public.py::test_a", "Adds", "first", 2.5, "value"),),
        stubs={"toy.py": "0" * 64},
        released={"toy.py": "pass\n"},
        packages=("torch",),
        grader={"python": "3.11", "torch": "2.13.0"},
        cpu_seconds=3,
        memory_mb=64,
    )


@pytest.mark.parametrize("place", [".", "..", "../..", "../../notes/deep"])
def test_it_is_found_from_around(folder: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / place).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder / place)
    assert handout.find("toy").folder == folder


def test_a_module_beside_the_notebook_comes_first(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = handout.find("toy")
    assert found.file("toy") == folder / "toy.py"
    monkeypatch.chdir(tmp_path)
    assert found.file("toy") == folder / "toy.py"
    (tmp_path / "toy.py").write_text("")
    assert found.file("toy") == tmp_path / "toy.py"


def test_another_assignment_is_named(folder: Path) -> None:
    with pytest.raises(HandoutError, match=r"no assignment 'other' in .*Nearby is toy\. Open the notebook"):
        handout.find("other")


def test_far_from_everything_it_is_that_of_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Path(handout.__file__).parents[2]
    monkeypatch.chdir(tmp_path)
    found = handout.find("knn")
    assert found.folder == release / "assignments" / "knn"
    assert handout.find_released("knn") == found
    assert handout.find_released("toy") is None
    monkeypatch.chdir(found.folder)
    assert handout.find_released("knn") is None, "the notebook is part of the release"


def test_files_of_other_programs_are_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "checks.json").write_text('["mine"]')
    (tmp_path / "tree" / "toy").mkdir()
    write(tmp_path / "tree" / "toy")
    assert handout.find("toy").folder == tmp_path / "tree" / "toy"


@pytest.mark.parametrize("text", ["{", '{"format": 2}', '{"format": 2, "name": 3}'])
def test_damage_is_told(folder: Path, text: str) -> None:
    (folder / "checks.json").write_text(text)
    with pytest.raises(HandoutError, match=r"checks\.json is damaged .* from the release again"):
        handout.find("toy")


def test_another_format_is_told(folder: Path) -> None:
    write(folder, format=1)
    with pytest.raises(HandoutError, match="from another release"):
        handout.find("toy")


def test_a_notebook_shows_the_sentence_alone() -> None:
    assert HandoutError("Do this.")._render_traceback_() == ["Do this."]
