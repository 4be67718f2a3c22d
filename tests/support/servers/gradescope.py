"""Gradescope, as an autograder meets it: the layout, ``run_autograder``, and what it accepts as results.

Written from https://gradescope-autograders.readthedocs.io/en/latest/specs/, which names every key.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.servers import view
from tests.support.waiting import PATIENCE

VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
RESULT_KEYS = {
    *("score", "execution_time", "output", "output_format", "test_output_format", "test_name_format"),
    *("visibility", "stdout_visibility", "extra_data", "tests", "leaderboard"),
}
TEST_KEYS = {
    *("score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags"),
    *("visibility", "extra_data"),
}
LEADERBOARD_KEYS = {"name", "value", "order"}
DUE = datetime(2026, 11, 30, 23, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """How one submission ended.

    Attributes
    ----------
    results : dict or None
        What was read from ``results.json``, checked; None if the autograder failed.
    output : str
        Both streams of ``run_autograder``.
    """

    results: dict[str, Any] | None
    output: str


class Gradescope:
    """A container with an autograder in it.

    Parameters
    ----------
    root : Path
        An empty folder, which becomes the root of the container.
    bundle : bytes
        The zip that an instructor uploads.
    """

    def __init__(self, root: Path, bundle: bytes) -> None:
        self.root, self._home = root, root / "autograder"
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            names = archive.namelist()
            assert {"setup.sh", "run_autograder"} <= set(names), "they must lie at the root of the zip"
            archive.extractall(self._home / "source")
            for info in archive.infolist():
                mode = info.external_attr >> 16
                assert stat.S_ISREG(mode), info.filename
                (self._home / "source" / info.filename).chmod(stat.S_IMODE(mode))
        shutil.copy(self._home / "source" / "run_autograder", self._home)
        (self._home / "run_autograder").chmod(0o755)
        for name in ("results", "submission"):
            (self._home / name).mkdir()

    def install(self) -> None:
        """Do what ``setup.sh`` does, with the packages of this interpreter."""
        (wheel,) = (self._home / "source" / "bundle").glob("*.whl")
        view.install(self._home / "venv", wheel, at="/autograder/venv")

    def set_up(self, variables: Mapping[str, str]) -> str:
        """Run ``setup.sh`` as Gradescope does when it builds an image; return its output."""
        done = self._command("root", "/autograder/source", ["bash", "setup.sh"], variables=variables)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def grade(
        self,
        files: Mapping[str, bytes],
        *,
        level: str = "container",
        created_at: datetime = DUE,
        users: int = 1,
        join: Any = None,
    ) -> Run:
        """Grade a submission; every one has a container of its own.

        Parameters
        ----------
        level : str
            One of `tests.support.levels`.
        created_at : datetime
            When it was handed in.
        users : int
            How many students handed it in together.
        join : callable, optional
            Called in the process before anything else.
        """
        self.hand_in(files, created_at=created_at, users=users)
        done = self._command(level, "/autograder", ["/autograder/run_autograder"], join=join)
        if not self._file.is_file():
            assert done.returncode, "it ended well, and there is no results.json"
            return Run(None, done.stdout)
        return Run(self.results(), done.stdout)

    def hand_in(self, files: Mapping[str, bytes], *, created_at: datetime = DUE, users: int = 1) -> None:
        """Lay out a submission as it is found in a container."""
        for name in ("results", "submission"):
            shutil.rmtree(self._home / name)
            (self._home / name).mkdir()
        for path, content in files.items():
            target = self._home / "submission" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (self._home / "submission_metadata.json").write_text(json.dumps(metadata(created_at, users)))

    def results(self) -> dict[str, Any]:
        """Return what Gradescope reads, checked."""
        results: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        check_results(results)
        return results

    @property
    def _file(self) -> Path:
        return self._home / "results" / "results.json"

    def _command(
        self,
        level: str,
        folder: str,
        command: list[str],
        *,
        variables: Mapping[str, str] | None = None,
        join: Any = None,
    ) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-P", "-m", "tests.support.servers.view", self.root, level, folder, *command]
        environment = {"PATH": os.environ["PATH"], "HOME": "/root", "LANG": "C.UTF-8"}
        return subprocess.run(
            words,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[3]), **(variables or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=10 * PATIENCE,
            preexec_fn=join,
        )


def metadata(created_at: datetime, users: int = 1) -> dict[str, Any]:
    """Return what stands in ``submission_metadata.json``."""
    return {
        "id": 123456,
        "created_at": created_at.isoformat(),
        "assignment": {
            "due_date": DUE.isoformat(),
            "group_size": 3,
            "group_submission": users > 1,
            "id": 25828,
            "course_id": 1234,
            "late_due_date": None,
            "release_date": (DUE - timedelta(days=14)).isoformat(),
            "title": "An assignment",
            "total_points": "100.0",
        },
        "submission_method": "upload",
        "users": [
            {"email": f"student{n}@example.edu", "id": 1000 + n, "name": f"Student {n}"}
            for n in range(1, users + 1)
        ],
        "previous_submissions": [],
    }


def check_results(results: dict[str, Any]) -> None:
    """Check ``results.json`` as Gradescope does: an unknown key or value is an autograder error there."""
    assert set(results) <= RESULT_KEYS, set(results) - RESULT_KEYS
    assert "score" in results or results.get("tests"), "a score, or tests with scores, is a must"
    _check_number(results.get("score", 0))
    assert results.get("visibility", "visible") in VISIBILITIES
    assert results.get("stdout_visibility", "hidden") in VISIBILITIES
    for key in ("output_format", "test_output_format", "test_name_format"):
        assert results.get(key, "text") in FORMATS
    assert isinstance(results.get("output", ""), str)
    assert isinstance(results.get("execution_time", 0), int)
    assert isinstance(results.get("extra_data", {}), dict)
    for test in results.get("tests", []):
        assert set(test) <= TEST_KEYS, set(test) - TEST_KEYS
        for key in ("score", "max_score"):
            _check_number(test.get(key, 0))
        assert test.get("status", "passed") in {"passed", "failed"}
        assert test.get("visibility", "visible") in VISIBILITIES
        assert all(isinstance(test.get(key, ""), str) for key in ("name", "number", "output"))
        assert all(isinstance(tag, str) for tag in test.get("tags", []))
    for row in results.get("leaderboard", []):
        assert set(row) <= LEADERBOARD_KEYS, set(row) - LEADERBOARD_KEYS
        assert isinstance(row["name"], str)
        assert isinstance(row["value"], int | float | str)
        assert row.get("order", "desc") in {"asc", "desc"}


def _check_number(value: object) -> None:
    assert type(value) in (int, float), value
