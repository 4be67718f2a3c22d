"""A course for nbgrader, a Jupyter server with its formgrader, and a guide whose commands can be run."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import tiny
from tests.support.waiting import PATIENCE, until

QUESTION = """
[[questions]]
id = "why-twice"
title = "Why twice"
points = 5
"""

NOTEBOOK = """\
---
jupytext:
  text_representation:
    format_name: myst
---

# Tiny

```{code-cell} ipython3
# {{set_up}}
```

```{code-cell} ipython3
import torch
import tiny_module

tiny_module.double(torch.ones(2))
```

## Think

+++ {"nbgrader": {"grade": true, "solution": true, "grade_id": "why-twice", "points": 5}}

**Question (5 points).** Why is twice x the sum of x and x?

<!-- BEGIN SOLUTION -->
Because two is one plus one.
<!-- END SOLUTION -->

+++

## Hand it in

```{code-cell} ipython3
submit.build("{{assignment}}")
```
"""


def write_kit(root: Path) -> None:
    """Write the course ``tiny`` with a notebook that asks a question."""
    _, assignment = tiny.write_course(root)
    assignment.file.write_text(assignment.file.read_text() + QUESTION)
    (assignment.folder / "tiny.md").write_text(NOTEBOOK)
    (root / "LICENSE").write_text("Free.\n")


def environment(home: Path) -> dict[str, str]:
    """Return the variables of somebody who has just activated the environment, with an empty home.

    Jupyter's templates are found even if packages lie elsewhere than in the environment.
    """
    own = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    spec = importlib.util.find_spec("nbconvert")
    assert spec is not None
    shared = Path(str(spec.origin)).parents[4] / "share" / "jupyter"
    places = dict.fromkeys(own, str(home)) | {"JUPYTER_DATA_DIR": f"{home}/data", "JUPYTER_PATH": str(shared)}
    return os.environ | places | {"PATH": path}


def run(command: str | Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run a command that succeeds, and return all that it says."""
    done = subprocess.run(
        shlex.split(command) if isinstance(command, str) else command,
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@contextmanager
def serve(command: str, folder: Path, variables: Mapping[str, str], log: Path) -> Iterator[str]:
    """Start a Jupyter server with the formgrader; its address, to which ``?token=token`` belongs, is yielded.

    The options only stand for a desktop: no browser opens, any port will do, and extensions are on even if
    packages lie elsewhere than in the environment.
    """
    options = {
        "ServerApp.root_dir": str(folder),
        "ServerApp.jpserver_extensions": repr({"nbgrader.server_extensions.formgrader": True}),
        "ServerApp.token": "token",
        "ServerApp.port": "0",
    }
    words = [*shlex.split(command), "--allow-root", "--no-browser"]
    with log.open("w+") as file:
        process = subprocess.Popen(
            [*words, *(f"--{name}={value}" for name, value in options.items())],
            cwd=folder,
            env=variables,
            stdout=file,
            stderr=file,
        )
        try:
            yield _address(Path(variables["JUPYTER_RUNTIME_DIR"]), process, log)
        finally:
            process.terminate()
            process.wait()


def _address(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    def written() -> list[str]:
        """Return what the files hold; Jupyter makes one empty before it writes it."""
        return [text for file in runtime.glob("jpserver-*.json") if (text := file.read_text())]

    until(lambda: process.poll() is not None or written(), "the server starts")
    for text in written():
        return str(json.loads(text)["url"])
    raise AssertionError(log.read_text())


@dataclass(frozen=True)
class Step:
    """A command of a guide."""

    prompt: str
    command: str


class Guide:
    """A guide, read: its commands and its settings by section.

    Commands stand in blocks of ``console``, each after a prompt that names a folder; settings in blocks of
    ``python``.
    """

    def __init__(self, path: Path, replaced: Mapping[str, str]) -> None:
        text = path.read_text(encoding="utf-8")
        for word, other in replaced.items():
            text = re.sub(rf"\b{word}\b", other, text)
        self._sections = {
            part.partition("\n")[0]: part for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]
        }

    @property
    def sections(self) -> tuple[str, ...]:
        """The headings that have commands."""
        return tuple(name for name in self._sections if self.steps(name))

    def steps(self, section: str) -> list[Step]:
        """Return the commands of a section."""
        lines = "".join(self._blocks(section, "console")).splitlines()
        found = [re.fullmatch(r"(\w+)\$ (.+)", line) for line in lines]
        assert all(found), lines
        return [Step(match[1], match[2]) for match in found if match]

    def settings(self, section: str) -> str:
        """Return the settings that a section asks for."""
        return "\n".join(self._blocks(section, "python"))

    def _blocks(self, section: str, language: str) -> list[str]:
        return re.findall(rf"^```{language}\n(.*?)^```$", self._sections[section], re.MULTILINE | re.DOTALL)
