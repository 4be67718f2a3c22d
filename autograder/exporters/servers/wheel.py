"""The kit as a wheel, made of the files that run here: a bundle brings its own grader, whatever PyPI has."""

from __future__ import annotations

import base64
import hashlib
from importlib import metadata
from pathlib import Path
from typing import Final

import autograder
from autograder.errors import ConfigError
from autograder.release.student import LEFTOVERS, helpers, paths
from helpers.submission import archives

DISTRIBUTION: Final = "coursegrad"
_SUITES: Final = "suites"
"""Below the package: suites of the kit's own course, which are no part of the kit."""
_WHEEL: Final = """\
Wheel-Version: 1.0
Generator: coursegrad ({version})
Root-Is-Purelib: true
Tag: py3-none-any
"""


def file_name() -> str:
    """Return the name of the wheel, as pip reads it."""
    return f"{DISTRIBUTION}-{autograder.__version__}-py3-none-any.whl"


def build() -> bytes:
    """Return the wheel: the same bytes for the same files.

    The format is that of https://packaging.python.org/en/latest/specifications/binary-distribution-format/.

    Raises
    ------
    ConfigError
        The kit is not installed, so that nothing tells what it depends on.
    """
    folder = Path(autograder.__path__[0])
    files = {f"helpers/{path}": content for path, content in helpers().items()}
    for path in paths(folder, LEFTOVERS | {_SUITES}):
        files[f"autograder/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    info = f"{DISTRIBUTION}-{autograder.__version__}.dist-info"
    files[f"{info}/METADATA"] = (find_kit().read_text("METADATA") or "").encode()
    files[f"{info}/WHEEL"] = _WHEEL.format(version=autograder.__version__).encode()
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\nautograder = autograder.commands.main:main\n"
    rows = [f"{path},{_digest(content)},{len(content)}" for path, content in sorted(files.items())]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
    return archives.pack(files)


def find_kit() -> metadata.Distribution:
    """Return the kit as pip has installed it, and not what a build has left in the current folder.

    Raises
    ------
    ConfigError
        The kit is not installed.
    """
    for found in metadata.distributions(name=DISTRIBUTION):
        if found.read_text("METADATA") is not None:
            return found
    raise ConfigError(DISTRIBUTION, "the kit is not installed in this Python", "run: make install")


def _digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
