"""Notebooks run in real kernels, for tests of what students meet in them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Executed:
    """A notebook after it was run.

    Attributes
    ----------
    cells : list of NotebookNode
        Its code cells.
    stopped : int or None
        Index of the code cell that raised, if one did.
    """

    cells: list[NotebookNode]
    stopped: int | None

    def text(self, index: int) -> str:
        """Return what a code cell printed or showed, as text."""
        parts = []
        for output in self.cells[index].outputs:
            if output.output_type == "stream":
                parts.append(output.text)
            elif output.output_type == "error":
                parts.append("\n".join(output.traceback))
            else:
                parts.append(output.data.get("text/plain", ""))
        return "".join(parts)

    def figures(self) -> int:
        """Return how many images the cells show."""
        return sum("image/png" in output.get("data", {}) for cell in self.cells for output in cell.outputs)

    def find(self, source: str) -> int:
        """Return the index of the only code cell that contains a text."""
        (index,) = (n for n, cell in enumerate(self.cells) if source in cell.source)
        return index


def execute(
    notebook: NotebookNode,
    folder: Path,
    *,
    python: str = sys.executable,
    timeout: float = PATIENCE,
    environment: Mapping[str, str] | None = None,
) -> Executed:
    """Run a notebook from its first cell on, in a folder, until a cell raises.

    Parameters
    ----------
    python : str
        The interpreter whose ipykernel runs it.
    timeout : float
        Seconds that a cell may take.
    environment : mapping of str to str, optional
        All variables of the kernel's environment, if they are not those of this process.
    """
    client = NotebookClient(notebook, timeout=timeout, resources={"metadata": {"path": str(folder)}})
    manager = client.create_kernel_manager()
    manager.kernel_spec.argv[0] = python
    with tempfile.TemporaryDirectory(prefix="kernel-") as sockets, contextlib.suppress(CellExecutionError):
        # Free TCP ports are looked for before the kernel binds them; another test's kernel can be faster.
        manager.transport, manager.ip = "ipc", f"{sockets}/socket"
        asyncio.run(client.async_execute(env=dict(os.environ if environment is None else environment)))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    failed = [n for n, cell in enumerate(cells) if any(o.output_type == "error" for o in cell.outputs)]
    return Executed(cells, failed[0] if failed else None)


def of_cells(sources: Sequence[str]) -> NotebookNode:
    """Return a notebook of code cells."""
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
