"""Names and places: copies, suffixes, capitals, folders in folders."""

from __future__ import annotations

from pathlib import Path

from tests.autograder.intake.arrivals.shape import OTHER, RIGHT, STUB, Shapes, put

shapes = Shapes(4101)


@shapes()
def as_asked(folder: Path, student: str) -> None:
    put(folder / student / "knn.py")


@shapes(says=r"knn \(1\)\.py")
def second_download(folder: Path, student: str) -> None:
    put(folder / student / "knn (1).py")


@shapes(says=r"knn-1-1\.py")
def numbered_twice(folder: Path, student: str) -> None:
    put(folder / student / "knn-1-1.py")


@shapes(says=r"knn_final\.py")
def final_version(folder: Path, student: str) -> None:
    put(folder / student / "knn_final.py")


@shapes(says=r"knn\.py\.txt")
def text_file(folder: Path, student: str) -> None:
    put(folder / student / "knn.py.txt")


@shapes(says=r"KNN\.py")
def capitals(folder: Path, student: str) -> None:
    put(folder / student / "KNN.py")


@shapes(says=r"Kopie von knn\.py")
def copy_in_german(folder: Path, student: str) -> None:
    put(folder / student / "Kopie von knn.py")


@shapes(says=r"assignment1\.py")
def another_name(folder: Path, student: str) -> None:
    """Call the only Python file, which defines what the stub defines, something else."""
    put(folder / student / "assignment1.py")


@shapes(says="src/homework|homework")
def two_folders_down(folder: Path, student: str) -> None:
    put(folder / student / "src" / "homework" / "knn.py")


@shapes(says="coursework-main")
def course_tree(folder: Path, student: str) -> None:
    """Hand in the whole tree that was received, other assignments included."""
    root = folder / student / "coursework-main"
    put(root / "assignments" / "knn" / "knn.py")
    put(root / "assignments" / "linear_classifier" / "linear_classifier.py", b"def svm_loss(): pass\n")
    put(root / "helpers" / "__init__.py", b"")
    put(root / "README.md", b"# Course\n")


@shapes(None, says=r"final_v2")
def final_and_old(folder: Path, student: str) -> None:
    """Hand in two different versions: people decide."""
    root = folder / student / "Assignment 1 FINAL"
    put(root / "final_v2" / "knn.py")
    put(root / "old" / "knn.py", OTHER)


@shapes(None, says=r"knn\.py")
def two_near_names(folder: Path, student: str) -> None:
    put(folder / student / "knn (1).py")
    put(folder / student / "knn (2).py", OTHER)


@shapes()
def the_same_twice(folder: Path, student: str) -> None:
    root = folder / student
    put(root / "knn" / "knn.py")
    put(root / "backup" / "knn.py")


@shapes(says=r"knn\.py")
def stub_beside_the_work(folder: Path, student: str) -> None:
    """Leave the file as it was received beside the work, which the browser renamed."""
    put(folder / student / "knn.py", STUB)
    put(folder / student / "knn (1).py")


@shapes()
def litter(folder: Path, student: str) -> None:
    root = folder / student
    put(root / "knn.py")
    put(root / ".DS_Store", b"\0")
    put(root / ".ipynb_checkpoints" / "knn-checkpoint.py", OTHER)
    put(root / "__pycache__" / "knn.cpython-313.pyc", b"\0\1")


@shapes()
def single_file(folder: Path, student: str) -> None:
    """Put a file with the student's name beside the folders of the others."""
    put(folder / f"{student}_knn.py", RIGHT)
