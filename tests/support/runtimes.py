"""Machines that notebooks run on elsewhere: Google Colab and Kaggle, with folders where they have them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from tests.support import kernels
from tests.support.kernels import Executed

COLAB = Path(__file__).parent / "colab_runtime"

_INSIDE = """\
set -e
mount -t tmpfs none {root}
for entry in /*; do
    if [ -L "$entry" ]; then cp -P "$entry" {root}
    elif [ -d "$entry" ]; then mkdir "{root}$entry"; mount --rbind "$entry" "{root}$entry"
    fi
done
{mounts}
exec chroot {root} /bin/sh -c 'cd "$0" && exec "$@"' {start} {python} "$@"
"""


@dataclass
class Runtime:
    """A machine with folders at paths of its own; what is in them stays until the test ends.

    Attributes
    ----------
    folder : Path
        Where its parts are kept.
    start : str
        The current folder of a new kernel.
    mounts : dict of str to Path
        Path on the machine to folder here.
    variables : dict of str to str
        Of the environment, besides those that a kernel is started with.
    fixed : tuple of str
        Paths on the machine that cannot be written to.
    """

    folder: Path
    start: str
    mounts: Mapping[str, Path]
    variables: dict[str, str] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()

    def execute(
        self, notebook: Path, environment: Mapping[str, str], *, cells: int | None = None
    ) -> Executed:
        """Run a notebook, or its first code cells, in a new kernel; its file is not on the machine."""
        document = nbformat.read(notebook, as_version=4)
        if cells is not None:
            code = [cell for cell in document.cells if cell.cell_type == "code"]
            document = kernels.of_cells([cell.source for cell in code[:cells]])
        python = self._python()
        return kernels.execute(
            document, self.folder, python=python, environment={**environment, **self.variables}
        )

    def _python(self) -> str:
        """Write a program that runs Python on this machine, and return its path."""
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        lines = []
        for path, here in self.mounts.items():
            here.mkdir(parents=True, exist_ok=True)
            there = shlex.quote(f"{root}{path}")
            lines.append(f"mkdir -p {there}\nmount --bind {shlex.quote(str(here))} {there}")
            if path in self.fixed:
                lines.append(f"mount -o remount,bind,ro {there}")
        inside, program = self.folder / "inside.sh", self.folder / "python"
        inside.write_text(
            _INSIDE.format(root=root, mounts="\n".join(lines), start=self.start, python=sys.executable)
        )
        program.write_text(f'#!/bin/sh\nexec unshare --map-root-user --mount /bin/sh {inside} "$@"\n')
        program.chmod(0o755)
        return str(program)


def colab(folder: Path, notebook: Path, *, drive: Path | None = None) -> Runtime:
    """Return a runtime of Google Colab, which shows a notebook, with a Drive or one that is declined."""
    _require_namespaces()
    variables = {"COLAB_NOTEBOOK": str(notebook), "PYTHONPATH": str(COLAB)}
    if drive is not None:
        drive.mkdir(exist_ok=True)
        variables["COLAB_DRIVE"] = str(drive)
    folder.mkdir()
    return Runtime(folder, "/content", {"/content": folder / "content"}, variables)


def kaggle(folder: Path, inputs: Path) -> Runtime:
    """Return a notebook server of Kaggle's with a folder of inputs."""
    _require_namespaces()
    folder.mkdir()
    mounts = {"/kaggle/working": folder / "working", "/kaggle/input": inputs}
    return Runtime(folder, "/kaggle/working", mounts, fixed=("/kaggle/input",))


def _require_namespaces() -> None:
    """Skip the test where folders cannot be put at other paths."""
    command = ["unshare", "--map-root-user", "--mount", "true"]
    try:
        allowed = (
            subprocess.run(command, capture_output=True, check=False, env=dict(os.environ)).returncode == 0
        )
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip(
            "needs `unshare` and user namespaces, to put folders at the paths that Colab and Kaggle use"
        )
