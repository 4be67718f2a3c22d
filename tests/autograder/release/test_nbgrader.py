"""nbgrader itself accepts source and release, releases the same, and has people grade the answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from traitlets.config.loader import PyFileConfigLoader

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.graded.answers import ANSWER
from autograder.release import gradecells, handout, notebook, tree
from tests.support import planted
from tests.support.waiting import PATIENCE, until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nbgrader imports modules that are on their way out
    from nbgrader import utils
    from nbgrader.api import Gradebook
    from nbgrader.nbgraderformat import MetadataValidator

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Run = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the course folder that a release makes for nbgrader."""
    course = planted.write_course(tmp_path_factory.mktemp("course"))
    tree.write(course, planted.build(course))
    return course.root / "dist" / "nbgrader"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = str(tmp_path_factory.mktemp("home"))
    own = {"HOME": home, "IPYTHONDIR": home, "JUPYTER_CONFIG_DIR": home, "JUPYTER_RUNTIME_DIR": home}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | own | {"PATH": path, "JUPYTER_DATA_DIR": f"{home}/data"}


@pytest.fixture(scope="module")
def nbgrader(folder: Path, environment: dict[str, str]) -> Run:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def released(folder: Path, nbgrader: Run) -> dict[str, Any]:
    """Return the notebook that nbgrader releases."""
    nbgrader("generate_assignment", "shapes")
    notebook: dict[str, Any] = json.loads((folder / "release" / "shapes" / "shapes.ipynb").read_bytes())
    return notebook


def test_nbgrader_releases_the_same_notebook_and_cells_for_points(
    folder: Path, released: dict[str, Any]
) -> None:
    ours, theirs = folder.parent.parent / "assignments" / "shapes", folder / "release" / "shapes"
    cells = json.loads((ours / "shapes.ipynb").read_bytes())["cells"]
    assert released["cells"][:-2] == cells
    assert ["".join(cell["source"]).split("\n")[-1] for cell in released["cells"][-2:]] == [
        "**The area** (10 points)",
        "**A table** (2.5 points)",
    ]
    for name in ("shapes.py", "test_public.py"):
        assert (theirs / name).read_bytes() == (ours / name).read_bytes()


def test_the_cells_for_points_are_as_the_kit_would_release_them(
    folder: Path, released: dict[str, Any]
) -> None:
    notebook = nbformat.reads(json.dumps(released), as_version=4)
    MetadataValidator().validate_nb(notebook)
    for cell in notebook.cells[-2:]:
        assert utils.is_task(cell)
        assert utils.is_locked(cell)
        assert not utils.is_grade(cell)
        assert cell.metadata.nbgrader.checksum == gradecells.checksum(cell)
        assert (cell.metadata.deletable, cell.metadata.editable) == (False, False)


def test_the_list_of_checks_knows_the_cells_for_points(folder: Path, released: dict[str, Any]) -> None:
    ours, theirs = (
        json.loads((root / "shapes" / "checks.json").read_bytes())
        for root in (folder.parent.parent / "assignments", folder / "release")
    )
    added = theirs["cells"][len(ours["cells"]) :]
    assert [one["id"] for one in added] == [cell["id"] for cell in released["cells"][-2:]]
    assert not [one for one in added if "question" in one], "students have nothing to answer there"
    assert theirs | {"cells": ours["cells"]} == ours


def test_the_gradebook_knows_the_cells_that_have_points(folder: Path, released: dict[str, Any]) -> None:
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        cell = gradebook.find_grade_cell("why", "shapes", "shapes")
        assert (cell.max_score, cell.cell_type) == (5, "markdown")
        assert gradebook.find_solution_cell("why", "shapes", "shapes")
        tasks = gradebook.find_notebook("shapes", "shapes").task_cells
        assert {one.name: one.max_score for one in tasks} == {"code-area": 10, "code-table": 2.5}
        whole = gradebook.find_assignment("shapes")
        assert (whole.max_written_score, whole.max_task_score, whole.max_score) == (5, 12.5, 17.5)


def test_the_settings_keep_what_students_hand_in(folder: Path) -> None:
    checks = folder / "source" / "nets" / "checks.json"
    checks.parent.mkdir()
    checks.write_text(json.dumps({"modules": ["layers", "nets"], "weights": ["best.pt"]}))
    try:
        settings = PyFileConfigLoader("nbgrader_config.py", path=str(folder)).load_config()
    finally:
        shutil.rmtree(checks.parent)
    assert settings.Autograde.exclude_overwriting == {
        "shapes": ["shapes.py"],
        "nets": ["layers.py", "nets.py", "best.pt"],
    }
    assert (settings.Execute.enabled, settings.ClearOutput.enabled) == (False, False)


def test_cells_for_extra_credit_are_worth_nothing_in_the_maximum(tmp_path: Path) -> None:
    course = planted.write_course(tmp_path)
    path = course.root / "solutions" / "shapes" / "assignment.toml"
    path.write_text(path.read_text().replace('id = "table"', 'id = "table"\nextra = true'))
    source = json.loads(planted.build(course).nbgrader["source/shapes/shapes.ipynb"])
    area, table = source["cells"][-2:]
    assert (area["metadata"]["nbgrader"]["points"], table["metadata"]["nbgrader"]["points"]) == (10, 0)
    assert table["source"] == ["**A table** (2.5 points of extra credit)"]


@pytest.mark.full
def test_the_validator_runs_source_and_release(folder: Path, released: dict[str, Any], nbgrader: Run) -> None:
    assert "Success" in nbgrader("validate", "source/shapes/shapes.ipynb")
    said = nbgrader("validate", "release/shapes/shapes.ipynb")
    assert "FAILED ON 1 CELL" in said
    assert "You did not provide a response" in said
    assert "HAVE CHANGED" not in said


@pytest.mark.parametrize("form", ["source", "release"])
def test_metadata_and_checksums_of_knn_are_nbgraders(form: str) -> None:
    course = Course.load(ROOT)
    book = handout.read_notebook(course, assignments.load(course, "knn"))
    plain = nbformat.reads(notebook.dumps(getattr(book, form)).decode(), as_version=4)
    MetadataValidator().validate_nb(plain)
    graded = [cell for cell in plain.cells if utils.is_grade(cell) and utils.is_solution(cell)]
    assert graded
    assert all(cell.cell_type == "markdown" for cell in graded)
    for cell in plain.cells:
        if "nbgrader" in cell.metadata:
            assert gradecells.checksum(cell) == utils.compute_checksum(cell)
            assert ("checksum" in cell.metadata.nbgrader) == (form == "release")
    if form == "release":
        for cell in graded:
            assert ANSWER in cell.source
            assert utils.determine_grade(cell) == (0, cell.metadata.nbgrader.points)


@pytest.fixture
def server(folder: Path, environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Start a Jupyter server with the formgrader and return how to get a page from it."""
    extensions = repr({"nbgrader.server_extensions.formgrader": True})
    options = {
        "ServerApp.root_dir": str(folder),
        "ServerApp.jpserver_extensions": extensions,
        "ServerApp.token": "token",
        "ServerApp.port": "0",
    }
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"]
    with (tmp_path / "log").open("w+") as log:
        arguments = [f"--{name}={value}" for name, value in options.items()]
        process = subprocess.Popen([*command, *arguments], cwd=folder, env=environment, stderr=log)
        try:
            address = _address(Path(environment["JUPYTER_RUNTIME_DIR"]), process)

            def get(page: str) -> str:
                with urllib.request.urlopen(
                    f"{address}formgrader/{page}?token=token", timeout=PATIENCE
                ) as reply:
                    return str(reply.read().decode())

            yield get
        finally:
            process.terminate()
            process.wait()


def _address(runtime: Path, process: subprocess.Popen[bytes]) -> str:
    def written() -> list[str]:
        """Return what the files hold; Jupyter makes one empty before it writes it."""
        return [text for file in runtime.glob("jpserver-*.json") if (text := file.read_text())]

    until(lambda: process.poll() is not None or written(), "the server starts")
    for text in written():
        return str(json.loads(text)["url"])
    raise AssertionError("the server did not start")


@pytest.mark.full
def test_the_formgrader_asks_for_the_points_of_the_answer(
    folder: Path, released: dict[str, Any], nbgrader: Run, server: Callable[[str], str]
) -> None:
    submitted = folder / "submitted" / "ada" / "shapes"
    submitted.mkdir(parents=True)
    (submitted / "shapes.ipynb").write_text(json.dumps(released).replace(ANSWER, "Both sides count."))
    nbgrader("autograde", "shapes")
    (submission,) = json.loads(server("api/submitted_notebooks/shapes/shapes"))
    assert submission["student"] == "ada"
    assert submission["max_written_score"] == 5
    assert submission["needs_manual_grade"]
    page = server(f"submissions/{submission['id']}/")
    assert 'class="score tabbable" id="why"' in page
    assert "Both sides count." in page
