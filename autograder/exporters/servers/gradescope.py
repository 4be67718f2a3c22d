"""Gradescope: a zip with ``setup.sh`` and ``run_autograder``, which writes ``results.json``.

The format is that of https://gradescope-autograders.readthedocs.io/en/latest/specs/.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from autograder.exporters.servers import leaderboards
from autograder.exporters.servers.interface import (
    BundleFile,
    Contents,
    Delivery,
    Files,
    Limits,
    Server,
    ServerSettings,
    Verdict,
)
from autograder.exporters.servers.rows import Row, rows, summarize
from autograder.exporters.servers.scripts import render_script
from autograder.untrusted import line

ROOT: Final = "autograder"
METADATA, RESULTS = f"{ROOT}/submission_metadata.json", f"{ROOT}/results/results.json"
_VISIBILITY: Final = {"shown": "visible", "closed": "after_published", "never": "hidden"}


class Settings(ServerSettings):
    """What a course may say about Gradescope.

    Attributes
    ----------
    leaderboard : dict of str to str
        Column of the leaderboard to the name of a threshold of the suite, whose number it shows.
    """

    leaderboard: dict[str, str] = Field(default_factory=dict)


def pack(contents: Contents) -> Files:
    """Return the files of the zip: Gradescope unpacks it to ``/autograder/source``.

    Raises
    ------
    ConfigError
        The leaderboard shows a number that the suite does not have.
    """
    leaderboards.require_thresholds(contents, SERVER)
    scripts = {
        name: BundleFile(render_script(f"gradescope/{name}", contents), executable=True)
        for name in ("setup.sh", "run_autograder")
    }
    return scripts | {f"bundle/{path}": file for path, file in contents.files.items()}


def receive(root: Path, variables: Mapping[str, str]) -> Delivery:
    """Return the submission that lies in ``/autograder/submission``, and what the metadata say about it.

    Times are those at which Gradescope received it: the clock would punish whoever waits in a queue. They
    change no points, so a submission is graded also where the metadata cannot be read; the log says so.
    """
    path, folder = root / METADATA, root / ROOT / "submission"
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        users = known.get("users") or [{}]
        person, assignment = users[0], known.get("assignment") or {}
        return Delivery(
            folder,
            student=line(str(person.get("email") or person.get("id") or "")),
            name=line(", ".join(str(user.get("name") or "") for user in users)),
            submitted_at=_time(known.get("created_at"), "created_at", path),
            due_at=_time(assignment.get("due_date"), "due_date", path),
        )
    except (OSError, ValueError, AttributeError, TypeError, KeyError, RecursionError):
        _tell(path, "cannot be read, so it is not known who handed this in, and when")
        return Delivery(folder)


def answer(verdict: Verdict) -> dict[str, bytes]:
    """Return ``results.json``."""
    result, delivery = verdict.record.result, verdict.delivery
    found = {
        "score": result.score,
        "execution_time": round(verdict.seconds),
        "output": summarize(verdict),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(row, verdict.settings) for row in rows(verdict)],
        "leaderboard": [
            {"name": column, "value": value, "order": "desc"}
            for column, value in leaderboards.columns(verdict).items()
        ],
        "extra_data": {
            "submitted_at": delivery.submitted_at.isoformat() if delivery.submitted_at else None,
            "complete": verdict.complete,
            "sandbox": result.sandbox.model_dump(),
            "provenance": result.provenance.model_dump(),
            "files": result.files,
        },
    }
    return {RESULTS: (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode()}


def _test(row: Row, settings: Settings) -> dict[str, Any]:
    return {
        "score": row.points,
        "max_score": row.max_points,
        "status": "passed" if row.passed else "failed",
        "name": f"{row.task}: {row.title}",
        "number": row.number,
        "output": row.text,
        "tags": [row.tier],
        "visibility": _VISIBILITY[settings.hidden] if row.tier == "hidden" else "visible",
    }


def _time(text: object, key: str, path: Path) -> datetime | None:
    """Return a moment; None where there is none, or one without a time zone, which could be any."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        _tell(path, f"`{key}` is {line(text)!r} and no time with a time zone, so lateness is not known")
        return None
    return moment


def _tell(path: Path, found: str) -> None:
    """Write a line into the log, which instructors see beside the results."""
    print(f"warning: {path}: {found}", file=sys.stderr)


SERVER = Server(
    name="gradescope",
    title="Gradescope",
    limits=Limits(memory_mb=768, cores=0.5, seconds=600, most_seconds=2400),
    settings=Settings,
    pack=pack,
    archive=".zip",
    receive=receive,
    answer=answer,
)
