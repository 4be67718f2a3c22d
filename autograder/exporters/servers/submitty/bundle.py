"""A bundle for Submitty: a zip with ``config.json``, and an image that grades in a container of its own.

The format is that of https://submitty.org/instructor/autograding/specification. A student's program may make
no system call there that Submitty does not know, and it does not know those of Landlock. The grader therefore
is what Submitty calls a server: a container that runs the program of its image. Another one waits for its
results, and custom validators read them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from autograder.course import COURSE_FILE, Course
from autograder.course.assignment import Assignment, Task
from autograder.errors import EngineError
from autograder.exporters.servers import points, wheel
from autograder.exporters.servers.contents import COURSE, MANIFEST, package_lists
from autograder.exporters.servers.interface import BundleFile, Contents, Delivery, Files, Verdict
from autograder.exporters.servers.rows import Row, rows, summarize
from autograder.exporters.servers.scripts import render_script
from autograder.exporters.servers.submitty.settings import LIMITS
from helpers.submission import archives

CONFIG, IMAGE = "config.zip", "image"
GRADER, WAITER = "grader", "main"
"""The containers of the first testcase; the folder of a container is called like it."""
COLLECT, PACKED, REPORT = "coursegrad_collect.py", "coursegrad.zip", "coursegrad_report.py"
QUEUE, RESULTS, SUMMARY = "queue_file.json", "results", "summary"
_BASE_IMAGE: Final = "submitty/autograding-default:latest"
_START: Final = 60
"""Seconds for containers to start, besides those for grading."""
_MAX_SUBMISSION: Final = 20_000_000


@dataclass(frozen=True)
class Group:
    """Checks that one testcase of Submitty shows.

    Attributes
    ----------
    title : str
        Of the testcase.
    tier : {"public", "hidden"}
    extra : bool
        Whether they are extra credit.
    worth : dict of str to Fraction
        Id of each task to what its checks in this group are worth.
    """

    title: str
    tier: str
    extra: bool
    worth: dict[str, Fraction]

    @property
    def points(self) -> Fraction:
        """What all of it is worth."""
        return sum(self.worth.values(), Fraction())


def group_checks(contents: Contents) -> list[Group]:
    """Return the groups in the order in which Submitty shows them."""
    worth = points.share_by_tier(contents.assignment, contents.plan)
    found = []
    for extra, tier, title in (
        (False, "public", "Checks"),
        (False, "hidden", "Hidden checks"),
        (True, "public", "Extra credit"),
        (True, "hidden", "Extra credit, hidden checks"),
    ):
        chosen = [task.id for task in contents.assignment.tasks if task.extra is extra]
        of_tasks = {task: worth[task, tier] for task in chosen if (task, tier) in worth}
        if of_tasks:
            found.append(Group(title, tier, extra, of_tasks))
    return found


def pack(contents: Contents) -> Files:
    """Return the zip to upload, and the folder of which the image is built.

    Raises
    ------
    ConfigError
        The points cannot be whole numbers.
    """
    groups = group_checks(contents)
    where = f"{contents.course.root / COURSE_FILE}, servers.submitty.scale"
    scale = points.choose_scale(contents.assignment, contents.plan, contents.settings.scale, where)
    seconds = (contents.settings.seconds or LIMITS.seconds) + _START
    graded = {path: file.content for path, file in contents.files.items() if _is_of_course(path)}
    key = _key(contents.course, contents.assignment).hex()
    config = {
        "config.json": (json.dumps(_config(contents, groups, scale, seconds), indent=2) + "\n").encode(),
        f"test_input/{PACKED}": archives.pack(graded),
        f"test_input/{COLLECT}": render_script(f"submitty/{COLLECT}", contents, seconds=seconds),
        f"custom_validation_code/{REPORT}": render_script(f"submitty/{REPORT}", contents, key=key),
    }
    image = {
        name: render_script(f"submitty/{name}", contents) for name in ("Dockerfile", "install.sh", "serve.py")
    }
    packages = package_lists(contents) | {wheel.file_name(): contents.files[wheel.file_name()]}
    image |= {f"bundle/{name}": file.content for name, file in packages.items()}
    files = {CONFIG: archives.pack(config)} | {f"{IMAGE}/{path}": content for path, content in image.items()}
    return {path: BundleFile(content) for path, content in files.items()}


def _is_of_course(path: str) -> bool:
    """Tell whether a file is of one course and its hidden tests, and so no part of an image."""
    return path == MANIFEST or path.startswith(f"{COURSE}/")


def _key(course: Course, assignment: Assignment) -> bytes:
    """Return the key with which the grader signs results; hidden inputs cannot be found from it."""
    return hmac.digest(course.key(assignment.name), b"results for Submitty", hashlib.sha256)


def _config(contents: Contents, groups: list[Group], scale: int, seconds: int) -> dict[str, Any]:
    files = ["**/*.py", "**/*.ipynb", "**/*.zip", *(f"**/{name}" for name in contents.assignment.weights)]
    testcases = [_testcase(contents, number, one, scale) for number, one in enumerate(groups)]
    sums = {
        extra: sum(test["points"] for test in testcases if test["extra_credit"] is extra)
        for extra in (False, True)
    }
    return {
        "autograding": {
            "submission_to_compilation": [],
            "submission_to_runner": files,
            "submission_to_validation": [],
            "work_to_details": [],
        },
        "autograding_method": "docker",
        "container_options": {
            "container_image": _BASE_IMAGE,
            "single_port_per_container": False,
            "use_router": False,
        },
        "timestamped_stdout": False,
        "publish_actions": False,
        "max_submission_size": _MAX_SUBMISSION,
        # Of what waits and reports; no student code runs there.
        "resource_limits": {"RLIMIT_CPU": seconds, "RLIMIT_FSIZE": 10_000_000, "RLIMIT_NPROC": 32},
        "allow_system_calls": ["ALLOW_ALL_RESTRICTED_SYSTEM_CALLS"],
        "grading_parameters": {"AUTO_POINTS": sums[False], "EXTRA_CREDIT_POINTS": sums[True]},
        # Without this one, Submitty takes points for many submissions.
        "testcases": [
            *testcases,
            {
                "type": "FileCheck",
                "title": "Submission Limit",
                "max_submissions": 1000,
                "points": 0,
                "penalty": 0,
            },
        ],
    }


def _testcase(contents: Contents, number: int, group: Group, scale: int) -> dict[str, Any]:
    """Return a testcase: the first one grades, and the others show what it found."""
    hidden = group.tier == "hidden" and contents.settings.hidden != "shown"
    waits = {"container_name": WAITER, "commands": [f"python3 -I {COLLECT}"]}
    grades = {"container_name": GRADER, "container_image": contents.settings.image, "server": True}
    first = {"containers": [grades, waits], "use_router": False}
    tasks = {task.id: task for task in contents.assignment.tasks}
    summary = [_validation("Summary", SUMMARY, 0.0)] if number == 0 else []
    return {
        "title": group.title,
        "points": points.to_whole(float(group.points), scale),
        "extra_credit": group.extra,
        "hidden": hidden,
        "release_hidden_details": hidden and contents.settings.hidden == "closed",
        **(first if number == 0 else {"command": "sleep 0"}),
        "validation": summary + list(_validations(group, tasks)),
    }


def _validations(group: Group, tasks: Mapping[str, Task]) -> Iterator[dict[str, Any]]:
    for task, worth in group.worth.items():
        yield _validation(tasks[task].title, f"{task}-{group.tier}", float(worth / group.points))


def _validation(description: str, check: str, deduction: float) -> dict[str, Any]:
    return {
        "method": "custom_validator",
        "command": f"python3 -I {REPORT}",
        "description": description,
        "actual_file": f"{WAITER}/{check}.json",
        "check": check,
        "deduction": deduction,
        "show_message": "always",
        "show_actual": "never",
    }


def receive(root: Path, variables: Mapping[str, str]) -> Delivery:
    """Return the submission, which the image's program has put into a folder of its own.

    Raises
    ------
    EngineError
        Submitty has not said whose it is.
    """
    path = root / QUEUE
    try:
        who = json.loads(path.read_text(encoding="utf-8"))["who"]
        if not isinstance(who, str) or not who:
            raise ValueError
    except (OSError, ValueError, TypeError, KeyError):
        remedy = "regrade the submission on Submitty"
        raise EngineError(str(path), "does not say whose submission it is", remedy) from None
    return Delivery(root / "submission", student=who)


def answer(verdict: Verdict) -> dict[str, bytes]:
    """Return a signed file for each validator: who is graded, a part of the points, and what to tell."""
    checks = rows(verdict)
    found = {SUMMARY: (1.0, _summary(verdict))}
    for task, tier in dict.fromkeys((row.task_id, row.tier) for row in checks):
        of_check = [row for row in checks if (row.task_id, row.tier) == (task, tier)]
        found[f"{task}-{tier}"] = (_part(of_check), [_message(row) for row in of_check])
    key = _key(verdict.course, verdict.assignment)
    who = verdict.delivery.student
    return {
        f"{RESULTS}/{check}.json": _sign(
            {"who": who, "check": check, "score": part, "messages": messages}, key
        )
        for check, (part, messages) in found.items()
    }


def _summary(verdict: Verdict) -> list[dict[str, str]]:
    """Return what students read at once."""
    lines = [text for text in summarize(verdict).split("\n") if text]
    return [{"message": text, "status": "information"} for text in lines]


def _part(checks: list[Row]) -> float:
    """Return how much of the points of some checks was earned, from 0 to 1."""
    most = sum(Fraction(row.max_points) for row in checks)
    return float(min(Fraction(1), sum(Fraction(row.points) for row in checks) / most))


def _message(row: Row) -> dict[str, str]:
    outcome = "Passed." if row.passed else "Not passed."
    text = " ".join([f"{row.number} {row.title}", outcome, *row.text.split("\n")]).strip()
    return {"message": text, "status": "success" if row.passed else "failure"}


def _sign(found: Mapping[str, Any], key: bytes) -> bytes:
    body = json.dumps(found, ensure_ascii=False)
    signature = hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
    return (json.dumps({"body": body, "signature": signature}) + "\n").encode()
