"""Leftovers of notebooks in modules, files beside them, encodings, packages."""

from __future__ import annotations

import codecs
from pathlib import Path

from tests.autograder.intake.arrivals.shape import RIGHT, STUB, Shapes, put

shapes = Shapes(4401)


def after_docstring(code: str) -> bytes:
    """Return the right module with lines after its first import of torch."""
    text = RIGHT.decode()
    assert text.count("\nimport torch\n") == 1
    return text.replace("\nimport torch\n", f"\nimport torch\n{code}\n").encode()


def at_the_end(code: str) -> bytes:
    """Return the right module with more lines at its end."""
    return RIGHT + f"\n\n{code}\n".encode()


@shapes(says=r"google\.colab")
def colab_drive(folder: Path, student: str) -> None:
    code = 'from google.colab import drive\ndrive.mount("/content/drive")\n%cd /content/drive/MyDrive'
    put(folder / student / "knn.py", after_docstring(code))


@shapes()
def inline_figures(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", after_docstring("import matplotlib.pyplot as plt\n%matplotlib inline"))


@shapes()
def shown_figures(folder: Path, student: str) -> None:
    code = 'import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\ndisplay("done")'
    put(folder / student / "knn.py", at_the_end(code))


@shapes()
def get_ipython_call(folder: Path, student: str) -> None:
    code = 'get_ipython().run_line_magic("matplotlib", "inline")'
    put(folder / student / "knn.py", after_docstring(code))


@shapes()
def installs_a_package(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", after_docstring("!pip install -q einops\nimport einops"))


@shapes()
def changes_the_folder(folder: Path, student: str) -> None:
    code = 'import os, sys\nos.chdir("/content/drive/MyDrive/knn")\nsys.path.append("/content")'
    put(folder / student / "knn.py", after_docstring(code))


@shapes()
def pandas_at_the_top(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", after_docstring("import pandas as pd\nfrom tqdm.notebook import tqdm"))


@shapes()
def data_at_the_top(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", after_docstring("from helpers.data import digits"))


@shapes()
def data_of_scikit_learn(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", after_docstring("from sklearn.datasets import load_digits"))


@shapes()
def trains_at_the_end(folder: Path, student: str) -> None:
    code = "from helpers import data\nd = data.digits()\n"
    code += "print(KnnClassifier(d.x_train[:50], d.y_train[:50]).check_accuracy(d.x_val[:20], d.y_val[:20]))"
    put(folder / student / "knn.py", at_the_end(code))


@shapes()
def main_guard(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", at_the_end('if __name__ == "__main__":\n    input("k? ")'))


@shapes(0, says="input")
def asks_for_input(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", at_the_end('k = int(input("k? "))'))


@shapes()
def helper_beside_it(folder: Path, student: str) -> None:
    """Import a file of their own."""
    put(folder / student / "knn.py", after_docstring("from utils import identity\nassert identity(1) == 1"))
    put(folder / student / "utils.py", b"def identity(x):\n    return x\n")


@shapes()
def helpers_of_their_own(folder: Path, student: str) -> None:
    """Name a file like the package that the kit brings."""
    put(folder / student / "knn.py", after_docstring("from helpers import identity\nassert identity(1) == 1"))
    put(folder / student / "helpers.py", b"def identity(x):\n    return x\n")


@shapes(0, says=r"utils")
def helper_forgotten(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", after_docstring("from utils import identity"))


@shapes(0, says=r"seaborn")
def package_not_allowed(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", after_docstring("import seaborn as sns"))


@shapes()
def latin_1(folder: Path, student: str) -> None:
    text = "# -*- coding: latin-1 -*-\n# Für Jürgen\n" + RIGHT.decode()
    put(folder / student / "knn.py", text.encode("latin-1"))


@shapes()
def byte_order_mark(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", codecs.BOM_UTF8 + RIGHT.replace(b"\n", b"\r\n"))


@shapes(None, says=r"3\.1[2-9]|newer")
def newer_python(folder: Path, student: str) -> None:
    code = 'names = {"a": 1}\ntext = f"{names["a"]}"'
    put(folder / student / "knn.py", at_the_end(code))


@shapes(0, says=r"line \d+")
def syntax_error(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", at_the_end("def f(:\n    pass"))


@shapes(0, says=r"empty")
def empty_module(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", b"")


@shapes()
def utf_16(folder: Path, student: str) -> None:
    """Save as "Unicode", as Notepad calls it."""
    put(folder / student / "knn.py", RIGHT.decode().encode("utf-16"))


@shapes(0)
def untouched_stub(folder: Path, student: str) -> None:
    put(folder / student / "knn.py", STUB)
