"""A kit that was installed from its wheel makes and grades a course outside this repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.course.test_docs import FENCE, ROOT

pytestmark = pytest.mark.full


def run(*command: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=folder, env=environment or None, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment in which the wheel is installed, and its dependencies are found."""
    folder = tmp_path_factory.mktemp("kit")
    source = folder / "source"
    for name in ("autograder", "helpers"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), ".", folder=source)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    run(*pip, "--python", str(python), "install", "--no-deps", str(wheel), folder=folder)
    (packages,) = (folder / "venv" / "lib").glob("*/site-packages")
    # That adds a folder, but nothing that the .pth files in it add: the editable install of this repository.
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "venv"


@pytest.fixture(scope="module")
def environment(kit: Path) -> dict[str, str]:
    """Return the environment of somebody who activated the kit's."""
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "TMPDIR")}
    return kept | {"PATH": f"{kit / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": str(kit)}


def test_the_kit_is_the_installed_one(kit: Path, environment: dict[str, str], tmp_path: Path) -> None:
    code = "import autograder, helpers; print(autograder.__file__, helpers.__file__)"
    found = run(kit / "bin" / "python", "-c", code, folder=tmp_path, **environment).stdout.split()
    assert all(Path(place).is_relative_to(kit) for place in found)


def test_the_walk_of_the_page(kit: Path, environment: dict[str, str], tmp_path: Path) -> None:
    """Follow docs/course.md: start, check, release; hand in as a student; intake, grade, report."""
    page = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    blocks = FENCE.findall(page)
    _, begin, grade = (block for language, block in blocks if language == "sh")
    (shown,) = (block for language, block in blocks if language == "text")
    assert shown in run("bash", "-ec", begin, folder=tmp_path, **environment).stdout
    course = tmp_path / "deep-learning"
    hand_in(course, tmp_path / "student", kit, environment)
    told = run("bash", "-ec", grade, folder=course, **environment).stdout
    assert "ada: found: Taken from warm_up-submission.zip." in told
    graded = course / "graded" / "warm_up"
    result = json.loads((graded / "results" / "ada.json").read_text())
    assert (result["score"], result["sandbox"]["level"]) == (10, "full")
    page = (graded / "feedback" / "ada.html").read_text(encoding="utf-8")
    assert "Deep learning" in page
    assert "10 of 10 points" in page
    assert (graded / "report.html").is_file()


def hand_in(course: Path, home: Path, kit: Path, environment: dict[str, str]) -> None:
    """Unpack the release, write the function, and pack the hand-in, with the helpers of the release."""
    with zipfile.ZipFile(course / "dist" / "warm_up.zip") as archive:
        archive.extractall(home)
    folder = home / "warm_up" / "assignments" / "warm_up"
    module = folder / "warm_up.py"
    stub = module.read_text()
    module.write_text(re.sub(r"raise NotImplementedError\(.*\)", "return factor * x", stub))
    code = "from helpers import submit; submit.build('warm_up')"
    own = environment | {"PYTHONPATH": str(home / "warm_up")}
    run(kit / "bin" / "python", "-c", code, folder=folder, **own)
    place = course / "submissions" / "warm_up" / "ada"
    place.mkdir(parents=True)
    shutil.copy(folder / "warm_up-submission.zip", place)


def test_the_command_and_the_module_agree_in_any_folder(
    kit: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """Also where folders are called as the kit's packages are, or hold what a student wrote."""
    run("autograder", "start", "course", folder=tmp_path, **environment)
    odd = tmp_path / "odd"
    for name in ("autograder", "helpers", "suites"):
        (odd / name).mkdir(parents=True)
    for name in ("helpers/__init__.py", "typer.py", "torch.py", "pytest.py"):
        (odd / name).write_text('raise SystemExit("hostile")\n')
    (odd / "autograder" / "notes.txt").write_text("mine")
    words = ("check", "../course/solutions/warm_up/warm_up.py", "--course", "../course")
    command = run("autograder", *words, folder=odd, **environment)
    module = run(kit / "bin" / "python", "-m", "autograder", *words, folder=odd, **environment)
    assert command.stdout == module.stdout
    assert "10 of 10 points" in command.stdout
