"""Python files beside a module come with it; tests, tools and copies of the kit do not."""

from __future__ import annotations

from pathlib import Path

from tests.support.hand_ins import ROOT, WORK, handed_in, zipped


def test_files_beside_the_module_and_packages_below(tmp_path: Path) -> None:
    files = {
        "hw/knn.py": WORK,
        "hw/utils.py": "def f():\n    return 1\n",
        "hw/helpers.py": "x = 1\n",
        "hw/tools/__init__.py": "",
        "hw/tools/deep/more.py": "y = 2\n",
        "hw/test_knn.py": "raise SystemExit\n",
        "hw/conftest.py": "raise SystemExit\n",
        "hw/knn_old.py": "print(1)\n",
        "hw/my-notes.py": "no module\n",
        "other/away.py": "z = 3\n",
    }
    beside = {"utils.py", "helpers.py", "tools/__init__.py", "tools/deep/more.py"}
    for form in (files, {"a.zip": zipped(files)}):
        found = handed_in(tmp_path / str(len(form)), form)
        assert found.files.keys() == {"knn.py", *beside}


def test_a_copy_of_the_kit_stays_behind(tmp_path: Path) -> None:
    kit = {
        "helpers/submission/handout.py": b"",
        "helpers/figures/plots.py": b"",
    }  # of a release before it had rooms
    assert handed_in(tmp_path / "earlier", {"knn.py": WORK, **kit}).files.keys() == {"knn.py"}
    kit = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "helpers").rglob("*.py")}
    assert handed_in(tmp_path, {"knn.py": WORK, **kit}).files.keys() == {"knn.py"}


def test_there_is_an_end_to_it(tmp_path: Path) -> None:
    many = {f"m{number}.py": "x = 1\n" for number in range(200)}
    assert len(handed_in(tmp_path / "a", {"knn.py": WORK, **many}).files) == 51
    large = {f"m{number}.py": "#" * 400_000 + "\n" for number in range(5)}
    assert len(handed_in(tmp_path / "b", {"knn.py": WORK, **large}).files) == 3


def test_a_sibling_that_is_no_text_is_said(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"knn.py": WORK, "utils.py": b"x = '\xe9'\n"})
    assert found.files.keys() == {"knn.py"}
    assert found.notes[0] == "utils.py is not UTF-8 text (byte 6); save it as UTF-8. It was left out."
