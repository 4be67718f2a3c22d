"""Notebooks and intake go by the same sizes."""

from __future__ import annotations

from helpers.submission import sizes


def test_the_limit_goes_by_the_kind_of_file() -> None:
    assert sizes.size_limit("folder/knn.py") == sizes.MAX_FILE_BYTES
    assert sizes.size_limit("best.pt") == sizes.MAX_WEIGHTS_BYTES
    assert sizes.size_limit("knn (1).ipynb.json") == sizes.MAX_NOTEBOOK_BYTES
