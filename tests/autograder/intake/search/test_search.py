"""Work that was handed in is found, whatever it is called and wherever it lies; what is in doubt waits."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from autograder import intake
from autograder.course.assignment import load
from tests.support import pair
from tests.support.hand_ins import (
    NOTEBOOK,
    OTHER,
    STUB,
    WORK,
    handed_in,
    notebook,
    put,
    seven_zipped,
    tarred,
    zipped,
)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "knn (1).py",
            "knn-1-1.py",
            "knn_final.py",
            "knn.py.txt",
            "KNN.py",
            "knn.PY",
            "Knn.Py",
            "knn (2).py.txt",
        ),
        *("Kopie von knn.py", "knn copy.py", "knn - Kopie.py", "knn_old.py", "knn_v2.py", "knn.py.bak"),
        *("final_knn.py", "knn-final-final2.py", "hw1 knn.py", "my_knn.py", "knn_solution.py", " knn.py"),
        *("knn(1).py", "knn_submission_final.py", "copie de knn.py", "knn.py~", "knn.py.download"),
    ],
)
def test_near_names_are_taken_with_a_note(tmp_path: Path, name: str) -> None:
    found = handed_in(tmp_path, {name: WORK})
    assert (found.problem, found.files) == (None, {"knn.py": WORK.encode()})
    assert found.notes == (f"knn.py was taken from {name.strip()}.",)
    assert found.taken == {"knn.py": name}


@pytest.mark.parametrize(
    "path",
    [
        *(
            "a/b/knn.py",
            "submission/week 1/knn/knn.py",
            "content/drive/MyDrive/coursegrad/assignments/knn/knn.py",
        ),
        *("repo-main/knn.py", "Users/ada/Documents/hw/knn.py", "final/knn (1).py", "a/b/c/d/e/f/g/knn.py"),
    ],
)
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_deeper_folders(tmp_path: Path, path: str, form: str) -> None:
    files = {path: WORK, "__MACOSX/._knn.py": b"\0\5\26\7", "notes/thoughts.txt": "hm"}
    found = handed_in(tmp_path, files if form == "folder" else {"work.zip": zipped(files)})
    assert found.files == {"knn.py": WORK.encode()}
    assert "Taken from" in found.notes[0] or path in found.notes[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("work.tar", tarred({"hw/knn.py": WORK}, "w")),
        ("work.tar.gz", tarred({"hw/knn.py": WORK})),
        ("work.tgz", tarred({"hw/knn.py": WORK})),
        ("work.tar.bz2", tarred({"hw/knn.py": WORK}, "w:bz2")),
        ("work.tar.xz", tarred({"hw/knn.py": WORK}, "w:xz")),
        ("work.7z", seven_zipped({"hw/knn.py": WORK})),
        ("named wrongly.zip", seven_zipped({"hw/knn.py": WORK})),
        ("outer.zip", zipped({"mail/inner.zip": zipped({"hw/knn.py": WORK})})),
        ("outer.tar.gz", tarred({"mail/inner.7z": seven_zipped({"hw/knn.py": WORK})})),
    ],
)
@pytest.mark.parametrize("place", ["beside", "in a folder"])
def test_archives_of_every_kind(tmp_path: Path, name: str, content: bytes, place: str) -> None:
    found = handed_in(tmp_path, {name if place == "beside" else f"week 1/{name}": content})
    assert found.files == {"knn.py": WORK.encode()}
    assert name in found.notes[0]


def test_a_packed_file(tmp_path: Path) -> None:
    import gzip

    found = handed_in(tmp_path, {"knn.py.gz": gzip.compress(WORK.encode())})
    assert found.files == {"knn.py": WORK.encode()}


def test_archives_that_cannot_be_read_say_so(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"work.rar": b"Rar!\x1a\x07\x01\0" + b"x" * 100})
    assert found.problem == (
        "work.rar is a rar file and cannot be read; use zip, tar, tar.gz, tar.bz2, tar.xz, 7z or gz."
    )


def test_the_course_tree_zipped_whole(tmp_path: Path) -> None:
    files = {
        "deep-learning/assignments/knn/knn.py": WORK,
        "deep-learning/assignments/knn/knn.ipynb": NOTEBOOK,
        "deep-learning/assignments/knn/test_public.py": "import knn\n",
        "deep-learning/assignments/two_layer_net/two_layer_net.py": "def f():\n    pass\n",
        "deep-learning/helpers/testing/checks.py": "x = 1\n",
        "deep-learning/README.md": "# Deep learning\n",
        "deep-learning/.git/HEAD": "ref: refs/heads/main\n",
    }
    found = handed_in(tmp_path, {"deep-learning.zip": zipped(files)})
    assert found.files == {"knn.py": WORK.encode()}
    assert found.notebook == NOTEBOOK.encode()


def test_unrelated_files_do_not_matter(tmp_path: Path) -> None:
    venv = {f"env/lib/python3.13/site-packages/m{n}.py": "x = 1\n" for n in range(300)}
    clutter = {
        "env/pyvenv.cfg": "home = /usr",
        ".ipynb_checkpoints/knn-checkpoint.ipynb": "{}",
        ".git/config": "",
    }
    for files in ({**venv, **clutter, "Screenshot 10:30:11.png": b"\x89PNG", "knn.py": WORK},):
        found = handed_in(tmp_path, {"a.zip": zipped(files)})
        assert found.files == {"knn.py": WORK.encode()}
        assert found.notes == ("Taken from a.zip.", "Ignored: a.zip/Screenshot 10:30:11.png.")


# Several


def test_copies_that_give_the_same_count_as_one(tmp_path: Path) -> None:
    commented = WORK.replace("import torch\n", "import torch  # PyTorch\n\n\n", 1)
    found = handed_in(tmp_path, {"a/knn.py": WORK, "b/knn.py": commented.replace("\n", "\r\n")})
    assert found.problem is None
    assert "Taken from the folder a." in found.notes


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("final_v2/knn.py", "old/knn.py"),
        ("Assignment 1 FINAL/final_v2/knn.py", "Assignment 1 FINAL/old/knn.py"),
        ("knn (1).py", "knn.py"),
        ("knn_final.py", "knn_v2.py"),
        ("a.zip/knn.py", "b.zip/knn.py"),
    ],
)
def test_several_that_differ_wait_for_a_decision(tmp_path: Path, first: str, second: str) -> None:
    files: dict[str, str | bytes] = {}
    for path, text in ((first, WORK), (second, OTHER)):
        head, packed, rest = path.partition(".zip/")
        files[f"{head}.zip" if packed else path] = zipped({rest: text}) if packed else text
    found = handed_in(tmp_path, files)
    assert set(found.undecided) == {first, second}
    assert found.files == {}
    assert str(found.problem).startswith("Waits for a decision: knn.py could be ")


@pytest.mark.parametrize(
    ("meant", "other"),
    [
        ("knn.py", "old/knn.py"),
        ("knn.py", "knn_old.py"),
        ("knn.py", "knn copy.py"),
        ("hw/knn.py", "hw/backup/knn.py"),
        ("knn/knn.py", "other/knn.py"),
    ],
)
def test_the_one_where_it_should_be_is_meant(tmp_path: Path, meant: str, other: str) -> None:
    found = handed_in(tmp_path, {meant: WORK, other: OTHER})
    assert found.files["knn.py"] == WORK.encode()
    assert f"Not taken for knn.py: {other}." in found.notes


def test_work_is_preferred_to_the_stub(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"knn.py": STUB.replace("\n", "\r\n"), "done/knn (1).py": WORK})
    assert found.files == {"knn.py": WORK.encode()}
    found = handed_in(tmp_path / "b", {"knn.py": STUB, "knn.zip": zipped({"knn.py": WORK})})
    assert found.files == {"knn.py": WORK.encode()}


def test_work_under_another_name_is_known_by_what_it_defines(tmp_path: Path) -> None:
    files = {"ada park abgabe 3.py": WORK, "plot.py": "def show():\n    pass\n", "test_knn.py": WORK}
    found = handed_in(tmp_path, files)
    assert found.files["knn.py"] == WORK.encode()
    assert "knn.py was taken from ada park abgabe 3.py." in found.notes
    part = WORK[: WORK.index("def predict_labels")]
    found = handed_in(tmp_path / "b", {"so far.py": part})
    assert found.files["knn.py"] == part.encode()


def test_one_file_that_holds_all_modules(tmp_path: Path) -> None:
    own = load(pair.write(tmp_path / "course"), "pair")
    whole = f"{pair.LAYERS}\n\n{pair.NETWORK}"
    found = intake.read_one(put(tmp_path / "ada", {"network.py": whole}), own)
    assert found.broken == {}
    assert found.files == {f"{module}.py": whole.encode() for module in own.modules}


def test_one_module_of_several_that_is_missing_or_no_text(tmp_path: Path) -> None:
    own = load(pair.write(tmp_path / "course"), "pair")
    files: dict[str, str | bytes] = {"network.py": pair.NETWORK}
    found = intake.read_one(put(tmp_path / "a", files), own)
    assert (found.problem, found.broken) == (None, {"layers.py": "layers.py is missing."})
    found = intake.read_one(put(tmp_path / "b", {**files, "layers.py": b"# caf\xe9\n"}), own)
    assert found.broken == {"layers.py": "layers.py is not UTF-8 text (byte 6); save it as UTF-8."}
    assert found.files.keys() == files.keys()


def test_code_that_is_quoted_in_markdown(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"answers.md": f"# kNN\n\n```python\n{WORK}```\n\nThat is it.\n"})
    assert found.files["knn.py"] == WORK.encode()


def test_files_of_another_assignment_are_not_taken(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"two_layer_net.py": "def forward():\n    return 1\n"})
    assert found.problem == (
        "knn.py is missing. Handed in: two_layer_net.py; no code of knn.py was found in it."
    )


# Notebooks


def test_a_notebook_that_writes_the_file(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"knn.ipynb": notebook(f"%%writefile knn.py\n{WORK}")})
    assert found.files["knn.py"].decode().strip() == WORK.strip()
    assert found.notes[0] == "knn.py came from the cell of knn.ipynb that writes it."


def test_a_notebook_that_holds_the_code(tmp_path: Path) -> None:
    start = WORK.index("def compute_distances_two_loops")
    cells = (
        "%matplotlib inline\nimport torch\n!pip install einops\n",
        WORK[start:],
        "print(knn_get_best_k({1: [1.0]}))",
    )
    for files in (
        {"knn.ipynb": notebook(*cells)},
        {"knn.ipynb": notebook(*cells), "knn.py": STUB},
        {"knn.py": notebook(*cells)},
        {"my notebook.ipynb": notebook(*cells, released=False)},
    ):
        found = handed_in(tmp_path / str(len(str(files))), files)
        source = found.files["knn.py"].decode()
        names: dict[str, object] = {}
        exec(compile(source, "knn.py", "exec"), names)  # the reference, in another order
        assert callable(names["knn_get_best_k"])
        assert "NotImplementedError" not in source
        assert "print" not in source.partition("class KnnClassifier")[0]
        assert any("came from the cells of" in note or "is a notebook" in note for note in found.notes)


def test_what_a_module_leaves_undone_comes_from_the_notebook(tmp_path: Path) -> None:
    head, _, rest = WORK.partition("def predict_labels")
    body = "def predict_labels" + rest.partition("\n\n\n")[0]
    undone = (
        head
        + STUB[STUB.index("def predict_labels") : STUB.index("class KnnClassifier")]
        + WORK[WORK.index("class KnnClassifier") :]
    )
    found = handed_in(tmp_path, {"knn.py": undone, "knn.ipynb": notebook("SCALE = 2\n", body)})
    assert body.strip() in found.files["knn.py"].decode()
    assert any(note.startswith("predict_labels came from the cells of knn.ipynb") for note in found.notes)


def test_a_released_notebook_gives_no_code(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"knn.ipynb": NOTEBOOK})
    assert found.problem == ("knn.py is missing. Handed in: knn.ipynb; no code of knn.py was found in it.")
    assert found.notebook == NOTEBOOK.encode()


# What cannot be graded


def test_what_was_there_is_said(tmp_path: Path) -> None:
    found = handed_in(tmp_path, {"report.pdf": b"%PDF", "notes.docx": b"PK\3\4"})
    assert found.problem == (
        "knn.py is missing. Handed in: notes.docx and report.pdf; no Python code was found in them."
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", '"""Later."""\n'])
def test_an_empty_module_is_said_to_be_empty(tmp_path: Path, text: str) -> None:
    assert handed_in(tmp_path, {"knn.py": text}).problem == "knn.py is empty."


def test_names_that_are_long_are_shortened(tmp_path: Path) -> None:
    long = "a" * 60_000
    found = handed_in(tmp_path, {"w.zip": zipped({f"{long}.txt": "x", f"{long}/knn.py": WORK})})
    assert found.files == {"knn.py": WORK.encode()}
    assert all(len(note) < 200 for note in found.notes)


def test_names_are_compared_composed(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "knn_lösung.py")
    assert handed_in(tmp_path, {name: WORK}).files == {"knn.py": WORK.encode()}
