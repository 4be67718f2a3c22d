"""Files as students really write them, and whether they can be imported: one table for all importers."""

from __future__ import annotations

from dataclasses import dataclass, field

WORK = '''

def double(x):
    """Return twice x."""
    return 2 * x


def total(values):
    """Return the sum of a list."""
    return sum(values)
'''
"""The work itself, right, for the assignment `toy` of `handouts.py`."""


@dataclass(frozen=True)
class Case:
    """A module `toy`, the files beside it, and what becomes of them.

    Attributes
    ----------
    source : bytes
        The module without its work; that follows.
    beside : dict
        Path to content of other files.
    error : str or None
        Part of the error, if it cannot be imported.
    cause : str
        Part of the likely cause.
    line : int
        Where that is; 0 if no line is known.
    note : str
        Part of a note.
    """

    source: bytes
    beside: dict[str, bytes] = field(default_factory=dict)
    error: str | None = None
    cause: str = ""
    line: int = 0
    note: str = ""

    @property
    def files(self) -> dict[str, bytes]:
        """Everything that is handed in."""
        return {"toy.py": self.source + WORK.encode(), **self.beside}


MAIN = 'move it below `if __name__ == "__main__":`'

PASSING = {
    "as it should be": Case(b"import torch\n"),
    "Drive is mounted": Case(
        b"from google.colab import drive, files, userdata\ndrive.mount('/content/drive')\n"
        b"key = userdata.get('KEY')\nuploaded = files.upload()\n",
        note="toy.py, line 1: google.colab does nothing when your work is graded.",
    ),
    "colab as a whole": Case(b"import google.colab\ngoogle.colab.output.clear()\n", note="google.colab"),
    "magics": Case(
        b"%matplotlib inline\n!pip install einops\nimport torch\nfiles = !ls\n",
        note="toy.py, lines 1, 2 and 4: left out, since only notebooks understand them.",
    ),
    "a cell magic": Case(b"%%writefile toy.py\nimport torch\n", note="toy.py, line 1: left out"),
    "a script made of a notebook": Case(
        b"get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('pip install x')\n",
        note="get_ipython() does nothing",
    ),
    "display": Case(
        b"from IPython.display import Image, clear_output\nclear_output()\ndisplay(Image('x.png'))\n",
        note="display() does nothing",
    ),
    "a folder of Colab": Case(b"import os\nos.chdir('/content/drive/MyDrive/knn')\n"),
    "plots": Case(b"import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nprint('shown')\n"),
    "helpers of another course": Case(
        b"import eecs598\nimport rob599.grad as grad\nfrom eecs598 import Solver\n"
        b"from eecs598.grad import compute_numeric_gradient, rel_error\nfrom a3_helper import *\n"
        b"from a2_helpers import reset_seed\nimport eecs598.solver\n"
        b"eecs598.reset_seed(0)\nassert eecs598.Solver is Solver is eecs598.solver.Solver\n"
        b"assert grad.rel_error is rel_error and svm_loss and softmax_loss\n"
    ),
    "a package of another course, which needs more than there is": Case(
        b"import eecs598\nfrom eecs598 import Solver, reset_seed\nfrom eecs598.grad import rel_error\n"
        b"assert Solver.__module__ == 'helpers.training.solver'\n",
        beside={
            "eecs598/__init__.py": b"from . import data, submit\nfrom .solver import Solver\n",
            "eecs598/data.py": b"import cv2, torch\n",
            "eecs598/submit.py": b"from google.colab import drive\n",
            "eecs598/solver.py": b"class Solver: pass\n",
        },
    ),
    "layers of an earlier assignment": Case(
        b"from fully_connected_networks import Linear_ReLU, Linear, Solver, adam, ReLU\n"
        b"from linear_classifier import sample_batch\n"
        b"assert Solver.__module__ == 'helpers.training.solver' and Linear.forward\n"
    ),
    "their own file of an earlier assignment": Case(
        b"from linear_classifier import sample_batch, mine\nassert sample_batch == mine\n",
        beside={"linear_classifier.py": b"sample_batch = mine = 3\n"},
    ),
    "packages of the course": Case(
        b"import numpy, scipy.stats, sklearn.neighbors, pandas as pd, einops, PIL.Image, tqdm.auto\n"
        b"assert len(pd.DataFrame({'a': [1]})) == 1\n"
    ),
    "data of the kit": Case(b"from helpers.data import digits\nimport helpers.training.layers\n"),
    "latin-1, and says so": Case("# -*- coding: latin-1 -*-\nNAME = 'Jörg'\n".encode("latin-1")),
    "a byte order mark": Case(b"\xef\xbb\xbfimport torch\n"),
    "lines of Windows": Case(b"import torch\r\n\r\nX = 1\r\n"),
    "training below main": Case(b"if __name__ == '__main__':\n    open('data.csv')\n"),
    "a sibling": Case(
        b"from utils import two\nimport nets.blocks as b\nassert b.THREE == two() + 1\n",
        {
            "utils.py": b"def two():\n    return 2\n",
            "nets/blocks.py": b"from .deep import THREE\n",
            "nets/deep.py": b"THREE = 3\n",
        },
    ),
    "a dataclass in a sibling": Case(
        b"from settings import Settings\nSettings()\n",
        {
            "settings.py": b"from __future__ import annotations\nfrom dataclasses import dataclass\n\n"
            b"@dataclass\nclass Settings:\n    rate: float = 0.1\n",
        },
    ),
    "helpers of their own": Case(
        b"from helpers import mine\nfrom helpers.training.layers import Linear\nimport helpers\n"
        b"assert mine() == helpers.mine() == 1\nassert helpers.training.layers\n",
        {"helpers.py": b"def mine():\n    return 1\n"},
    ),
    "a sibling called as a module of Python": Case(
        b"from random import own\nimport random\nrandom.seed(0)\nassert own == 1\n",
        {"random.py": b"own = 1\n"},
    ),
    "loading in processes": Case(
        b"from torch.utils.data import DataLoader\n"
        b"assert len(list(DataLoader(range(6), batch_size=2, num_workers=2, prefetch_factor=2))) == 3\n"
    ),
    "a compiled function": Case(
        b"import torch\n\n@torch.compile\ndef f(x):\n    return x + 1\n\n"
        b"g = torch.compile(mode='default')(f)\nassert g(torch.zeros(1)) == 1\n"
    ),
    "a package that may be missing": Case(b"try:\n    import wandb\nexcept ImportError:\n    wandb = None\n"),
    "a place of its own": Case(b"import os, sys\nsys.path.append(os.path.dirname(__file__))\n"),
}

FAILING = {
    "a syntax error": Case(b"def f(:\n    pass\n", error="SyntaxError", line=1),
    "one byte of latin-1": Case(
        "x = 1\nNAME = 'Jörg'\n".encode("latin-1"), error="not utf-8 text", line=2, cause="save it as UTF-8"
    ),
    "a hidden encoding": Case(b"# coding: utf-7\n", error="not one to write programs in", line=1),
    "a PDF": Case(
        b"%PDF-1.7\n1 0 obj\n", error="this is a PDF, not a Python file", line=1, cause="hand in that"
    ),
    "UTF-16": Case(b"\xff\xfe\x00", error="UTF-16", line=1, cause="save it as UTF-8"),
    "a package that is not allowed": Case(
        b"\nimport wandb\n",
        error="wandb is not among the packages",
        line=2,
        cause="wandb is a package that this course does not use",
    ),
    "a sibling that was not handed in": Case(
        b"from utils import f\n",
        error="no file utils.py was handed in",
        line=1,
        cause="utils.py is on your computer",
    ),
    "a name that the other kit does not have here": Case(
        b"\nfrom eecs598.utils import attention_visualizer\n",
        error="ImportError: cannot import name 'attention_visualizer': no file eecs598.py was handed in",
        line=2,
        cause="hand in your eecs598.py with toy.py, or write attention_visualizer yourself",
    ),
    "a layer of an earlier assignment that is not here": Case(
        b"from fully_connected_networks import Dropout\n",
        error="this course stands in for Linear, Linear_ReLU, ReLU",
        line=1,
        cause="hand in your fully_connected_networks.py with toy.py",
    ),
    "a name of another kit that is used": Case(
        b"import eecs598\neecs598.data.nothing()\n", error="has no attribute 'nothing'", line=2
    ),
    "a shell cell": Case(b"%%bash\nls\n", error="%%bash", line=1, cause="delete the lines of that cell"),
    "a name of the notebook": Case(
        b"x = torch.ones(1)\n",
        error="NameError: name 'torch' is not defined",
        line=1,
        cause="uses torch without importing it",
    ),
    "input": Case(b"k = int(input('k? '))\n", error="EOFError", line=1, cause="nobody is there"),
    "a GPU": Case(b"import torch\nX = torch.ones(2).cuda()\nY = torch.ones(2, device='cuda')\n"),
    "data of the student": Case(
        b"import numpy as np\nX = np.load('data/x.npy')\n",
        error="FileNotFoundError",
        line=2,
        cause="load data in the notebook, or " + MAIN,
    ),
    "a file that is written": Case(
        b"open('log.txt', 'w')\n", error="Error", line=1, cause="writes a file when it is imported"
    ),
    "a folder that is made": Case(
        b"import os\nos.makedirs('out', exist_ok=True)\n",
        error="Error",
        line=2,
        cause="writes a file when it is imported",
    ),
    "a download": Case(
        b"import urllib.request\nurllib.request.urlopen('http://example.org/x')\n",
        line=2,
        error="Error",
        cause="there is no network",
    ),
    "another process": Case(
        b"import subprocess\nsubprocess.run(['true'])\n",
        error="Error",
        line=2,
        cause="starts another process",
    ),
    "arguments": Case(
        b"import argparse\np = argparse.ArgumentParser()\np.add_argument('data')\nargs = p.parse_args()\n",
        error="SystemExit",
        line=4,
        cause="argparse reads",
    ),
    "an end": Case(b"import sys\nsys.exit()\n", error="SystemExit", line=2, cause="ends the program"),
    "training": Case(
        b"import torch\nx = torch.ones(1)\nwhile True:\n    x = x * 1\n",
        error="used up its 1 second",
        line=3,
        cause="runs something long when it is imported, such as training; " + MAIN,
    ),
    "a crash": Case(b"import os\nos._exit(3)\n", error="exit status 3"),
    "a circle": Case(
        b"from utils import f\n",
        {"utils.py": b"from toy import double\n"},
        line=1,
        error="ImportError",
        cause="two files import each other",
    ),
    "an error in a sibling": Case(
        b"\nimport utils\n",
        {"utils.py": b"x = 1\ny = z\n"},
        error="NameError",
        line=2,
        cause="z is defined in the notebook",
    ),
    "merged versions": Case(
        b"<<<<<<< HEAD\nx = 1\n=======\n",
        error="SyntaxError",
        line=1,
        cause="two versions of the file were merged",
    ),
    "typographic quotes": Case("x = “a”\n".encode(), error="invalid character", line=1, cause="typographic"),
    "a relative import": Case(
        b"from .utils import f\n",
        {"utils.py": b"f = 1\n"},
        error="relative import",
        line=1,
        cause="without the dot",
    ),
    "a call of what is not written": Case(
        b"def f():\n    raise NotImplementedError\n\nf()\n",
        line=2,
        error="NotImplementedError",
        cause="not written yet",
    ),
}
BARE = {
    "empty": Case(b"", error="the file is empty", line=1, cause="saved without its content"),
    "a notebook": Case(
        b'{"cells": [], "metadata": {}, "nbformat": 4}',
        error="this is a notebook",
        line=1,
        cause="the code of its cells",
    ),
}
"""Without work: the source is all there is."""
