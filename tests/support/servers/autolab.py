"""Autolab, as far as a lab meets it: how it imports a tarball, runs make, and reads what was printed.

Autolab passes over much of what is wrong, or fails when the first student hands in. This one refuses it.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import re
import resource
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tests.support import levels

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
SECTIONS = {"general", "problems", "autograder", "scoreboard", "dates", "late_penalty", "version_penalty"}
GENERAL = {
    "name": str,
    "display_name": str,
    "category_name": str,
    "description": str,
    "handin_filename": str,
    "handin_directory": str,
    "max_grace_days": int,
    "handout": str,
    "writeup": str,
    "max_submissions": int,
    "disable_handins": bool,
    "max_size": int,
    "version_threshold": int,
    "is_positive_grading": bool,
    "embedded_quiz": bool,
    "group_size": int,
}
PROBLEM = {"name": str, "description": str, "max_score": float, "optional": bool}
AUTOGRADER = {"autograde_timeout": int, "autograde_image": str, "release_score": bool}
SCOREBOARD = {"banner": str, "colspec": str}
LONGEST = 255
"""Characters of a name in the database."""
MAX_OUTPUT, MAX_FILE, MAX_PROCESSES = 1000 * 1024, 100 * 1024 * 1024, 100
"""What Tango's own template allows one job: bytes that it prints, bytes of a file, processes."""


class Refused(Exception):
    """Autolab would not do this, or not as it was meant."""


def require(holds: object, why: str) -> None:
    """Refuse unless something holds."""
    if not holds:
        raise Refused(why)


@dataclass
class Feedback:
    """What Autolab makes of the output of a job.

    Attributes
    ----------
    output : str
        Everything that the job printed, with what the driver adds.
    scores : dict of str to float
        Problem to points; empty if the output could not be read.
    scoreboard : list
        Entries of the scoreboard.
    stages : dict
        Table to its rows, as they are shown; empty where the bare output is shown.
    error : str
        Why there are no scores.
    """

    output: str
    scores: dict[str, float] = field(default_factory=dict)
    scoreboard: list[object] = field(default_factory=list)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: str = ""


@dataclass
class Lab:
    """A lab that has been imported."""

    name: str
    files: dict[str, bytes]
    general: dict[str, Any]
    problems: dict[str, dict[str, Any]]
    autograder: dict[str, Any]
    columns: list[str]

    def grade(self, folder: Path, handin: bytes, **how: Any) -> Feedback:
        """Grade a hand-in in an empty folder; how is told to `run_job`."""
        return self.read(self.run_job(folder, handin, **how))

    def fill(self, folder: Path, handin: bytes) -> None:
        """Put into a folder what Tango copies to the grading machine."""
        require(not any(folder.iterdir()), f"{folder} is not empty")
        (folder / self.general["handin_filename"]).write_bytes(handin)
        (folder / "Makefile").write_bytes(self.files[f"{self.name}/autograde-Makefile"])
        (folder / "autograde.tar").write_bytes(self.files[f"{self.name}/autograde.tar"])

    def run_job(
        self, folder: Path, handin: bytes, *, level: str = "", env: Mapping[str, str] | None = None
    ) -> str:
        """Run make as Tango's driver does, and return the output as one text."""
        self.fill(folder, handin)
        job = start(folder, level=level, env=env or {})
        return finish(job, folder, self.autograder["autograde_timeout"])

    def read(self, output: str) -> Feedback:
        """Read an output as Autolab does."""
        lines = output.rstrip().split("\n")
        try:
            # Autolab quotes each word that a colon follows, so that keys need no quotes.
            result = json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', lines[-1]))
            require(isinstance(result, dict) and result.get("scores"), "there are no scores in the last line")
        except (ValueError, Refused) as error:
            return Feedback(output, error=str(error))
        require(set(result) <= {"scores", "scoreboard"}, f"unknown keys in {lines[-1]}")
        self._check_scores(result["scores"])
        board = result.get("scoreboard", [])
        require(isinstance(board, list), "the scoreboard is no list")
        require(not self.columns or len(board) == len(self.columns), "the scoreboard has other columns")
        require(
            all(is_number(entry) or isinstance(entry, str) for entry in board), "the scoreboard holds more"
        )
        return Feedback(output, result["scores"], board, stages_of(lines[-2] if len(lines) > 1 else ""))

    def _check_scores(self, scores: Any) -> None:
        require(isinstance(scores, dict), "the scores are no map")
        require(set(scores) <= set(self.problems), f"unknown problems in {scores}")
        require(set(scores) == set(self.problems), f"not every problem is in {scores}")
        for name, points in scores.items():
            problem = self.problems[name]
            require(is_number(points) and points >= 0, f"the points of {name} are {points!r}")
            require(
                points <= problem["max_score"] or problem["optional"], f"{name} is worth less than {points}"
            )


def import_tarball(content: bytes) -> Lab:
    """Import a lab from a tarball.

    Raises
    ------
    Refused
        Autolab would not import it, or leave out a part.
    """
    root, files = _read_tarball(content)
    require(NAME.fullmatch(root), f"{root!r} is no name of a lab")
    require(f"{root}/{root}.yml" in files, "there is no file of settings")
    try:
        settings = yaml.safe_load(files[f"{root}/{root}.yml"])
    except yaml.YAMLError as error:
        raise Refused(str(error)) from error
    require(isinstance(settings, dict) and "general" in settings, "there is no section `general`")
    require(set(settings) <= SECTIONS, f"unknown sections: {set(settings) - SECTIONS}")
    general = _check(settings["general"], GENERAL, "general")
    require(general.get("name", root) == root, "another name than that of the folder")
    for key in ("display_name", "category_name", "handin_filename", "handin_directory"):
        require(str(general.get(key, "")).strip(), f"`{key}` is blank")
    require("/" not in general["handin_filename"], "the hand-in is called by a path")
    require(".." not in PurePosixPath(general["handin_directory"]).parts, "hand-ins lie elsewhere")
    require(general["max_size"] > 0 and general["max_submissions"] >= -1, "no hand-in is accepted")
    require(general.get("max_grace_days", 0) >= 0, "grace days below 0")
    for key in ("handout", "writeup"):
        named = general.get(key, "")
        require(not named or f"{root}/{named}" in files, f"there is no {named}")
    for name in ("autograde-Makefile", "autograde.tar"):
        require(f"{root}/{name}" in files, f"{name} is missing")
    return Lab(
        root,
        files,
        general,
        _read_problems(settings["problems"]),
        _read_autograder(settings["autograder"]),
        _read_columns(settings.get("scoreboard")),
    )


def _read_tarball(content: bytes) -> tuple[str, dict[str, bytes]]:
    root, files = "", {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
        for entry in tar:
            require(not entry.name.startswith("."), f"{entry.name} is passed over")
            require(not entry.pax_headers, f"{entry.name} needs headers that Ruby does not read")
            if entry.isdir() and "/" not in entry.name:
                require(not root, "there are two folders at the root")
                root = entry.name
                continue
            require(root, "no folder at the root comes first")
            require(entry.name.startswith(f"{root}/"), f"{entry.name} lies outside of {root}")
            require(entry.isdir() or entry.isreg(), f"{entry.name} is no file")
            file = tar.extractfile(entry)
            if file is not None:
                files[entry.name] = file.read()
    require(root, "the tarball is empty")
    return root, files


def _check(table: Any, known: Mapping[str, type], what: str) -> dict[str, Any]:
    """Return a table of settings that has known keys alone, each of its type."""
    require(isinstance(table, dict), f"{what} is no map")
    require(set(table) <= set(known), f"unknown keys in {what}: {set(table) - set(known)}")
    for key, value in table.items():
        kind = known[key]
        fits = is_number(value) if kind is float else type(value) is kind
        require(fits, f"`{key}` in {what} is {value!r}")
        require(key == "description" or not isinstance(value, str) or len(value) <= LONGEST, f"{key} is long")
    return dict(table)


def _read_problems(listed: Any) -> dict[str, dict[str, Any]]:
    require(isinstance(listed, list) and listed, "there are no problems")
    found: dict[str, dict[str, Any]] = {}
    for one in listed:
        problem = _check(one, PROBLEM, "a problem")
        name = str(problem.get("name", ""))
        require(name and name == name.strip(), f"a problem is called {name!r}")
        require(name.casefold() not in {known.casefold() for known in found}, f"{name} comes twice")
        require(is_number(problem.get("max_score")), f"{name} is worth nothing")
        found[name] = {"optional": False, **problem}
    return found


def _read_autograder(table: Any) -> dict[str, Any]:
    found = _check(table, AUTOGRADER, "autograder")
    require(set(found) == set(AUTOGRADER), "a setting of the autograder is missing")
    require(10 <= found["autograde_timeout"] <= 900, f"the time limit is {found['autograde_timeout']}")
    # The name of a container has it in the end, and Tango splits that at hyphens.
    require(re.fullmatch(r"[a-zA-Z0-9_.]+", found["autograde_image"]), "Tango starts no such image")
    return found


def _read_columns(table: Any) -> list[str]:
    if table is None:
        return []
    columns = json.loads(_check(table, SCOREBOARD, "scoreboard")["colspec"])["scoreboard"]
    require(isinstance(columns, list) and columns, "the scoreboard has no columns")
    for column in columns:
        require(set(column) <= {"hdr", "asc", "img"} and column.get("hdr"), f"unknown keys in {column}")
    return [column["hdr"] for column in columns]


def start(folder: Path, *, level: str = "", env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start make in a folder, with the limits that Tango sets; one file takes both streams."""
    command = ["make"]
    if level:
        command = [sys.executable, levels.__file__, level, str(folder), *command]
    with (folder.parent / f"{folder.name}.log").open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "USER": "autolab", **env},
            preexec_fn=_limit_job if level == "ordinary-user" else _limit_files,
        )


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE, MAX_FILE))


def _limit_job() -> None:
    _limit_files()
    resource.setrlimit(resource.RLIMIT_NPROC, (MAX_PROCESSES, MAX_PROCESSES))


def finish(job: subprocess.Popen[bytes], folder: Path, seconds: float) -> str:
    """Wait for a job as Tango's driver does, and return its output with what the driver adds."""
    try:
        status = job.wait(timeout=seconds)
        head, end = f"Autodriver: Job exited with status {status}\n", ""
    except subprocess.TimeoutExpired:
        job.kill()
        job.wait()
        head, end = (
            f"Autodriver: Job timed out after {seconds} seconds\n",
            "\nAutodriver: ERROR Job timed out\n",
        )
    with contextlib.suppress(ProcessLookupError):
        os.killpg(job.pid, signal.SIGKILL)
    output = (folder.parent / f"{folder.name}.log").read_bytes()
    if len(output) > MAX_OUTPUT:
        half = MAX_OUTPUT // 2
        output = output[:half] + b"\n...[excess bytes elided]...\n" + output[-half:]
    return head + output.decode(errors="replace") + end


def stages_of(line: str) -> dict[str, dict[str, Any]]:
    """Return the tables that Autolab shows; nothing where the line before the last asks for none."""
    try:
        shown = json.loads(line)
    except ValueError:
        return {}
    if not isinstance(shown, dict) or shown.get("_presentation") != "semantic":
        return {}
    stages = shown.get("stages", [])
    require(isinstance(stages, list) and len(stages) == len(set(stages)), f"stages are {stages!r}")
    require(set(shown) == {"_presentation", "stages", *stages}, "a stage is missing, or is not listed")
    for stage in stages:
        rows = shown[stage]
        require(isinstance(rows, dict) and rows, f"the stage {stage} has no rows")
        require(not any(key.startswith("_") for key in rows), f"a row of {stage} is passed over")
        checks = [isinstance(row, dict) for row in rows.values()]
        require(all(checks) or not any(checks), f"the stage {stage} mixes checks and texts")
        for key, row in rows.items():
            if isinstance(row, dict):
                require(type(row.get("passed")) is bool, f"nobody knows whether {key} passed")
                require(set(row) <= {"passed", "hint"}, f"unknown keys in {key}")
                require(isinstance(row.get("hint", ""), str), f"the hint of {key} is no text")
            else:
                require(isinstance(row, str | int | float), f"{key} is {row!r}")
    return {stage: shown[stage] for stage in stages}


def is_number(value: object) -> bool:
    """Tell whether a value is a number that JSON can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
