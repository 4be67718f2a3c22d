"""Classroom 50, as an autograder meets it: what is published, a run in GitHub Actions, what is accepted.

Written from the wiki and the schema ``classroom50/result/v1`` of https://github.com/foundation50/classroom50.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.servers import view
from tests.support.waiting import PATIENCE

MAX_FETCH = 10 * 1024 * 1024
NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,38}")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ")
REQUIRED = {
    *("schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release"),
    *("review", "datetime", "score", "max-score", "tests"),
}
KNOWN = REQUIRED | {"graded_at", "submitted_by"}
SERVER = "https://github.com"


def publish(configuration: Path, classroom: str, assignment: str) -> bytes:
    """Return what everybody can download of an assignment: its folder in the configuration, as an archive."""
    folder = configuration / classroom / "autograders" / assignment
    assert NAME.fullmatch(classroom)
    assert NAME.fullmatch(assignment)
    assert (folder / "autograder.py").is_file(), "without it, everybody passes"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, arcname=assignment)
    assert len(buffer.getvalue()) <= MAX_FETCH
    return buffer.getvalue()


@dataclass(frozen=True)
class Run:
    """How one submission ended.

    Attributes
    ----------
    status : {"success", "failure", "error"}
        The commit's status.
    result : dict or None
        What is kept as ``result.json``: checked, and with what the runner knows better; None after an error.
    written : dict or None
        What the autograder wrote.
    body : str
        Of the release.
    output : str
        The log of the job.
    """

    status: str
    result: dict[str, Any] | None
    written: dict[str, Any] | None
    body: str
    output: str


@dataclass
class Classroom:
    """A classroom with one assignment.

    Attributes
    ----------
    archive : bytes
        What was published of the assignment.
    temp : Path
        The folder of the job's own files, ``RUNNER_TEMP``.
    environment : dict
        Variables of the runner, besides those of a job.
    """

    archive: bytes
    temp: Path
    classroom: str = "deep-learning"
    assignment: str = "tiny"
    environment: dict[str, str] = field(default_factory=dict)

    def install(self) -> None:
        """Make the environment that the autograder would install, of this interpreter's packages."""
        folder = self._extract(self.temp / "image")
        (wheel,) = (folder / "bundle").glob("*.whl")
        venv = self.temp / "venv"
        view.install(venv, wheel, at=str(venv))
        self.environment["COURSEGRAD_VENV"] = str(venv)

    def commit(self, checkout: Path, files: Mapping[str, bytes | Path]) -> str:
        """Make a student's repository and check it out; return the commit. A path stands for a link to it."""
        marker = f"classroom: {self.classroom}\nassignment: {self.assignment}\n"
        shim = ".github/workflows/autograde.yaml"
        for name, content in {".classroom50.yaml": marker.encode(), shim: b"on: push\n", **files}.items():
            target = checkout / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                target.symlink_to(content)
            else:
                target.write_bytes(content)
        author = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
        for words in (["init", "-q"], ["add", "-A", "-f"], [*author, "commit", "-q", "-m", "Submission"]):
            subprocess.run(["git", "-C", checkout, *words], check=True, capture_output=True)
        head = subprocess.run(
            ["git", "-C", checkout, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        )
        return head.stdout.strip()

    def grade(self, checkout: Path, commit: str, *, tag: str = "", **changed: str) -> Run:
        """Grade a checkout as the runner does.

        Parameters
        ----------
        tag : str
            Of the submission; by default of the time of the commit. A regrade has the same again.
        **changed
            Variables that differ from those of a usual job.
        """
        submitted = self._time_of(checkout, commit)
        tag = tag or f"submit/{submitted:%Y-%m-%dT%H-%M-%SZ}-{commit[:7]}"
        repository = f"university/{self.classroom}-{self.assignment}-ada"
        output = self.temp / "github-output"
        output.write_text("")
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REPOSITORY": repository,
            "GITHUB_SHA": commit,
            "GITHUB_ACTOR": "ada",
            "GITHUB_WORKSPACE": str(checkout),
            "PAGES_BASE_URL": "https://university.github.io/classroom50",
            "CLASSROOM": self.classroom,
            "ASSIGNMENT": self.assignment,
            "SUBMISSION_TAG": tag,
            "MODE": "individual",
            "USERNAME": "ada",
            "OWNER": "ada",
            "ASSIGNMENT_TYPE": "individual",
            "COMMIT_URL": f"{SERVER}/{repository}/commit/{commit}",
            "RELEASE_URL": f"{SERVER}/{repository}/releases/tag/{quote(tag, safe='')}",
            "REVIEW_URL": f"{SERVER}/{repository}/compare/0000000...{commit}",
            **self.environment,
            **changed,
        }
        for name in ("result.json", "release-body.md"):
            if (checkout / name).exists():  # which a link to nowhere does not
                (checkout / name).unlink()
        folder = self._extract(self.temp / "classroom50-runtime")
        variables["CLASSROOM50_BUNDLE_DIR"] = str(folder)
        done = subprocess.run(
            [sys.executable, folder / "autograder.py"],
            cwd=checkout,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=PATIENCE,
        )
        path = checkout / "result.json"
        if done.returncode or not path.is_file():
            return Run("error", None, None, "", done.stdout)
        written = json.loads(path.read_text())
        now = datetime.now(UTC)
        known = {
            "owner": "ada",
            "assignment_type": "individual",
            "datetime": f"{submitted:%Y-%m-%dT%H:%M:%SZ}",
        }
        result = {**written, **known, "graded_at": f"{now:%Y-%m-%dT%H:%M:%SZ}"}
        for document in (written, result):
            check_result(document, self.classroom, self.assignment)
        body = (checkout / "release-body.md").read_text() if (checkout / "release-body.md").is_file() else ""
        passed = all(test["passed"] for test in result["tests"])
        return Run("success" if passed else "failure", result, written, body, done.stdout)

    def _extract(self, place: Path) -> Path:
        shutil.rmtree(place, ignore_errors=True)
        with tarfile.open(fileobj=io.BytesIO(self.archive), mode="r:gz") as archive:
            archive.extractall(place, filter="data")
        return place / self.assignment

    def _time_of(self, checkout: Path, commit: str) -> datetime:
        shown = subprocess.run(
            ["git", "-C", checkout, "show", "-s", "--format=%ct", commit],
            check=True,
            capture_output=True,
            text=True,
        )
        return datetime.fromtimestamp(int(shown.stdout), UTC)


def check_result(found: object, classroom: str, assignment: str) -> None:
    """Check a ``result.json``: an unknown key, a wrong type, or points that do not add up are errors."""
    assert isinstance(found, dict)
    assert REQUIRED <= found.keys() <= KNOWN, found.keys() ^ REQUIRED
    assert found["schema"] == "classroom50/result/v1"
    assert (found["classroom"], found["assignment"]) == (classroom, assignment)
    assert found["assignment_type"] in {"individual", "group"}
    assert _is_text(found["submission"])
    assert found["submission"].startswith("submit/")
    for key in ("owner", "commit", "release", "review"):
        assert _is_text(found[key]), key
    for key in ("datetime", "graded_at"):
        assert TIME.fullmatch(found.get(key, "2026-01-01T00:00:00Z")), key
    _check_points(found)
    assert isinstance(found["tests"], list)
    for test in found["tests"]:
        assert isinstance(test, dict)
        assert _is_text(test["test-name"])
        assert type(test["passed"]) is bool
        _check_points(test)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _check_points(found: Mapping[str, Any]) -> None:
    score, most = found["score"], found["max-score"]
    assert type(score) is int
    assert type(most) is int
    assert 0 <= score <= most
