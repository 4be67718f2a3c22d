"""Submitty: the zip is checked and laid out as there, the image grades in its container, validators count."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.errors import ConfigError
from autograder.exporters.servers.interface import Contents
from autograder.exporters.servers.submitty import SERVER
from autograder.grading import loop
from autograder.release.fingerprints import Index, course_fingerprints, normalize_words
from autograder.release.parts import texts, walk
from tests.support import tiny
from tests.support.servers import made, submitty
from tests.support.servers.submitty import Run, Submitty
from tests.support.waiting import PATIENCE

SETTINGS = 'image = "university/coursegrad:2026"'
DOUBLE, TABLE = "Double a tensor", "Keep a table"
TORCH_INDEX = os.environ.get("COURSEGRAD_TORCH_INDEX", "https://pypi.org/simple")
"""Where the tests take PyTorch from: PyPI has it, too, if with what only GPUs need."""
NOT_GRADED = "This was not graded. Tell your instructor; the log of this submission says why."
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders look like Submitty's")
HALF = tiny.REFERENCE.replace("self.rows[name] = value", "pass")
TAKES_OVER = """
import glob, os, socket
FORGED = '{"body": "{}", "signature": ""}'
for folder in ["."] + glob.glob("/var/local/submitty/autograding_tmp/*/*/*/*/*") + glob.glob("/tmp/*"):
    for name in ("summary.json", "double-public.json", "coursegrad.zip", "results/double-public.json"):
        try:
            with open(os.path.join(folder, name), "w") as file:
                file.write(FORGED)
        except OSError:
            pass
try:
    socket.create_server(("", 9000))
except OSError:
    pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    course = made.write_course(tmp_path_factory.mktemp("course"), "submitty", SETTINGS)
    return made.make(course, "submitty", planned=True)


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Submitty:
    found = Submitty(tmp_path_factory.mktemp("root"), folder)
    found.install()
    return found


def submit(server: Submitty, source: str, **files: bytes) -> Run:
    return server.grade({"tiny_module.py": source.encode(), **files})


def packed(folder: Path) -> dict[str, bytes]:
    return submitty.unpack((folder / "config.zip").read_bytes())


def refusal(root: Path, settings: str) -> str:
    """Return the line in which a bundle is refused."""
    tiny.write_course(root)
    with (root / "course.toml").open("a") as file:
        file.write(f"\n[servers.submitty]\n{settings}\n")
    done = made.run("bundle", "tiny", "submitty", "--course", root)
    assert done.exit_code == 2, done.output
    assert not (root / "dist").exists()
    (line,) = done.stderr.strip().splitlines()
    return line


# The zip and the image


def test_the_zip_holds_what_submitty_knows(folder: Path) -> None:
    assert sorted(packed(folder)) == [
        "config.json",
        "custom_validation_code/coursegrad_report.py",
        "test_input/coursegrad.zip",
        "test_input/coursegrad_collect.py",
    ]
    assert sorted(path.name for path in (folder / "image").iterdir()) == [
        "Dockerfile",
        "bundle",
        "install.sh",
        "serve.py",
    ]


def test_the_configuration_is_one_that_submitty_builds(folder: Path) -> None:
    config = json.loads(packed(folder)["config.json"])
    submitty.check_config(config)
    titles = [(one["title"], one["points"], one.get("hidden", False)) for one in config["testcases"]]
    # 10 points, of which 4.4 are public: five there for each of ours.
    assert titles == [("Checks", 44, False), ("Hidden checks", 56, True), ("Submission Limit", 0, False)]
    assert config["testcases"][1]["release_hidden_details"] is True
    assert config["grading_parameters"] == {"AUTO_POINTS": 100, "EXTRA_CREDIT_POINTS": 0}


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    course = made.write_course(tmp_path_factory.mktemp("collected"), "submitty", SETTINGS)
    return made.gather(course, "submitty", planned=True)


def config_of(contents: Contents) -> dict[str, Any]:
    files = submitty.unpack(SERVER.pack(contents)["config.zip"].content)
    config: dict[str, Any] = json.loads(files["config.json"])
    submitty.check_config(config)
    return config


@pytest.mark.parametrize(
    ("hidden", "flags"), [("shown", (False, False)), ("closed", (True, True)), ("never", (True, False))]
)
def test_who_sees_hidden_checks(contents: Contents, hidden: str, flags: tuple[bool, bool]) -> None:
    chosen = contents.settings.model_copy(update={"hidden": hidden})
    second = config_of(replace(contents, settings=chosen))["testcases"][1]
    assert (second["hidden"], second["release_hidden_details"]) == flags


def test_extra_credit_is_apart(tmp_path: Path) -> None:
    settings = f"{SETTINGS}\nscale = 10"
    assignment = f"{tiny.ASSIGNMENT}extra = true\n"
    course = made.write_course(tmp_path, "submitty", settings, assignment)
    config = config_of(made.gather(course, "submitty", planned=True))
    assert [(one["title"], one["points"]) for one in config["testcases"]] == [
        ("Checks", 24),
        ("Hidden checks", 36),
        ("Extra credit", 20),
        ("Extra credit, hidden checks", 20),
        ("Submission Limit", 0),
    ]
    assert config["grading_parameters"] == {"AUTO_POINTS": 60, "EXTRA_CREDIT_POINTS": 40}


def test_a_factor_that_leaves_fractions_is_refused(contents: Contents) -> None:
    chosen = contents.settings.model_copy(update={"scale": 2})
    with pytest.raises(ConfigError, match=r"servers.submitty.scale: is 2, .* choose a multiple of 10, or"):
        SERVER.pack(replace(contents, settings=chosen))


def test_the_image_holds_nothing_of_the_course(folder: Path) -> None:
    """It may be public; hidden tests and the key are in the zip, and the secret is nowhere."""
    course = Course.load(folder.parents[1])
    index = Index(course_fingerprints(course))
    secrets = [course.secret(), course.secret().hex().encode()]
    keys = [course.key("tiny"), course.key("tiny").hex().encode(), b"31337"]
    image = {path.name: path.read_bytes() for path in (folder / "image").rglob("*") if path.is_file()}
    assert len(image) == 6
    for name, content in image.items():
        for place, blob in walk(name, content):
            assert not [word for word in secrets + keys if word in blob], place
            for text in texts(blob):
                assert not list(index.find_in(normalize_words(text))), place
    graded = submitty.unpack(packed(folder)["test_input/coursegrad.zip"])
    assert "course/suites/tiny/test_hidden.py" in graded
    assert b"return 2 * x" not in b"".join(graded.values())
    for content in [*packed(folder).values(), *graded.values()]:
        assert not [word for word in secrets if word in content]
    report = packed(folder)["custom_validation_code/coursegrad_report.py"]
    assert course.key("tiny").hex().encode() not in report


def test_programs_run_with_the_python_that_submitty_has(folder: Path) -> None:
    files = packed(folder)
    for name in ("test_input/coursegrad_collect.py", "custom_validation_code/coursegrad_report.py"):
        submitty.check_old_python(files[name])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("", "`servers.submitty.image` is missing; add it"),
        ('image = "coursegrad"', "`servers.submitty.image` is 'coursegrad'"),
        (f'{SETTINGS}\nhidden = "later"', "`servers.submitty.hidden` is 'later'"),
        (f"{SETTINGS}\ntoken = 1", "unknown key `servers.submitty.token`"),
    ],
)
def test_what_a_course_says_wrongly_is_one_line(tmp_path: Path, settings: str, said: str) -> None:
    assert said in refusal(tmp_path, settings)


# Grading


@pytest.fixture(scope="module")
def right(server: Submitty) -> tuple[Run, dict[str, bytes]]:
    """Return how the reference ends, and what the grader wrote of it."""
    kept: dict[str, bytes] = {}

    def keep(work: Path) -> None:
        kept.update({path.name: path.read_bytes() for path in (work / "test01/main").glob("*.json")})

    return server.grade({"tiny_module.py": tiny.REFERENCE.encode()}, meanwhile=keep), kept


@needs_root
def test_a_right_submission_gets_every_point(right: tuple[Run, dict[str, bytes]]) -> None:
    run, _ = right
    assert run.points == {"Checks": (44, 44), "Hidden checks": (56, 56)}, run.log
    assert run.messages["Checks", DOUBLE] == ["1.1 Doubles a small tensor. Passed."]
    assert run.messages["Checks", "Summary"][0] == "2 of 2 public checks passed."
    assert any("Sandbox: full" in text for text in run.messages["Checks", "Summary"])


@needs_root
def test_points_are_those_of_the_kit(server: Submitty, folder: Path) -> None:
    course = Course.load(folder.parents[1])
    here = loop.grade_one(course, assignments.load(course, "tiny"), tiny.submission(HALF), sandbox="full")
    points = {
        tier: sum(test.points for test in here.tests if test.tier == tier) for tier in ("public", "hidden")
    }
    assert 0 < here.score < 10
    run = submit(server, HALF)
    assert run.points == {
        "Checks": (round(10 * points["public"]), 44),
        "Hidden checks": (round(10 * points["hidden"]), 56),
    }
    assert run.messages["Checks", "Summary"][0] == "1 of 2 public checks passed."
    (wrong,) = run.messages["Checks", TABLE]
    assert wrong.startswith("2.1 Keeps what was added. Not passed. ")
    assert "31337" not in str(run.messages)


@needs_root
def test_nothing_that_a_student_hands_in_or_runs_counts_as_a_result(server: Submitty, tmp_path: Path) -> None:
    """Files by the names of results, programs by the names of ours, and modules that ours would import."""
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n".encode()
    names = ("json", "socket", "hmac", "autograder", "helpers", "coursegrad_collect", "coursegrad_report")
    traps = {f"{name}.py": trap for name in names}
    forged = {f"main/{name}.json": b"{}" for name in ("summary", "double-public", "table-hidden")}
    run = submit(server, tiny.STUB + TAKES_OVER, **traps, **forged, **{"coursegrad.zip": b"PK"})
    assert run.total == 0
    assert run.messages["Checks", DOUBLE][0].startswith("1.1 Doubles a small tensor. Not passed.")
    assert not (tmp_path / "sprung").exists()


@needs_root
def test_validators_believe_the_grader_alone(server: Submitty, right: tuple[Run, dict[str, bytes]]) -> None:
    """Not files that somebody wrote, changed, or took from another student or another check."""
    _, kept = right
    names = {f"{task}-{tier}.json" for task in ("double", "table") for tier in ("public", "hidden")}
    assert kept.keys() == {*names, "summary.json", "knownhosts.json", "queue_file.json"}
    server.set_up_validators()
    place = server.work / "test01/main/double-public.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(kept[place.name])
    signed = json.loads(kept[place.name])
    changed = json.dumps({**signed, "body": signed["body"].replace("Passed", "passed")}).encode()
    assert changed != kept[place.name]
    check = server.config["testcases"][0]["validation"][1]
    assert check["check"] == "double-public"
    assert server.validate(check, "test01/", "ada") == (1.0, ["1.1 Doubles a small tensor. Passed."])
    for content in (changed, b"", b"{}", b"[]", b"\xff", kept["table-public.json"]):
        place.write_bytes(content)
        assert server.validate(check, "test01/", "ada") == (0.0, [NOT_GRADED])
    place.write_bytes(kept[place.name])
    assert server.validate(check, "test01/", "bob") == (0.0, [NOT_GRADED])
    place.unlink()
    assert server.validate(check, "test01/", "ada") == (0.0, [NOT_GRADED])


@needs_root
def test_what_cannot_be_graded_is_told(server: Submitty) -> None:
    place = server.configuration / "test_input/coursegrad.zip"
    before = place.read_bytes()
    place.write_bytes(before.replace(b"manifest.json", b"manifesto.jso"))
    try:
        run = submit(server, tiny.REFERENCE)
    finally:
        place.write_bytes(before)
    assert run.total == 0
    assert run.messages["Checks", "Summary"] == [NOT_GRADED]
    assert "manifest.json: there is no such file" in run.log
    assert "Traceback" not in run.log


def test_without_the_grader_waiting_ends(folder: Path, tmp_path: Path) -> None:
    """With a deadline of no time at all, in place of two minutes."""
    program = packed(folder)["test_input/coursegrad_collect.py"].decode()
    assert "SECONDS_TO_START = 660, 120" in program
    (tmp_path / "collect.py").write_text(
        program.replace("SECONDS_TO_START = 660, 120", "SECONDS_TO_START = 1, -1")
    )
    hosts = {"grader": {"ip_address": "127.0.0.1", "tcp_start_port": submitty.free_port()}}
    (tmp_path / "knownhosts.json").write_text(json.dumps({"hosts": hosts}))
    done = subprocess.run(
        [sys.executable, "-I", "collect.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The grader does not answer: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_emulator_refuses_what_submitty_refuses(folder: Path) -> None:
    good = json.loads(packed(folder)["config.json"])
    first, *others = good["testcases"]
    check, *checks = first["validation"]
    for change in (
        {"points": 2.5},
        {"points": 21},
        {"title": ""},
        {"colour": 1},
        {"release_hidden_details": True},
        {"validation": []},
        {"validation": checks[1:]},
        {"validation": [{**check, "show_message": "often"}, *checks]},
        {"validation": [{**check, "deduction": 1.5}, *checks]},
        {"containers": [one for one in first["containers"] if one.get("server")]},
        {"containers": [*first["containers"], {"container_name": "a b", "commands": ["sleep 0"]}]},
        {"containers": [*first["containers"], {"container_name": "a", "commands": ["whoami"]}]},
    ):
        with pytest.raises(AssertionError):
            submitty.check_config({**good, "testcases": [{**first, **change}, *others]})
    for changed in (
        {"autograding_method": "podman"},
        {"unknown": 1},
        {"resource_limits": {"RLIMIT_CPU": "RLIM_INFINITY"}},
        {"grading_parameters": {"AUTO_POINTS": 49, "EXTRA_CREDIT_POINTS": 0}},
    ):
        with pytest.raises(AssertionError):
            submitty.check_config({**good, **changed})


# With a network


@needs_root
@pytest.mark.full
def test_the_image_installs_the_packages(folder: Path, tmp_path: Path) -> None:
    server = Submitty(tmp_path / "root", folder)
    variables = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    server.build({"COURSEGRAD_TORCH_INDEX": TORCH_INDEX, **variables})
    assert submit(server, tiny.REFERENCE).total == 100
