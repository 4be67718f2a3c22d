"""A file for a newer Python is put before the instructor: the command line says what to do about it."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import tiny
from tests.support.waiting import PATIENCE

MINOR = sys.version_info.minor + 1
INTERPRETER = f"""\
#!/bin/sh
case "$*" in
*" -c "*) echo {MINOR} ;;
*) cat >/dev/null ;;
esac
"""
"""A program that says that it is the next Python, and understands whatever it is given to read."""
NEW = "type Numbers = list[int]\n" if MINOR <= 12 else 'NAME = t"{1}"\n'
pytestmark = pytest.mark.skipif(MINOR > 14, reason="this Python understands all syntax that is known")


def grade(folder: Path, interpreter: bool) -> tuple[str, dict[str, dict[str, str]], Path]:
    """Grade a class of two, one of whom writes for a newer Python; return warnings, gradebook and output."""
    tiny.write_course(folder / "course")
    for student, source in {"ada": NEW + tiny.REFERENCE, "bob": tiny.REFERENCE}.items():
        (folder / "class" / student).mkdir(parents=True)
        (folder / "class" / student / "tiny_module.py").write_text(source)
    (folder / "bin").mkdir()
    if interpreter:
        program = folder / "bin" / f"python3.{MINOR}"
        program.write_text(INTERPRETER)
        program.chmod(0o755)
    words = ["grade", "tiny", str(folder / "class"), "-o", str(folder / "out"), "-j", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *words, "--course", str(folder / "course")],
        env={"PATH": str(folder / "bin"), "HOME": str(folder), "COLUMNS": "200", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "written for" in line]
    rows = csv.DictReader((folder / "out" / "grades.csv").read_text(encoding="utf-8").splitlines())
    return "\n".join(lines), {row["student"]: row for row in rows}, folder / "out"


def test_the_interpreter_that_understands_the_file_is_named(tmp_path: Path) -> None:
    said, rows, output = grade(tmp_path, interpreter=True)
    assert said == (
        f"warning: written for Python 3.{MINOR}, so grade again with it: "
        f"make grade PYTHON=python3.{MINOR}, on: ada"
    )
    assert (rows["ada"]["score"], rows["ada"]["status"]) == ("", "needs a decision")
    assert (rows["bob"]["score"], rows["bob"]["status"]) == ("10", "graded")
    page = (output / "feedback" / "ada.md").read_text(encoding="utf-8")
    assert page.startswith("# Tiny: no points\n")
    assert f"The file is written for Python 3.{MINOR}, and Python 3.{MINOR - 1} grades" in page
    assert "your instructor has been told" in page


def test_without_one_the_line_tells(tmp_path: Path) -> None:
    said, rows, output = grade(tmp_path, interpreter=False)
    assert said == "warning: apparently written for a newer Python; look at: ada"
    assert rows["ada"]["status"] == "needs a decision"
    page = (output / "feedback" / "ada.md").read_text(encoding="utf-8")
    assert f"The file is written for a newer Python, apparently, and Python 3.{MINOR - 1} grades" in page
