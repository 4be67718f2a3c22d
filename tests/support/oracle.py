"""nbgrader's own removal of solutions, which the kit's is compared with."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from nbformat.v4 import new_code_cell, new_markdown_cell
from traitlets.config import Config

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # nbgrader imports modules that are on their way out
    from nbgrader.preprocessors import ClearSolutions

SENTINEL = "A_STUB_GOES_HERE"


def cleared(source: str, kind: str, stubs: Sequence[str]) -> str:
    """Return what nbgrader makes of a solution cell; ``stubs`` replace its solutions, one after another.

    Raises RuntimeError where nbgrader refuses the cell.
    """
    make = new_code_cell if kind == "code" else new_markdown_cell
    cell = make(source, metadata={"nbgrader": {"solution": True, "grade": kind == "markdown"}})
    config = Config()
    config.ClearSolutions.code_stub = {"python": SENTINEL}
    config.ClearSolutions.text_stub = SENTINEL
    preprocessor = ClearSolutions(config=config)
    preprocessor.log.disabled = True  # it says on the terminal what it raises as well
    cell, _ = preprocessor.preprocess_cell(cell, {"language": "python"}, 0)
    first, *rest = str(cell.source).split(SENTINEL)
    assert len(rest) == len(stubs)
    return first + "".join(stub + part for stub, part in zip(stubs, rest, strict=True))
