"""Submitty, as a gradeable meets it: how it is built, its containers and validators, how points are counted.

Written from https://submitty.org/instructor/autograding, and from the rules by which Submitty completes and
checks a configuration. No Docker builds the image: its files are laid out, and its program runs with what a
container leaves to root.
"""

from __future__ import annotations

import ast
import glob
import io
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.servers import view
from tests.support.waiting import PATIENCE

WORK = "var/local/submitty/autograding_tmp/untrusted00/tmp/TMP_WORK"
FOLDERS = {"test_input", "test_output", "custom_validation_code", "provided_code", "instructor_solution"}
PROGRAMS = {"python3": sys.executable, "sleep": "/bin/sleep"}
"""Of those that Submitty starts, which are listed in its ``allowed_autograding_commands_default.json``."""
KEYS = {
    *("timestamped_stdout", "hide_submitted_files", "hide_version_and_test_details", "publish_actions"),
    *("early_submission_incentive", "one_part_only", "assignment_message", "load_message"),
    *("required_capabilities", "grading_parameters", "allow_system_calls", "resource_limits"),
    *("max_submission_size", "autograding", "autograding_method", "container_options", "part_names"),
    *("testcases", "notebook", "item_pool"),
}
COPIES = {
    *("compilation_to_runner", "compilation_to_validation", "submission_to_compilation"),
    *("submission_to_runner", "submission_to_validation", "work_to_details", "work_to_public"),
}
TESTCASE_KEYS = {
    *("timestamped_stdout", "publish_actions", "hidden", "release_hidden_details", "view_testcase_message"),
    *("extra_credit", "details", "containers", "command", "points", "type", "use_router", "testcase_label"),
    *("single_port_per_container", "title", "validation", "pre_commands", "dispatcher_actions"),
}
LIMIT_KEYS = {"type", "title", "max_submissions", "points", "penalty"}
CONTAINER_KEYS = {
    *("commands", "container_image", "container_name", "number_of_ports", "outgoing_connections", "server"),
}
RESOURCES = {
    *(
        "RLIMIT_CPU",
        "RLIMIT_FSIZE",
        "RLIMIT_DATA",
        "RLIMIT_STACK",
        "RLIMIT_CORE",
        "RLIMIT_RSS",
        "RLIMIT_NPROC",
    ),
    *("RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING"),
}
SHOW = {"always", "never", "on_success", "on_failure"}
STATUSES = {"success", "failure", "warning", "information"}


@dataclass(frozen=True)
class Run:
    """How one submission ended.

    Attributes
    ----------
    points : dict of str to (int, int)
        Title of each testcase to the points that it got and can get.
    messages : dict of str to list of str
        Title of the testcase and description of the validation to what is told.
    log : str
        What containers and validators said; instructors read it.
    """

    points: dict[str, tuple[int, int]]
    messages: dict[tuple[str, str], list[str]]
    log: str

    @property
    def total(self) -> int:
        """Return the points of the submission."""
        return max(0, sum(got for got, _ in self.points.values()))


class Submitty:
    """A gradeable.

    Parameters
    ----------
    root : Path
        An empty folder, which becomes the root of the machine.
    bundle : Path
        The folder that `autograder bundle` wrote.
    """

    def __init__(self, root: Path, bundle: Path) -> None:
        self.root, self.work = root, root / WORK
        self.configuration = root / "var/local/submitty/courses/f26/dl/config_upload/1"
        with zipfile.ZipFile(bundle / "config.zip") as archive:
            archive.extractall(self.configuration)
        assert {path.name for path in self.configuration.iterdir() if path.is_dir()} <= FOLDERS
        self.config = json.loads((self.configuration / "config.json").read_text())
        check_config(self.config)
        self._image, self.command = read_dockerfile(bundle / "image" / "Dockerfile")
        shutil.copytree(bundle / "image", root / self._image)

    def install(self) -> None:
        """Do what the image does when it is built, with the packages of this interpreter."""
        home = self.root / self._image
        (wheel,) = (home / "bundle").glob("*.whl")
        view.install(home / "venv", wheel, at=f"/{self._image}/venv")

    def build(self, variables: Mapping[str, str]) -> None:
        """Do what the image does when it is built, with the packages of an index."""
        home = self.root / self._image
        script = (home / "install.sh").read_text().replace(f"/{self._image}/", f"{home}/")
        words = ["bash", "-c", script]
        subprocess.run(words, check=True, timeout=PATIENCE, env={"PATH": os.environ["PATH"], **variables})

    def grade(
        self,
        files: Mapping[str, bytes],
        *,
        who: str = "ada",
        meanwhile: Callable[[Path], None] = lambda work: None,
        start: bool = True,
    ) -> Run:
        """Grade a submission: every testcase runs, then every validator.

        Parameters
        ----------
        who : str
            The student.
        meanwhile : callable
            Called between the containers and the validators, with the folder of the testcases.
        start : bool
            Whether the image of the grader is there to be started.
        """
        shutil.rmtree(self.work, ignore_errors=True)
        submission = self.root / "submission"
        shutil.rmtree(submission, ignore_errors=True)
        for path, content in {".submit.timestamp": b"2026-11-30 23:59:59-0500\n", **files}.items():
            target = submission / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        log = ""
        for number, testcase in enumerate(self.config["testcases"], 1):
            if testcase.get("type", "Execution") == "Execution":
                log += self._execute(testcase, self.work / f"test{number:02}", submission, who, start=start)
        meanwhile(self.work)
        self.set_up_validators()
        points, messages = {}, {}
        for number, testcase in enumerate(self.config["testcases"], 1):
            if "max_submissions" in testcase:
                continue  # this is the first submission
            score = 1.0
            for check in testcase["validation"]:
                part, said = self.validate(check, f"test{number:02}/", who)
                score -= check["deduction"] * (1 - part)
                messages[testcase["title"], check["description"]] = said
            score = max(0.0, min(1.0, score + 0.00001))
            points[testcase["title"]] = (int(score * testcase["points"]), testcase["points"])
        return Run(points, messages, log)

    def set_up_validators(self) -> None:
        """Copy the programs that read what the testcases left."""
        shutil.copytree(self.configuration / "custom_validation_code", self.work, dirs_exist_ok=True)

    def _execute(
        self, testcase: Mapping[str, Any], folder: Path, submission: Path, who: str, *, start: bool
    ) -> str:
        containers = testcase.get("containers") or [{"commands": [testcase["command"]], "container_name": ""}]
        places = {one["container_name"]: folder / one["container_name"] for one in containers}
        for place in places.values():
            self._set_up(place, submission, who)
        hosts, port = {}, free_port()
        for one in containers:
            hosts[one["container_name"]] = {"ip_address": "127.0.0.1", "tcp_start_port": port}
        for place in places.values():
            if len(containers) > 1:
                (place / "knownhosts.json").write_text(json.dumps({"hosts": hosts}))
        servers = [
            self._start(places[one["container_name"]]) for one in containers if one.get("server") and start
        ]
        log = ""
        for one in containers:
            for command in one.get("commands", ()):
                log += self._run(command, places[one["container_name"]], "STDOUT.txt", "STDERR.txt")
        for server in servers:
            os.killpg(server.pid, signal.SIGKILL)
            log += server.communicate(timeout=PATIENCE)[0]
        return log

    def _set_up(self, place: Path, submission: Path, who: str) -> None:
        """Copy what a testcase works with: the submission, and over it what the instructor gave."""
        place.mkdir(parents=True)
        _copy(self.config["autograding"]["submission_to_runner"], submission, place)
        (place / "queue_file.json").write_text(
            json.dumps({"semester": "f26", "course": "dl", "gradeable": "tiny", "who": who, "version": 1})
        )
        shutil.copy(submission / ".submit.timestamp", place)
        for source in (self.configuration / "test_input").rglob("*"):
            target = place / source.relative_to(self.configuration / "test_input")
            if source.is_dir():
                target.mkdir(exist_ok=True)
            else:
                target.unlink(missing_ok=True)
                shutil.copy(source, target)
        (place / "my_runner.out").write_bytes(b"\x7fELF")
        for path in [place, *place.rglob("*")]:
            path.chmod(0o777)

    def _start(self, place: Path) -> subprocess.Popen[str]:
        """Start the program of the image as root of a container."""
        inside = f"/{place.relative_to(self.root)}"
        words = [sys.executable, "-P", "-m", "tests.support.servers.view", self.root, "container", inside]
        return subprocess.Popen(
            [*words, *self.command],
            env={"PATH": os.environ["PATH"], "HOME": "/root", "PYTHONPATH": str(Path(__file__).parents[3])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _run(self, command: str, folder: Path, output: str, errors: str) -> str:
        """Run a command as Submitty's runner does: no shell, a known program, and no variables."""
        program, *words = command.split()
        assert "'" not in command
        assert '"' not in command
        with (folder / output).open("w") as stdout, (folder / errors).open("w") as stderr:
            subprocess.run(
                [PROGRAMS[program], *words],
                cwd=folder,
                env={"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LC_ALL": "C.UTF-8"},
                stdout=stdout,
                stderr=stderr,
                check=False,
                timeout=PATIENCE,
            )
        return (folder / output).read_text() + (folder / errors).read_text()

    def validate(self, check: Mapping[str, Any], prefix: str, who: str) -> tuple[float, list[str]]:
        """Return the part of the points that a validator gives, and what it tells."""
        asked = {**check, "testcase_prefix": prefix, "username": who}
        results = self.work / "validation_results.json"
        (self.work / "custom_validator_input.json").write_text(json.dumps(asked))
        said = self._run(check["command"], self.work, "validation_stdout.json", "validation_stderr.txt")
        assert results.is_file(), said
        found = json.loads(results.read_text())
        results.unlink()
        assert found["status"] == "success"
        score, messages = found["data"]["score"], found["data"]["message"]
        assert isinstance(score, int | float)
        assert 0 <= score <= 1
        for message in messages:
            assert message.keys() == {"message", "status"}
            assert message["message"], "Submitty stops at an empty message"
            assert message["status"] in STATUSES
        (single,) = struct.unpack("f", struct.pack("f", score))  # Submitty reads a float of 32 bits
        return single, [message["message"] for message in messages]


def check_config(config: object) -> None:
    """Check a ``config.json`` as Submitty does when a gradeable is built."""
    assert isinstance(config, dict)
    assert config.keys() <= KEYS, config.keys() - KEYS
    assert config["autograding_method"] in {"docker", "jailed_sandbox"}
    assert config["autograding"].keys() <= COPIES
    for patterns in config["autograding"].values():
        assert all(isinstance(pattern, str) for pattern in patterns)
    options = config["container_options"]
    assert {"container_image", "single_port_per_container", "use_router"} == options.keys()
    assert isinstance(options["container_image"], str)
    assert options["use_router"] is options["single_port_per_container"] is False
    assert type(config["timestamped_stdout"]) is type(config["publish_actions"]) is bool
    assert type(config["max_submission_size"]) is int
    limits = config["resource_limits"]
    assert limits.keys() <= RESOURCES
    assert all(type(limit) is int and limit > 0 for limit in limits.values())  # Docker takes no other
    assert config["allow_system_calls"] == ["ALLOW_ALL_RESTRICTED_SYSTEM_CALLS"]
    for testcase in config["testcases"]:
        _check_testcase(testcase)
    points = {
        extra: sum(
            testcase["points"]
            for testcase in config["testcases"]
            if testcase["points"] > 0 and testcase.get("extra_credit", False) is extra
        )
        for extra in (False, True)
    }
    assert config["grading_parameters"] == {
        "AUTO_POINTS": points[False],
        "EXTRA_CREDIT_POINTS": points[True],
    }


def _check_testcase(testcase: Mapping[str, Any]) -> None:
    assert isinstance(testcase["title"], str)
    assert testcase["title"]
    assert type(testcase["points"]) is int, "a fraction is cut off"
    if "max_submissions" in testcase:
        assert testcase.keys() == LIMIT_KEYS
        assert testcase["type"] == "FileCheck"
        assert testcase["max_submissions"] >= 1
        assert testcase["points"] <= 0
        assert testcase["penalty"] <= 0
        return
    assert testcase.keys() <= TESTCASE_KEYS, testcase.keys() - TESTCASE_KEYS
    for key in ("hidden", "release_hidden_details", "extra_credit"):
        assert type(testcase.get(key, False)) is bool
    assert testcase.get("hidden") or not testcase.get("release_hidden_details")
    assert ("containers" in testcase) != ("command" in testcase)
    containers = testcase.get("containers", [{"commands": [testcase.get("command")], "container_name": "a"}])
    assert any(not one.get("server", False) for one in containers)
    for one in containers:
        assert one.keys() <= CONTAINER_KEYS
        assert re.fullmatch(r"\S+", one["container_name"])
        assert one.get("server", False) is not bool(one.get("commands"))
        for command in one.get("commands", ()):
            assert command.split()[0] in PROGRAMS
    assert testcase["validation"]
    for check in testcase["validation"]:
        assert check["method"] == "custom_validator"
        assert isinstance(check["command"], str)
        assert isinstance(check["actual_file"], str)
        assert isinstance(check["description"], str)
        assert 0 <= check["deduction"] <= 1
        assert {check["show_message"], check["show_actual"]} <= SHOW
    assert abs(sum(check["deduction"] for check in testcase["validation"]) - 1) < 0.001


def read_dockerfile(path: Path) -> tuple[str, list[str]]:
    """Return the folder into which an image copies what lies beside it, and the program that it runs."""
    found: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            assert word in {"FROM", "COPY", "RUN", "CMD"}
            assert found.setdefault(word, rest) == rest
    assert re.fullmatch(r"python:3\.1[123]-slim", found["FROM"])
    source, place = found["COPY"].split()
    assert source == "."
    assert found["RUN"] == f"bash {place}install.sh"
    command = json.loads(found["CMD"])
    assert command[0] == f"{place}venv/bin/python"
    return place.strip("/"), command


def check_old_python(source: bytes) -> None:
    """Check that a program runs with the Python of Submitty's machines and of its own image."""
    ast.parse(source, feature_version=(3, 8))


def _copy(patterns: list[str], source: Path, target: Path) -> None:
    for pattern in patterns:
        for found in glob.glob(str(source / pattern), recursive=True):  # noqa: PTH207, as Submitty does
            if Path(found).is_file():
                place = target / Path(found).relative_to(source)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, place)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def unpack(archive: bytes) -> dict[str, bytes]:
    """Return the files of a zip."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
