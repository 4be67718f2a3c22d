"""How autograder.io grades a submission.

The files of student and instructor lie in one folder. The set-up command and then the commands of the test
cases run there as an ordinary user, each under its time limit, and the score is read with an expression from
one stream.
"""

from __future__ import annotations

import fnmatch
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import levels
from tests.support.servers import autograder_io_schema as schemas
from tests.support.servers.autograder_io_site import MAX_SECONDS, NOW, Site, suites


@dataclass(frozen=True)
class Ran:
    """A command and how it ended."""

    code: int | None
    out: str
    err: str

    @property
    def timed_out(self) -> bool:
        return self.code is None


class Sandbox:
    """The container of one submission: its folder, and commands that run in it as an ordinary user.

    Parameters
    ----------
    folder : Path
        Stands for the root of the container's file system.
    python : str
        The Python of the image.
    level : str
        What of this machine there is, by its name in `levels`.
    """

    def __init__(self, folder: Path, python: str, level: str = "ordinary-user") -> None:
        self.folder = folder
        self.home = folder / "home" / "autograder"
        self.place = self.home / "working_dir"
        self.place.mkdir(parents=True)
        self._python = python
        self._level = level

    def add(self, files: Mapping[str, bytes], *, read_only: bool = False) -> None:
        """Put files into the working folder, over those that are there."""
        for name, content in files.items():
            target = self.place / name
            target.unlink(missing_ok=True)
            target.write_bytes(content)
            target.chmod(0o444 if read_only else 0o644)

    def run(self, command: str, seconds: int, usernames: str = "") -> Ran:
        """Run a command for so long at most; what it leaves behind in other sessions lives on."""
        words = ["bash", "-c", 'cd "$1" && exec bash -c "$2"', "bash", str(self.place), command]
        if os.geteuid() == 0:
            level = [sys.executable, levels.__file__, self._level, str(self.folder)]
            words = [*level, "env", "HOME=/root", *words]
        variables = {"PATH": os.environ["PATH"], "HOME": "/root", "usernames": usernames}
        variables["COURSEGRAD_PYTHON"] = self._python
        out, err = self.folder / "stdout", self.folder / "stderr"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                words,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                code: int | None = process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                code = None
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
        return Ran(code, *texts)


@dataclass(frozen=True)
class Grading:
    """A graded submission.

    Attributes
    ----------
    status : {"finished_grading", "rejected"}
        Whether the set-up command failed.
    folder : Path
        Stands for the root of the container's file system.
    suite : dict
        With its test cases, as the API returns it.
    setup : Ran
        The set-up command.
    commands : dict of str to Ran
        The command of each test case, by the name of the case.
    scores : dict of str to int
        What each has earned.
    errors : dict of str to str
        Why there is no score.
    """

    status: str
    folder: Path
    suite: Mapping[str, Any]
    setup: Ran
    commands: dict[str, Ran]
    scores: dict[str, int]
    errors: dict[str, str]

    def seen(self, name: str, category: str = "normal") -> str | None:
        """Return the output of a test case that a student sees; None where the case is not shown."""
        command = next(
            case["ag_test_commands"][0] for case in self.suite["ag_test_cases"] if case["name"] == name
        )
        config = command[f"{category}_fdbk_config"]
        return (
            None if not config["visible"] else self.commands[name].out if config["show_actual_stdout"] else ""
        )


def grade(
    site: Site,
    folder: Path,
    project: Mapping[str, Any],
    files: Mapping[str, bytes],
    *,
    student: str = "ada@umich.edu",
    only: str = "",
    python: str = sys.executable,
    level: str = "ordinary-user",
) -> Grading:
    """Grade what a student hands in with the first suite of a project, and keep the result there.

    Parameters
    ----------
    only : str
        Run this test case alone, as a rerun does.
    python, level : str
        The Python of the image, and what of this machine there is.
    """
    suite = suites(site, str(project["pk"]))[0]
    patterns = [one["pattern"] for one in suite["student_files_needed"]]
    wanted = {
        name: content
        for name, content in files.items()
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    }
    sandbox = Sandbox(folder, python, level)
    sandbox.add(wanted)
    needed = suite["instructor_files_needed"]
    sandbox.add(
        {one["name"]: site.contents[one["pk"]] for one in needed},
        read_only=suite["read_only_instructor_files"],
    )
    setup = sandbox.run(suite["setup_suite_cmd"], MAX_SECONDS, student)
    if setup.code != 0 and suite["reject_submission_if_setup_fails"]:
        return Grading("rejected", folder, suite, setup, {}, {}, {})
    found = Grading("finished_grading", folder, suite, setup, {}, {}, {})
    for case in suite["ag_test_cases"]:
        if only in ("", case["name"]):
            (command,) = case["ag_test_commands"]
            assert not command["block_process_spawn"], "bash could start nothing"
            ran = found.commands[case["name"]] = sandbox.run(command["cmd"], command["time_limit"], student)
            try:
                found.scores[case["name"]] = score_of(command, ran)
            except ValueError as error:
                found.errors[case["name"]] = str(error)
    site.results.append(entry_of(project, student, found))
    return found


def score_of(command: Mapping[str, Any], ran: Ran) -> int:
    """Return the score that a command has printed: the last match in its stream.

    Raises
    ------
    ValueError
        There is none, or it is above what the command is worth.
    """
    text = {"stdout": ran.out, "stderr": ran.err}[command["custom_scoring_source"]]
    matches = re.findall(command["custom_scoring_regex"], text)
    if not matches:
        raise ValueError("no score was found")
    score = int(matches[-1])
    if not 0 <= score <= command["max_points_for_custom_scoring"]:
        raise ValueError(f"a score of {score} is out of range")
    return score


def entry_of(project: Mapping[str, Any], student: str, grading: Grading) -> dict[str, Any]:
    """Return what the server tells of a student whose final submission this is."""
    suite, cases = grading.suite, []
    for case in suite["ag_test_cases"]:
        if case["name"] not in grading.commands:
            continue
        (command,) = case["ag_test_commands"]
        score, ran = grading.scores.get(case["name"], 0), grading.commands[case["name"]]
        told = schemas.empty("AGTestCommandResultFeedback") | {
            "ag_test_command_pk": command["pk"],
            "ag_test_command_name": command["name"],
            "fdbk_settings": {},
            "actual_return_code": ran.code,
            "timed_out": ran.timed_out,
            "custom_scoring_used": True,
            "custom_scoring_points": score,
            "custom_scoring_error": grading.errors.get(case["name"], ""),
            "total_points": score,
        }
        cases.append(
            {
                "pk": case["pk"],
                "ag_test_case_name": case["name"],
                "ag_test_case_pk": case["pk"],
                "fdbk_settings": {},
                "student_description": None,
                "total_points": score,
                "total_points_possible": command["max_points_for_custom_scoring"],
                "ag_test_command_results": [told],
            }
        )
    result = schemas.empty("AGTestSuiteResultFeedback") | {
        "ag_test_suite_name": suite["name"],
        "ag_test_suite_pk": suite["pk"],
        "ag_test_case_results": cases,
    }
    submission = schemas.empty("Submission") | {
        "status": grading.status,
        "submitter": student,
        "timestamp": NOW,
        "position_in_queue": 0,
        "results": {
            "pk": 1,
            "total_points": sum(grading.scores.values()),
            "total_points_possible": 0,
            "ag_test_suite_results": [result],
        },
    }
    group = schemas.empty("Group") | {"project": project["pk"], "member_names": [student]}
    return {"username": student, "group": group, "ultimate_submission": submission}
