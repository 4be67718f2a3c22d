"""A class of sixty who hand in kNN in all the shapes that work arrives in, and what each must get.

Run it to look at the class: ``python tests/shapes.py FOLDER``.
"""

from __future__ import annotations

import gzip
import json
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from hand_ins import NOTEBOOK, OTHER, STUB, WORK, Files, notebook, put, seven_zipped, tarred, zipped

FULL = 100.0
NOTHING = 0.0
WAITS = None
"""No points yet: an instructor has to choose."""

_START = WORK.index("def compute_distances_two_loops")
_CELLS = ("%matplotlib inline\nimport torch\n!pip install einops", WORK[_START:], "print('done')")
_ANSWERED = NOTEBOOK.replace("Think about it", "Think about it (done)")
_SPLIT = WORK.replace("import torch\n", "import torch\nfrom utils import first\n", 1)
_UTILS = "def first(x):\n    return x[0]\n"


@dataclass(frozen=True)
class Shape:
    """What one student hands in.

    Attributes
    ----------
    student : str
        As in results.
    files : Files
        Entries of the class folder.
    score : float or None
        What must come out; None if it waits.
    """

    student: str
    files: Files
    score: float | None = FULL


def _folder(student: str, files: Files, score: float | None = FULL) -> Shape:
    return Shape(student, {f"{student}/{name}": content for name, content in files.items()}, score)


def _named(number: int, name: str) -> Shape:
    return _folder(f"near-{number}", {name: WORK})


NEAR = [
    _named(number, name)
    for number, name in enumerate(
        [
            *("knn (1).py", "knn-1-1.py", "knn_final.py", "knn.py.txt", "KNN.py", "Kopie von knn.py"),
            *("knn copy.py", "knn_v2.PY", "my_knn.py", "homework 1 knn.py"),
        ]
    )
]
DEEP = [
    _folder("deep-two", {"submission/code/knn.py": WORK}),
    _folder("deep-drive", {"content/drive/MyDrive/coursegrad/assignments/knn/knn.py": WORK}),
    _folder(
        "deep-github", {"knn-main.zip": zipped({"knn-main/knn.py": WORK, "knn-main/README.md": "# kNN"})}
    ),
    _folder("deep-same", {"a/knn.py": WORK, "b/knn.py": WORK.replace("\n", "\r\n")}),
    _folder("deep-stub", {"knn.py": STUB, "done/knn.py": WORK}),
    _folder("deep-final", {"FINAL/final_v2/knn.py": WORK, "FINAL/old/knn.py": OTHER}, WAITS),
    _folder("deep-beside", {"knn.py": WORK, "backup/knn.py": OTHER}),
    _folder("deep-venv", {"knn.py": WORK, **{f"venv/m{n}.py": "" for n in range(99)}, "venv/pyvenv.cfg": ""}),
]
PACKED = [
    Shape("zip", {"zip.zip": zipped({"knn.py": WORK, "knn.ipynb": NOTEBOOK})}),
    Shape("zip-deep", {"zip-deep.zip": zipped({"hw/a/knn.py": WORK, "__MACOSX/hw/a/._knn.py": "x"})}),
    Shape("zip-in-zip", {"zip-in-zip.zip": zipped({"inner.zip": zipped({"knn.py": WORK})})}),
    Shape("tar-gz", {"tar-gz.tar.gz": tarred({"hw/knn.py": WORK})}),
    Shape("tar-xz", {"tar-xz.tar.xz": tarred({"knn.py": WORK}, "w:xz")}),
    Shape("tar-bz2", {"tar-bz2.tar.bz2": tarred({"knn.py": WORK}, "w:bz2")}),
    Shape("seven", {"seven.7z": seven_zipped({"hw/knn.py": WORK})}),
    Shape("seven-named-zip", {"seven-named-zip.zip": seven_zipped({"knn.py": WORK})}),
    _folder("gz", {"knn.py.gz": gzip.compress(WORK.encode())}),
    Shape("rar", {"rar.rar": b"Rar!\x1a\x07\0" + bytes(64)}, NOTHING),
    Shape("zip-cut", {"zip-cut.zip": zipped({"knn.py": WORK})[:400]}, NOTHING),
    Shape("zip-screenshot", {"zip-screenshot.zip": zipped({"Screenshot 10:30:11.png": "x", "knn.py": WORK})}),
    Shape("zip-long", {"zip-long.zip": zipped({f"{'a' * 60_000}.txt": "x", "knn.py": WORK})}),
    Shape(
        "zip-two",
        {"zip-two/a.zip": zipped({"knn.py": WORK}), "zip-two/b.zip": zipped({"knn.py": OTHER})},
        WAITS,
    ),
    Shape("zip-out", {"zip-out.zip": zipped({"knn.py": WORK, "../knn.py": WORK})}, NOTHING),
]
NOTEBOOKS = [
    _folder("nb-cells", {"knn.ipynb": notebook(*_CELLS)}),
    _folder("nb-stub", {"knn.ipynb": notebook(*_CELLS), "knn.py": STUB}),
    _folder("nb-file", {"knn.ipynb": notebook(f"%%writefile knn.py\n{WORK}")}),
    _folder("nb-named-py", {"knn.py": notebook(*_CELLS)}),
    _folder("nb-cut", {"knn.ipynb": notebook(f"%%writefile knn.py\n{WORK}")[:-40]}),
    _folder("nb-only-released", {"knn.ipynb": _ANSWERED}, NOTHING),
    _folder("nb-and-module", {"knn.ipynb": json.dumps(json.loads(_ANSWERED)), "knn.py": WORK}),
]
CONTENT = [
    _folder("renamed", {"abgabe von mir 3.py": WORK}),
    _folder("latin", {"knn.py": b"# -*- coding: latin-1 -*-\n# \xe4\n" + WORK.encode("latin-1", "replace")}),
    _folder("utf16", {"knn.py": WORK.encode("utf-16")}),
    _folder("siblings", {"knn.py": _SPLIT, "utils.py": _UTILS}),
    _folder("siblings-zip", {"a.zip": zipped({"hw/knn.py": _SPLIT, "hw/utils.py": _UTILS})}),
    _folder("empty-file", {"knn.py": ""}, NOTHING),
    _folder("stub", {"knn.py": STUB}, NOTHING),
    _folder("pdf", {"report.pdf": b"%PDF-1.7"}, NOTHING),
    _folder("browser", {"knn.py": WORK, "knn (1).py": OTHER}, WAITS),
]
PLATFORMS = [
    Shape("team_7_4711", {"team_7_4711_90001_knn.py": WORK}),
    Shape("anon_aB3xZ", {"LATE_anon_aB3xZ_90002_knn (1).py": WORK}),
    Shape("smith_joneskim_4712", {"smith_joneskim_4712_90003_knn-1.py": WORK}),
    Shape("parkada_4713", {"parkada_4713_90004_knn-submission.zip": zipped({"knn.py": WORK})}),
    Shape("silva_4714", {"silva_4714_text.html": "<p>sorry, next week</p>"}, NOTHING),
    Shape("weiss_4715", {"weiss_4715_90005_knn.py": OTHER, "weiss_4715_90006_knn-1.py": WORK}),
    Shape(
        "Ada Park_4716",
        {
            "Ada Park_4716_assignsubmission_file/knn.py": WORK,
            "Ada Park_4716_assignsubmission_onlinetext/onlinetext.html": "<p>see file</p>",
        },
    ),
    Shape(
        "Zoë Müller_4717",
        {f"{unicodedata.normalize('NFD', 'Zoë Müller')}_4717_assignsubmission_file/knn.py": WORK},
    ),
    Shape("Jan_4718", {"Jan_4718_assignsubmission_onlinetext/onlinetext.html": "<p>hm</p>"}, NOTHING),
    Shape("mia", {"mia/readme.md": "later"}, NOTHING),
    Shape("ole", {"ole/ole.zip": b""}, NOTHING),
]
SHAPES = [*NEAR, *DEEP, *PACKED, *NOTEBOOKS, *CONTENT, *PLATFORMS]


def write(folder: Path) -> Path:
    """Write the class into a folder."""
    for shape in SHAPES:
        put(folder, shape.files)
    return folder


if __name__ == "__main__":
    print(f"{write(Path(sys.argv[1]))} holds what {len(SHAPES)} students hand in")
