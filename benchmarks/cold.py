"""The baseline: a cold `python -m pytest` per submission, student code beside the tests."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

_PLUGIN = "from helpers.testing.collection import register_markers as pytest_configure"


def run(suite: Sequence[Path], files: Mapping[str, bytes], course: Path) -> float:
    """Grade one submission with a fresh interpreter; return wall seconds.

    Parameters
    ----------
    suite : sequence of Path
        The test files.
    files : mapping of str to bytes
        The submission.
    course : Path
        The course whose secret the hidden tests use.

    Raises
    ------
    RuntimeError
        If pytest could not run the tests at all.
    """
    with TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        (Path(folder) / "kit_markers.py").write_text(_PLUGIN)
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": folder,
            "COURSEGRAD_ROOT": str(course),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        options = ["-q", "-p", "no:cacheprovider", "-p", "kit_markers", "--noconftest", "-c", os.devnull]
        command = [sys.executable, "-m", "pytest", *options, "--import-mode=importlib", *map(str, suite)]
        start = time.perf_counter()
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        seconds = time.perf_counter() - start
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def run_class(
    suite: Sequence[Path], submissions: Sequence[Mapping[str, bytes]], course: Path, *, jobs: int
) -> float:
    """Grade several submissions, `jobs` at a time; return wall seconds in all."""
    start = time.perf_counter()
    with ThreadPoolExecutor(jobs) as executor:
        list(executor.map(lambda files: run(suite, files, course), submissions))
    return time.perf_counter() - start
