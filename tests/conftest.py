"""A small course on disk that tests of the instructor's side share."""

from __future__ import annotations

import gc
import math
import os
import signal
import tempfile
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import pytest
from typer.testing import CliRunner, Result

from autograder.commands import terminal
from autograder.commands.main import app
from autograder.course import ROOT_VARIABLE, Course
from autograder.course.assignment import Assignment, load
from autograder.engine.interface import Graded
from autograder.graded.results import (
    Feedback,
    Location,
    Provenance,
    SandboxReport,
    SubmissionResult,
    TaskResult,
    TestResult,
)
from autograder.grading.specimens import REFERENCE
from autograder.intake import Submission
from autograder.scoring import Outcome, PlannedTest
from helpers.statuses import Status
from tests.support import published, spreading, timing
from tests.support.published import Public

Run = Callable[..., Result]
COURSE = 'name = "Deep Learning"\ntimezone = "Europe/Berlin"\n'
ASSIGNMENT = """\
name = "toy"
title = "A toy"
modules = ["toy"]
deadline = 2026-03-01T23:59:00

[tiers]
"test_public.py" = "public"
"test_hidden.py" = "hidden"

[[tasks]]
id = "first"
title = "The first task"
points = 10

[[tasks]]
id = "second"
title = "The second task"
points = 2.5
"""


gc.disable()
"""While tests are imported and collected, nothing becomes garbage that is worth a search."""

if "PYTEST_XDIST_WORKER" in os.environ:  # the cores are busy with tests already
    os.environ.setdefault("COURSEGRAD_JOBS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take ``--seconds``, which the quick loop gives."""
    timing.add_option(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Note how long tests take, and keep to the time that was given; let their processes be interrupted."""
    timing.register(config)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Answer what ``-n auto`` stands for."""
    return spreading.workers()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> spreading.ByScope:
    """Keep together what shares an expensive fixture."""
    config.option.loadscopereorder = False
    return spreading.ByScope(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the longest begin first where tests run side by side."""
    if hasattr(config, "workerinput"):
        items[:] = spreading.longest_first(items)


def pytest_collection_finish() -> None:
    """Collect garbage again from here on, but never look at the modules and tests that stay."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _no_progress_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep lines about progress out of what tests compare: how many there are depends on the machine."""
    monkeypatch.setattr(terminal, "EVERY_SECONDS", math.inf)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user may enter, as they may not enter those of pytest."""
    with tempfile.TemporaryDirectory(prefix="coursegrad-open-") as place:
        Path(place).chmod(0o755)
        yield Path(place)


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Return a course with one assignment, ``toy``."""
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    root = tmp_path / "course"
    solution, suite = root / "solutions" / "toy", root / "autograder" / "suites" / "toy"
    solution.mkdir(parents=True)
    suite.mkdir(parents=True)
    (root / "course.toml").write_text(COURSE)
    (solution / "assignment.toml").write_text(ASSIGNMENT)
    (solution / "toy.py").write_text("def answer():\n    return 42\n")
    (suite / "test_public.py").write_text("")
    (suite / "test_hidden.py").write_text("")
    return Course.load(root)


@pytest.fixture
def toy(course: Course) -> Assignment:
    """Return the assignment of that course."""
    return load(course, "toy")


@pytest.fixture
def result() -> SubmissionResult:
    """Return a result with a test of every kind; ``CANARY`` marks what no student may read."""
    return graded_example()


def graded_example(student: str = "ada") -> SubmissionResult:
    """Return one student's result of the assignment ``toy``: 5 of 12.5 points."""
    return SubmissionResult(
        assignment="toy",
        student=student,
        score=5.0,
        max_score=12.5,
        notes=["Ignored: notes.txt."],
        tasks=[
            TaskResult(id="first", title="The first task", points=5, max_points=10),
            TaskResult(id="second", title="The second task", points=0, max_points=2.5),
        ],
        tests=[
            _test("test_public.py::test_a", "Adds numbers", "first", Status.passed, 5),
            _test(
                "test_public.py::test_b",
                "Adds vectors",
                "first",
                Status.failed,
                feedback=Feedback(
                    summary="The values are wrong.",
                    likely_cause="The sum runs over the wrong dimension.",
                    expected="(3, 4) float32",
                    actual="(4, 3) float32",
                    first_wrong="[3, 0]; 7 of 12 are wrong",
                    location=Location(file="toy.py", line=12, function="answer"),
                ),
            ),
            _test(
                "test_hidden.py::test_c",
                "Adds many numbers",
                "second",
                Status.raised,
                feedback=Feedback(summary="ValueError was raised."),
            ),
            _test(
                "test_hidden.py::test_d",
                "Uses no loop",
                "second",
                Status.not_judged,
                feedback=Feedback(summary="Not judged."),
            ),
        ],
        sandbox=SandboxReport(level="full", layers={"seccomp": "CANARY-layer"}),
        provenance=Provenance(
            kit="0.1.0",
            suite="CANARY-suite",
            python="3.11.7",
            torch="2.13.0",
            numpy="2.4.6",
            machine="CANARY-machine",
            secret="CANARY-secret",
            limits={},
        ),
        files={"toy.py": "0" * 64},
    )


def _test(
    id: str, title: str, task: str, status: Status, points: float = 0, feedback: Feedback | None = None
) -> TestResult:
    return TestResult(
        id=id,
        title=title,
        task=task,
        tier="hidden" if "hidden" in id else "public",
        kind="constraint" if title == "Uses no loop" else "value",
        status=status,
        points=points,
        max_points=5 if task == "first" else 1.25,
        feedback=feedback,
        detail=f"CANARY-detail {title}",
        output=f"CANARY-output {title}",
    )


class StandInEngine:
    """An engine that does what the submission says: ``pass``, ``fail``, ``half``, ``stop`` or ``lose``."""

    plan: tuple[PlannedTest, ...] = (
        PlannedTest("test_public.py::test_a", "Adds", "first", "public", "value", Fraction(1), 10, 512),
        PlannedTest("test_hidden.py::test_b", "Doubles", "second", "hidden", "value", Fraction(1), 10, 512),
    )
    versions = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6"}  # noqa: RUF012

    def __init__(self, assignment: Assignment, course: Course, *, jobs: int, sandbox: str) -> None:
        self.sandbox = SandboxReport.model_validate({"level": sandbox, "layers": {"uid": "off"}})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def grade(self, submissions: Iterable[Submission]) -> Iterator[Graded]:
        """Answer in reverse order."""
        for submission in reversed(list(submissions)):
            word = submission.files["toy.py"].decode().strip()
            word = "pass" if submission.student == REFERENCE else word
            if word == "stop":
                raise KeyboardInterrupt
            if word == "lose":
                continue
            status = Status.passed if word == "pass" else Status.failed
            feedback = None if word == "pass" else Feedback(summary="\x1b[31mWrong.\u202e")
            outcomes = tuple(Outcome(test.id, status, feedback, detail="CANARY") for test in self.plan)
            outcomes = outcomes[:1] if word == "half" else outcomes
            yield Graded(submission, outcomes, None, 0.1234567)


@pytest.fixture
def open_engine() -> type[StandInEngine]:
    """Return an engine for the assignment ``toy`` that runs nothing."""
    return StandInEngine


@pytest.fixture
def run(course: Course, open_engine: Any) -> Run:
    """Return a function that runs the command line in the course, with that engine."""

    def run(*words: object) -> Result:
        extra = ["--allow-weak-sandbox"] if words[0] == "grade" else []
        arguments = [*map(str, words), *extra, "--course", str(course.root)]
        return CliRunner().invoke(app, arguments, obj=open_engine)

    return run


@pytest.fixture
def class_folder(tmp_path: Path) -> Path:
    """Return a class of three: ada passes, bob fails, eve handed in nothing."""
    folder = tmp_path / "class"
    for student, word in {"ada": "pass", "bob": "fail"}.items():
        (folder / student).mkdir(parents=True)
        (folder / student / "toy.py").write_text(word)
    (folder / "eve").mkdir()
    return folder


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> Public:
    """Return the course's public repository, with the release ``v1``."""
    own = tmp_path_factory.mktemp("published")
    shared = own.parents[1] if "PYTEST_XDIST_WORKER" in os.environ else own
    return published.publish_once(shared, own / "public of this process")
