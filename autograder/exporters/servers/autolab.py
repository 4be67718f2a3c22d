"""Autolab: a lab directory as a tarball, with a Makefile whose last line of output is the result.

The formats are those of https://docs.autolabproject.com/lab/ and of the pages that it links to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import Field

from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters.servers import leaderboards, tarballs
from autograder.exporters.servers.contents import package_lists
from autograder.exporters.servers.interface import (
    BundleFile,
    Contents,
    Delivery,
    Files,
    Limits,
    Server,
    ServerSettings,
    Verdict,
    validator,
)
from autograder.exporters.servers.rows import Row, split_rows, summarize
from autograder.exporters.servers.scripts import render_script

SUBMISSION, RESULT = "submission", "result.txt"
"""Where the hand-in lies while it is graded, and what is printed in the end."""
SUMMARY: Final = "Result"
"""What stands above the tasks where Autolab shows a result."""
NOT_LISTED: Final = "Hidden checks count, and are not listed."
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_RESERVED: Final = frozenset({"stages", SUMMARY.casefold()})
_LONGEST: Final = 255
_MOST_MEGABYTES: Final = 95
"""Of a hand-in; what is larger cannot be read anyway (`autograder.intake.files.archive`)."""
_LIMITS: Final = Limits(memory_mb=2048, cores=1, seconds=600, most_seconds=900)
"""The lab asks for the time itself. Memory and cores are the machine's, unless Tango limits them."""


Image = Annotated[
    str,
    validator(r"[\w.]{1,255}", "a name of letters, digits, dots and underscores, such as 'coursegrad'"),
]


class Settings(ServerSettings):
    """What a course may say about Autolab.

    Attributes
    ----------
    image : str
        What the image is called there that was built from the bundle's Dockerfile. Tango makes the names of
        containers from it, which have neither a slash nor a colon, and cuts them at hyphens.
    leaderboard : dict of str to str
        Column of the scoreboard, after one of points, to the name of a threshold whose number it shows.
        Without any there is no scoreboard.
    """

    seconds: Annotated[int, Field(ge=30, le=_LIMITS.most_seconds, strict=True)] | None = None
    image: Image = "coursegrad"
    leaderboard: dict[str, str] = Field(default_factory=dict)


def pack(contents: Contents) -> Files:
    """Return the files of the tarball that Autolab imports.

    Raises
    ------
    ConfigError
        The assignment or a task of it has a name that Autolab does not take, or the scoreboard shows a number
        that the suite does not have.
    """
    assignment = contents.assignment
    name = assignment.name
    if not _NAME.fullmatch(name):
        remedy = "rename it to letters, digits, hyphens and underscores, with a letter first"
        raise ConfigError(str(assignment.file), f"Autolab takes no assignment called {name!r}", remedy)
    leaderboards.require_thresholds(contents, SERVER)
    places = {"submission": SUBMISSION, "handin": handin_name(assignment), "result": RESULT}
    run = BundleFile(render_script("autolab/run.sh", contents, **places))
    grader = {"grade/run.sh": run} | {f"grade/bundle/{path}": file for path, file in contents.files.items()}
    return {
        f"{name}/{name}.yml": BundleFile(_lab(contents)),
        f"{name}/autograde-Makefile": BundleFile(render_script("autolab/autograde-Makefile", contents)),
        f"{name}/autograde.tar": BundleFile(tarballs.pack(grader)),
        f"{name}/image/Dockerfile": BundleFile(render_script("autolab/Dockerfile", contents)),
        **{f"{name}/image/{path}": file for path, file in package_lists(contents).items()},
    }


def handin_name(assignment: Assignment) -> str:
    """Return what Autolab calls a hand-in on the grading machine: the zip that the notebook packs."""
    return f"{assignment.name}-submission.zip"


def problem_names(assignment: Assignment) -> dict[str, str]:
    """Return of each task what it is called in Autolab: its title, with a dash in the place of a colon.

    Autolab puts quotes around each word of a result that a colon follows, before it reads it as JSON.

    Raises
    ------
    ConfigError
        Autolab would not tell two tasks apart, or takes no task of that name.
    """
    found: dict[str, str] = {}
    for task in assignment.tasks:
        name = " ".join(re.sub(r"\s*:\s*", " - ", task.title).split())
        taken = {known.casefold() for known in found.values()}
        if name.casefold() in taken | _RESERVED or name.startswith("_") or not 1 <= len(name) <= _LONGEST:
            known = "another task has it" if name.casefold() in taken else "Autolab takes no such name"
            remedy = f"give it another title: {known}"
            raise ConfigError(
                str(assignment.file), f"the title of task {task.id!r} is {task.title!r}", remedy
            )
        found[task.id] = name
    return found


def _lab(contents: Contents) -> bytes:
    """Return the settings of the lab: what is handed in, and what it is worth."""
    assignment, settings = contents.assignment, contents.settings
    names = problem_names(assignment)
    lab: dict[str, Any] = {
        "general": {
            "name": assignment.name,
            "display_name": assignment.title,
            "description": "",
            "category_name": "Assignments",
            "handin_filename": handin_name(assignment),
            "handin_directory": "handin",
            "max_grace_days": 0,
            "max_submissions": -1,
            "max_size": _MOST_MEGABYTES,
            "disable_handins": False,
            "handout": "",
            "writeup": "",
        },
        "problems": [
            {
                "name": names[task.id],
                "description": f"Extra credit: up to {float(task.points):g} points." if task.extra else "",
                "max_score": 0.0 if task.extra else float(task.points),
                "optional": task.extra,
            }
            for task in assignment.tasks
        ],
        "autograder": {
            "autograde_timeout": settings.seconds or _LIMITS.seconds,
            "autograde_image": settings.image,
            "release_score": True,
        },
    }
    if settings.leaderboard:
        columns = [{"hdr": header} for header in ("Points", *settings.leaderboard)]
        lab["scoreboard"] = {"banner": "", "colspec": json.dumps({"scoreboard": columns})}
    return yaml.safe_dump(lab, sort_keys=False, allow_unicode=True).encode()


def receive(root: Path, variables: Mapping[str, str]) -> Delivery:
    """Return the hand-in, which the Makefile has put into a folder of its own; Autolab says nothing of it."""
    return Delivery(root / SUBMISSION)


def answer(verdict: Verdict) -> dict[str, bytes]:
    """Return what the Makefile prints: some lines for people, then what is shown, then the points.

    No text of a student makes a line of its own, and only the last two lines mean something to Autolab.
    """
    names = problem_names(verdict.assignment)
    result = verdict.record.result
    shown, hidden = split_rows(verdict)
    summary = summarize(verdict)
    if hidden:
        # A student is shown at once whatever is printed, so that hidden checks cannot be shown later.
        summary += f"\n{NOT_LISTED}"
    points = {names[task.id]: task.points for task in result.tasks}
    autoresult = {"scores": points, "scoreboard": [result.score, *leaderboards.columns(verdict).values()]}
    lines = [summary, json.dumps(_presentation(shown, names, summary)), json.dumps(autoresult)]
    return {RESULT: "".join(f"{line}\n" for line in lines).encode()}


def _presentation(checks: list[Row], names: Mapping[str, str], summary: str) -> dict[str, Any]:
    """Return what Autolab shows instead of the bare output: a table for each task."""
    shown: dict[str, dict[str, Any]] = {SUMMARY: {"Summary": " ".join(summary.splitlines())}}
    for row in checks:
        check: dict[str, Any] = {"passed": row.passed}
        if row.text:
            check["hint"] = " | ".join(row.text.splitlines())
        shown.setdefault(names[row.task_id], {})[f"{row.number} {row.title}"] = check
    return {"_presentation": "semantic", "stages": list(shown), **shown}


SERVER = Server(
    name="autolab",
    title="Autolab",
    limits=_LIMITS,
    settings=Settings,
    pack=pack,
    archive=".tar",
    receive=receive,
    answer=answer,
)
