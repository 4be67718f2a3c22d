"""PrairieLearn, as far as a question meets it: its settings, the container that grades, and its results.

The rules are those of the schema of questions and of the program that runs graders. Where PrairieLearn passes
over what it does not know, this one refuses it.
"""

from __future__ import annotations

import ctypes
import fcntl
import fnmatch
import json
import math
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import bounded, levels

MOST_RESULTS = 1024 * 1024
"""Bytes of ``results.json``."""
MOST_SECONDS = 600
_NEW_NETWORK, _SET_FLAGS, _UP = 0x40000000, 0x8914, 1
UUID = re.compile(r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class Refused(Exception):
    """PrairieLearn would not do this, or not as it was meant."""


def require(holds: object, why: str) -> None:
    """Refuse unless something holds."""
    if not holds:
        raise Refused(why)


Check = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """Tell whether a value is a text that says something."""
    return isinstance(value, str) and bool(value.strip())


def is_number(value: Any) -> bool:
    """Tell whether a value is a number that JSON can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_boolean(value: Any) -> bool:
    """Tell whether a value is true or false."""
    return isinstance(value, bool)


def is_list_of(check: Check) -> Check:
    """Return what tells whether a value is a list, each entry of which passes a check."""
    return lambda value: isinstance(value, list) and all(map(check, value))


def is_one_of(*values: object) -> Check:
    """Return what tells whether a value is one of these."""
    return lambda value: value in values


INFO: dict[str, Check] = {
    "comment": lambda value: isinstance(value, str | dict | list),
    "uuid": lambda value: isinstance(value, str) and UUID.fullmatch(value) is not None,
    "type": is_one_of("v3"),
    "title": is_text,
    "topic": is_text,
    "tags": is_list_of(is_text),
    "gradingMethod": is_one_of("Internal", "External", "Manual"),
    "singleVariant": is_boolean,
    "showCorrectAnswer": is_boolean,
    "partialCredit": is_boolean,
    "externalGradingOptions": lambda value: isinstance(value, dict),
    "sharePublicly": is_one_of(False),
    "shareSourcePublicly": is_one_of(False),
}
"""Keys of ``info.json``; those that share a question are refused, as its hidden tests are in it."""
OPTIONS: dict[str, Check] = {
    "comment": lambda value: isinstance(value, str | dict | list),
    "image": lambda value: is_text(value) and re.fullmatch(r"[a-zA-Z0-9._/:@-]+", value) is not None,
    "entrypoint": lambda value: is_text(value) or is_list_of(is_text)(value),
    "serverFilesCourse": is_list_of(is_text),
    "timeout": lambda value: isinstance(value, int) and is_number(value) and 1 <= value <= MOST_SECONDS,
    "enableNetworking": is_boolean,
    "environment": lambda value: isinstance(value, dict) and all(map(is_text, value.values())),
}
RESULTS: dict[str, Check] = {
    "gradable": is_boolean,
    "score": lambda value: is_number(value) and 0 <= value <= 1,
    "format_errors": lambda value: is_text(value) or (is_list_of(is_text)(value) and bool(value)),
    "message": is_text,
    "output": is_text,
    "tests": is_list_of(lambda value: isinstance(value, dict)),
}
TEST: dict[str, Check] = {
    "name": is_text,
    "description": is_text,
    "points": lambda value: is_number(value) and value >= 0,
    "max_points": lambda value: is_number(value) and value > 0,
    "message": is_text,
    "output": is_text,
}
UPLOAD = re.compile(r'<pl-file-upload\s+optional-file-patterns="([^"]*)"\s*>\s*</pl-file-upload>')


def check(table: Any, known: Mapping[str, Check], needed: set[str], what: str) -> dict[str, Any]:
    """Return a table that has known keys alone, all that are needed, and values that fit."""
    require(isinstance(table, dict), f"{what} is no object")
    require(table.keys() <= known.keys(), f"unknown keys in {what}: {table.keys() - known.keys()}")
    require(needed <= table.keys(), f"missing in {what}: {needed - table.keys()}")
    for key, value in table.items():
        require(known[key](value), f"`{key}` in {what} is {value!r}")
    return table


@dataclass
class Grade:
    """What PrairieLearn makes of a job.

    Attributes
    ----------
    log : str
        What the container printed; instructors see it.
    failure : str
        Why grading failed, so that neither points nor attempts change.
    results : dict
        What ``results.json`` holds.
    """

    log: str
    failure: str = ""
    results: dict[str, Any] = field(default_factory=dict)

    @property
    def gradable(self) -> bool:
        """Whether the submission counts."""
        return not self.failure and bool(self.results.get("gradable", True))

    @property
    def tests(self) -> dict[str, dict[str, Any]]:
        """Name of each test to what is shown of it."""
        return {test["name"]: test for test in self.results.get("tests", ())}


class Question:
    """A question in the repository of a course.

    Parameters
    ----------
    folder : Path
        With ``info.json``.

    Raises
    ------
    Refused
        The folder holds no question that can be graded externally.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        needed = {"uuid", "type", "title", "topic", "gradingMethod", "externalGradingOptions"}
        self.info = check(json.loads((folder / "info.json").read_bytes()), INFO, needed, "info.json")
        require(self.info["gradingMethod"] == "External", "the question is not graded externally")
        self.options = check(
            self.info["externalGradingOptions"], OPTIONS, {"image"}, "externalGradingOptions"
        )
        page = (folder / "question.html").read_text(encoding="utf-8")
        uploads = UPLOAD.findall(page)
        require(len(uploads) == 1, "nothing, or more than one thing, can be uploaded")
        self.uploads = [name.strip() for name in uploads[0].split(",")]
        require("<pl-external-grader-results>" in page, "results are not shown")

    def grade(self, job: Path, files: Mapping[str, bytes], **how: Any) -> Grade:
        """Grade a submission; how is told to `run_container`."""
        self.fill(job, files)
        status, log = self.run_container(job, **how)
        return read(job, status, log)

    def fill(self, job: Path, files: Mapping[str, bytes]) -> None:
        """Make the folder that containers see as ``/grade``."""
        for name in files:
            fits = any(fnmatch.fnmatchcase(name.casefold(), pattern) for pattern in self.uploads)
            require(fits and not set("<>/") & set(name), f"{name} cannot be uploaded")
        (job / "grade").mkdir(mode=0o700)
        for name in ("serverFilesCourse", "student", "data", "shared"):
            (job / "grade" / name).mkdir()
        shutil.copytree(self.folder / "tests", job / "grade" / "tests")
        for name, content in files.items():
            (job / "grade" / "student" / name).write_bytes(content)
        data = {
            "params": {},
            "submitted_answers": {},
            "raw_submitted_answers": {},
            "score": 0,
            "gradable": True,
        }
        (job / "grade" / "data" / "data.json").write_text(json.dumps(data))

    def run_container(
        self,
        job: Path,
        *,
        level: str = "",
        env: Mapping[str, str] | None = None,
        memory: bounded.Memory | None = None,
    ) -> tuple[int | None, str]:
        """Run the entrypoint; return its status, None if time was up, and what it printed.

        ``/grade`` is `job`/grade here. There is no network where this process may do without one.
        """
        given = self.options["entrypoint"]
        words = shlex.split(given) if isinstance(given, str) else list(given)
        require(words[0].startswith("/grade/"), f"{words[0]} is no file of the question")
        words[0] = str(job / words[0].removeprefix("/"))
        os.chmod(words[0], 0o755)  # noqa: PTH101, as elsewhere
        offline = os.geteuid() == 0 and not self.options.get("enableNetworking")

        def enter() -> None:
            if memory is not None:
                memory.join()
            if offline:
                leave_network()

        confined = [sys.executable, levels.__file__, level, str(job)] if level else []
        try:
            done = subprocess.run(
                [*confined, *words],
                cwd=job,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.options.get("timeout", 30),
                check=False,
                preexec_fn=enter,
                env={"PATH": os.environ["PATH"], "HOME": "/root", **(env or {})},
            )
        except subprocess.TimeoutExpired as late:
            return None, (late.output or b"").decode(errors="replace")
        return done.returncode, done.stdout.decode(errors="replace")


def leave_network() -> None:
    """Keep nothing of the network but the loopback device, as a container without networking."""
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "no network of its own")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))


def read(job: Path, status: int | None, log: str) -> Grade:
    """Read the results of a job as PrairieLearn does.

    Raises
    ------
    Refused
        The results break a rule.
    """
    if status is None:
        return Grade(log, "Your grading job did not complete within the time limit")
    if status != 0:
        return Grade(log, "Grading failed")
    file = job / "grade" / "results" / "results.json"
    if not file.is_file():
        return Grade(log, "Could not read grading results.")
    content = file.read_bytes()
    if len(content) > MOST_RESULTS:
        return Grade(log, "The grading results were larger than 1MB.")
    return Grade(log, results=check_results(json.loads(content, parse_constant=_refuse_constant)))


def check_results(found: Any) -> dict[str, Any]:
    """Return results that keep to the rules."""
    results = check(found, RESULTS, set(), "results.json")
    require("\0" not in json.dumps(results), "a text holds a null character")
    if not results.get("gradable", True):
        require("format_errors" in results, "nobody is told why it cannot be graded")
        require(results.keys().isdisjoint({"score", "tests"}), "what cannot be graded has points")
        return results
    require("score" in results, "score was not provided")
    require("format_errors" not in results, "what can be graded has format errors")
    names = [test.get("name") for test in results.get("tests", ())]
    require(len(names) == len(set(names)), "two tests share a name")
    for test in results.get("tests", ()):
        check(test, TEST, {"name", "points", "max_points"}, "a test")
        require(test["points"] <= test["max_points"], f"{test['name']} earns more than it is worth")
    return results


def _refuse_constant(name: str) -> None:
    raise Refused(f"results.json holds {name}")
