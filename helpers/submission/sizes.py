"""How large the files of a hand-in may be."""

from __future__ import annotations

MAX_FILE_BYTES = 1_000_000
MAX_WEIGHTS_BYTES = 10_000_000
MAX_NOTEBOOK_BYTES = 10_000_000
WEIGHTS = ".pt"
"""How names of files end that hold saved weights: bytes, which only a worker ever looks into."""


def size_limit(name: str) -> int:
    """Return how many bytes grading reads of a file of this name.

    Examples
    --------
    >>> size_limit("knn.py"), size_limit("best.pt")
    (1000000, 10000000)
    """
    if name.endswith(WEIGHTS):
        return MAX_WEIGHTS_BYTES
    return MAX_NOTEBOOK_BYTES if ".ipynb" in name else MAX_FILE_BYTES
