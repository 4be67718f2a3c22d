"""The set-up cell, byte for byte as released, starts the notebooks wherever students open them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest

from autograder.course import Course
from tests.support import kernels, published, runtimes
from tests.support.kernels import Executed
from tests.support.published import Public

NAME = "knn"
RELEASED = [one.name for one in Course.load(published.ROOT).listed or () if one.status == "released"]
PINS = ("ipython==7.34.0", "ipykernel==6.17.1", "pytest>=8.4", "numpy>=2.1")
"""What Colab has of what the set-up cell and the checks need; PyTorch is left out, for its size."""

WELCOME = re.compile(
    r"k-nearest neighbors: edit knn\.py in (?P<folder>/.+), save, and the next cell runs what you saved\.\n"
)


@pytest.fixture
def empty(tmp_path: Path, public: Public) -> Path:
    """Return a folder that holds a released notebook, and nothing else."""
    (tmp_path / "empty").mkdir()
    shutil.copy(public.notebook(NAME), tmp_path / "empty")
    return tmp_path / "empty"


def first_cells(
    notebook: Path, folder: Path, environment: Mapping[str, str], *more: str, python: str = sys.executable
) -> Executed:
    """Run the set-up cell of a notebook in a folder, and then more cells."""
    document = nbformat.read(notebook, as_version=4)
    set_up = next(cell.source for cell in document.cells if cell.cell_type == "code")
    return kernels.execute(kernels.of_cells([set_up, *more]), folder, environment=environment, python=python)


def works_in(done: Executed) -> Path:
    """Return the folder that the set-up cell named; it says nothing else before."""
    assert done.stopped is None, done.text(done.stopped or 0)
    match = WELCOME.match(done.text(0))
    assert match, done.text(0)
    return Path(match["folder"])


def sentence(done: Executed) -> str:
    """Return the one sentence with which the set-up cell ended."""
    assert done.stopped == 0
    assert "\n" not in done.text(0)
    return done.text(0)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_alone_in_an_empty_folder_and_again_after_a_restart(empty: Path, public: Public) -> None:
    for environment in (public.online, public.offline):
        done = first_cells(empty / "knn.ipynb", empty, environment)
        assert works_in(done) == empty
        assert done.text(0).count("\n") == 3, (
            "the folder, the versions here and there, and nothing that git says"
        )
        assert names(empty) == {"knn.ipynb", "knn.py", "deep-learning-v1"}
    assert (empty / "knn.ipynb").read_bytes() == public.notebook(NAME).read_bytes()


@pytest.mark.parametrize("place", ["assignments/knn", ".", "assignments"])
def test_among_the_files_of_the_course(tmp_path: Path, public: Public, place: str) -> None:
    """Jupyter starts where the notebook is, VS Code where its project is."""
    tree = Path(shutil.copytree(public.student, tmp_path / "tree"))
    before = {path.relative_to(tree) for path in tree.rglob("*")}
    done = first_cells(tree / "assignments" / "knn" / "knn.ipynb", tree / place, public.offline)
    assert works_in(done) == tree / "assignments" / "knn"
    after = {path.relative_to(tree) for path in tree.rglob("*") if "__pycache__" not in path.parts}
    assert after == before


def test_in_an_unpacked_archive(tmp_path: Path, public: Public) -> None:
    shutil.unpack_archive(public.course / "dist" / "knn.zip", tmp_path)
    folder = tmp_path / "knn" / "assignments" / "knn"
    assert works_in(first_cells(folder / "knn.ipynb", folder, public.offline)) == folder


def test_what_an_interrupted_run_left_is_replaced(empty: Path, public: Public) -> None:
    (empty / "deep-learning-v1" / ".git" / "objects").mkdir(parents=True)
    (empty / "deep-learning-v1" / ".git" / "index.lock").write_text("")
    assert works_in(first_cells(empty / "knn.ipynb", empty, public.online)) == empty
    assert (empty / "deep-learning-v1" / "helpers/notebook/colab.py").is_file()


def test_after_another_release(empty: Path, public: Public, tmp_path: Path) -> None:
    """Another release was fetched before, and its files, but those that were written in, are renewed."""
    later = Public(Path(shutil.copytree(public.folder, tmp_path / "later")))
    solution = later.course / "solutions" / "knn" / "knn.py"
    solution.write_text(solution.read_text().replace('"""k-nearest', '"""The k-nearest', 1))
    later.release("v2", NAME)
    (empty / "knn.ipynb").unlink()
    first = works_in(first_cells(public.notebook(NAME), empty, public.online))
    assert first == empty / "knn"
    second = works_in(first_cells(later.notebook(NAME), empty, later.online))
    assert second == first
    assert (second / "knn.py").read_bytes() == (later.notebook(NAME).parent / "knn.py").read_bytes()
    (second / "knn.py").write_text("mine = True\n")
    assert works_in(first_cells(public.notebook(NAME), empty, public.offline)) == first
    assert (second / "knn.py").read_text() == "mine = True\n"
    assert names(empty) == {"knn", "deep-learning-v1", "deep-learning-v2"}


def test_without_a_network(empty: Path, public: Public) -> None:
    said = sentence(first_cells(empty / "knn.ipynb", empty, public.offline))
    assert said.startswith(
        "Cannot fetch the files of the course. Is the internet on? (fatal: unable to access "
    )
    assert names(empty) == {"knn.ipynb"}


def test_without_git(empty: Path, public: Public) -> None:
    said = sentence(first_cells(empty / "knn.ipynb", empty, public.online | {"PATH": "/nowhere"}))
    assert said.endswith("Is the internet on? ([Errno 2] No such file or directory: 'git')")


def test_a_release_that_is_gone(empty: Path, public: Public, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "public.git")], check=True)
    said = sentence(first_cells(empty / "knn.ipynb", empty, Public(tmp_path).online))
    assert "Remote branch v1 not found" in said


def test_a_release_without_a_repository(tmp_path: Path, public: Public) -> None:
    """Opened alone, a notebook of such a release can only say where the rest of it is."""
    notebook = published.ROOT / "assignments" / NAME / "knn.ipynb"
    if published.REPOSITORY in notebook.read_text():
        pytest.skip("this course names a repository")
    said = sentence(first_cells(notebook, tmp_path, public.offline))
    assert said == "The files of the course are not here: unpack knn.zip, and open the notebook in it."


def test_a_notebook_of_every_assignment_begins_alike(public: Public) -> None:
    cells = {}
    for folder in (public.student / "assignments").iterdir():
        document = nbformat.read(public.notebook(folder.name), as_version=4)
        first = next(cell.source for cell in document.cells if cell.cell_type == "code")
        cells[folder.name] = first.replace(f'"{folder.name}"', '"NAME"').replace(
            f"{folder.name}.zip", "NAME.zip"
        )
    assert cells.keys() == {path.name for path in (published.ROOT / "assignments").iterdir() if path.is_dir()}
    assert len(set(cells.values())) == 1


def test_on_colab_without_drive(tmp_path: Path, public: Public) -> None:
    machine = runtimes.colab(tmp_path / "machine", public.notebook(NAME))
    for environment in (public.online, public.offline):
        done = machine.execute(public.notebook(NAME), environment, cells=1)
        assert done.stopped is None, done.text(0)
        assert done.text(0).startswith(
            "Google Drive is not used (mount failed). What you write is lost when this runtime ends.\n"
            "k-nearest neighbors: edit knn.py in /content/knn, save, and the next cell runs "
            "what you saved.\n"
            "Everything here is lost when this runtime ends: download what you want to keep.\n"
        )
        assert names(tmp_path / "machine" / "content") == {"knn", "deep-learning-v1"}


def test_on_colab_with_drive(tmp_path: Path, public: Public) -> None:
    """What was written is there again in another runtime."""
    for number in (1, 2):
        machine = runtimes.colab(tmp_path / f"{number}", public.notebook(NAME), drive=tmp_path / "drive")
        done = machine.execute(public.notebook(NAME), public.online, cells=1)
        assert done.stopped is None, done.text(0)
        home = "/content/drive/MyDrive/deep-learning/knn"
        assert f"edit knn.py in {home}, save" in done.text(0)
        assert names(machine.mounts["/content"]) == {"drive", "deep-learning-v1"}
        file = tmp_path / "drive" / "deep-learning" / "knn" / "knn.py"
        if number == 1:
            file.write_text("mine = True\n")
    assert file.read_text() == "mine = True\n"


def test_on_kaggle_from_an_attached_folder(tmp_path: Path, public: Public) -> None:
    """The inputs cannot be written to, and the internet is off, as it is at first."""
    shutil.copytree(public.student, tmp_path / "inputs" / "deep-learning" / "knn")
    machine = runtimes.kaggle(tmp_path / "machine", tmp_path / "inputs")
    done = machine.execute(public.notebook(NAME), public.offline, cells=1)
    assert done.stopped is None, done.text(0)
    assert done.text(0).startswith("k-nearest neighbors: edit knn.py in /kaggle/working/knn, save")
    assert names(tmp_path / "machine" / "working") == {"knn"}


def test_on_kaggle_with_internet(tmp_path: Path, public: Public) -> None:
    machine = runtimes.kaggle(tmp_path / "machine", tmp_path / "inputs")
    done = machine.execute(public.notebook(NAME), public.online, cells=1)
    assert done.stopped is None, done.text(0)
    assert "edit knn.py in /kaggle/working/knn, save" in done.text(0)
    assert names(tmp_path / "machine" / "working") == {"knn", "deep-learning-v1"}


@pytest.mark.full
@pytest.mark.parametrize("name", RELEASED)
def test_a_whole_notebook_on_colab(tmp_path: Path, public: Public, name: str) -> None:
    """Set up, write the solution on Drive, run everything in a new runtime, and hand in what it built."""
    notebook, drive = public.notebook(name), tmp_path / "drive"
    runtimes.colab(tmp_path / "first", notebook, drive=drive).execute(notebook, public.online, cells=1)
    home = drive / "deep-learning" / name
    shutil.copy(published.ROOT / "solutions" / name / f"{name}.py", home)
    alone = public.online | {"OMP_NUM_THREADS": "1"}  # beside other tests, threads wait for one another
    done = runtimes.colab(tmp_path / "second", notebook, drive=drive).execute(notebook, alone)
    assert done.stopped is None, done.text(done.stopped or 0)
    offered = f"[the browser offers /content/drive/MyDrive/deep-learning/{name}/{name}-submission.zip]\n"
    assert offered in done.text(done.find("submit.build"))
    hand_in = tmp_path / "class" / "ada-park"
    hand_in.mkdir(parents=True)
    shutil.copy(home / f"{name}-submission.zip", hand_in)
    output = tmp_path / "graded"
    published.run("grade", name, hand_in.parent, "--output", output, "--course", public.course)
    result = json.loads((output / "results" / "ada-park.json").read_text())
    assert result["score"] >= 100
    assert [test["id"] for test in result["tests"] if test["status"] != "passed"] == []


@pytest.mark.full
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_with_the_packages_of_colab(empty: Path, public: Public, tmp_path: Path, version: str) -> None:
    """IPython 7 and its kernel on a newer Python, without PyTorch: set-up, and a check that says so."""
    python = environment(tmp_path / "venv", version)
    cells = ('import IPython\nprint(IPython.__version__)\ncheck("knn", task="distances_two_loops")',)
    done = first_cells(empty / "knn.ipynb", empty, public.online, *cells, python=python)
    assert works_in(done) == empty
    assert done.text(0).splitlines()[1].startswith(f"Python {version}.")
    assert done.text(1).startswith("7.34.0\n")
    assert "No module named 'torch'" in done.text(1)
    assert "Traceback" not in done.text(1)
    (empty / "deep-learning-v1").rename(tmp_path / "away")
    said = sentence(first_cells(empty / "knn.ipynb", empty, public.offline, python=python))
    assert said.startswith("Cannot fetch the files of the course.")


def environment(folder: Path, version: str) -> str:
    """Make an environment of another Python with Colab's packages; return its interpreter."""
    pyenv = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    found = str(pyenv[-1]) if pyenv else shutil.which(f"python{version}")
    if found is None:
        pytest.skip(f"Python {version} is not installed")
    subprocess.run([found, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", *PINS], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"pip cannot install {' and '.join(PINS)} for Python {version}")
    return python


def test_the_set_up_cell_imports_no_pytorch() -> None:
    """So that it starts at once, and says what lacks where PyTorch is not installed."""
    code = "import sys; from helpers import check, colab, submit; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=published.ROOT)
