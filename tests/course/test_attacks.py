"""The corpus of attacks, graded as a class: none gains a point, learns a secret or leaves a trace.

`attacks/` holds the submissions, `attacks/corpus.toml` what each is worth, `vault.py` the course that they
attack. They are graded twice: by the command line, confined, beside two honest neighbors; and some of them
unconfined, to show that there they work.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autograder import intake
from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.interface import Graded
from autograder.engine.pool import Pool
from autograder.graded.results import Provenance, SubmissionResult
from autograder.scoring import score
from helpers.statuses import Status
from tests.support import bounded, corpus, levels, vault
from tests.support.corpus import CORPUS, Attack

PROVENANCE = Provenance(kit="", suite="", python="", torch="", numpy="", machine="", secret="", limits={})
SET_SUBREAPER = 36
TRIED = re.compile(r"^tried: (.*): (refused|found nothing|done|reached|broke)(.*)$", re.MULTILINE)


NEIGHBORS = ("ada", "zoe")
NEEDS_FILES = {"01_open_hidden_tests", "16_patch_pytest", "33_skip_at_import"}
"""Attacks of which a part cannot even be tried where there are no files to walk, and no pytest to import."""
each_attack = pytest.mark.parametrize("attack", CORPUS, ids=lambda attack: attack.file)
each_score = pytest.mark.parametrize(
    "attack",
    [
        pytest.param(a, id=a.file, marks=[pytest.mark.xfail(reason=a.gap, strict=True)] if a.gap else [])
        for a in CORPUS
    ],
)


class Listeners:
    """Sockets on which whatever leaves a worker would arrive."""

    def __init__(self, folder: Path) -> None:
        self.tcp, self.udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.unix, self.abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
        self.path, self.name = str(folder / "socket"), f"coursegrad-{os.getpid()}-{folder.name}"
        for listener, address in (
            (self.tcp, ("127.0.0.1", 0)),
            (self.udp, ("127.0.0.1", 0)),
            (self.unix, self.path),
            (self.abstract, f"\0{self.name}"),
        ):
            listener.bind(address)
            listener.setblocking(False)
        for listener in (self.tcp, self.unix, self.abstract):
            listener.listen(100)

    def places(self) -> dict[str, Any]:
        """Return what an attacker must know to reach them."""
        return {
            "tcp": self.tcp.getsockname()[1],
            "udp": self.udp.getsockname()[1],
            "unix": self.path,
            "abstract": self.name,
        }

    def arrived(self) -> list[str]:
        """Name the listeners that somebody reached."""
        found = []
        for name in ("tcp", "unix", "abstract", "udp"):
            listener = getattr(self, name)
            try:
                _ = listener.recvfrom(10) if name == "udp" else listener.accept()
            except BlockingIOError:
                continue
            found.append(name)
        return found

    def close(self) -> None:
        """Close all sockets."""
        for listener in (self.tcp, self.udp, self.unix, self.abstract):
            listener.close()


@dataclass
class Scene:
    """A course, a class of attackers and neighbors, and where its results go."""

    root: Path
    listeners: Listeners
    confined: bool = True
    cpu_seconds: int = vault.CPU_SECONDS

    def __post_init__(self) -> None:
        self.course, self.students, self.output = (self.root / name for name in ("course", "class", "graded"))
        vault.write_course(self.course, cpu_seconds=self.cpu_seconds)
        self.loaded = Course.load(self.course)
        self.secret = self.loaded.secret().hex()
        places = self.listeners.places() | {
            "course": str(self.course),
            "suite": str(self.course / "autograder/suites/vault/test_hidden.py"),
            "reference": str(self.course / "solutions/vault/vault.py"),
            "secret": str(self.loaded.secret_file),
            "class": str(self.students),
            "output": str(self.output),
            "confined": self.confined,
        }
        self.toolbox = corpus.make_toolbox(places)

    def hand_in(self, student: str, source: str, extras: dict[str, str] | None = None) -> Path:
        """Write one student's folder."""
        folder = self.students / student
        for name, text in {"vault.py": source, "toolbox.py": self.toolbox, **(extras or {})}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text.replace("@PWNED@", str(self.output / "PWNED")))
        return folder

    def hand_in_attack(self, attack: Attack) -> None:
        """Write the folder of an attack."""
        folder = self.hand_in(attack.file, attack.source, attack.extras)
        for path, content in attack.compiled_files().items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_bytes(content)

    def fingerprint(self) -> dict[str, str]:
        """Return a digest of every file of the course and of the class."""
        files = [
            path
            for place in (self.course, self.students)
            for path in place.rglob("*")
            if path.is_file() and "preflight" not in path.parts  # the command's own record
        ]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""
"""A small process between this one and the grader: the kernel counts a parent's memory as its child's first,
and these tests may take more of it than the grader does."""


@dataclass
class Run:
    """What the confined run left behind."""

    level: str
    scene: Scene
    before: dict[str, str]
    finished: subprocess.CompletedProcess[str]
    seconds: float
    peak_mb: float
    orphans: set[str]
    results: dict[str, SubmissionResult]
    pages: dict[str, str]

    def output_of(self, attack: Attack) -> str:
        """Return all that the instructor sees of what an attack printed."""
        return "\n".join(test.output for test in self.results[attack.file].tests)


@pytest.fixture(
    scope="module",
    params=["as-it-is", *(pytest.param(level, marks=pytest.mark.full) for level in levels.LEVELS)],
)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Grade the corpus; on the machine as it is, and elsewhere."""
    level = request.param
    if level != "as-it-is" and os.geteuid() != 0:
        pytest.skip(f"only root can make this machine into: {level}")
    with ExitStack() as stack:
        root = tmp_path_factory.mktemp(f"confined-{level}")
        allowed = 1 if level == "as-it-is" else vault.CPU_SECONDS  # memory is not dear there
        scene = Scene(root, Listeners(root), cpu_seconds=allowed)
        stack.callback(scene.listeners.close)
        for student in NEIGHBORS:
            scene.hand_in(student, vault.REFERENCE + "\n# CANARY-neighbor\n")
        for attack in CORPUS:
            scene.hand_in_attack(attack)
        before, started, children = scene.fingerprint(), time.monotonic(), _children()
        _adopt_orphans(True)
        stack.callback(_adopt_orphans, False)
        command = [sys.executable, "-X", "canary=CANARY-command", "-m", "autograder", "grade", "vault"]
        size = bounded.MEMORY.get(level)
        memory = stack.enter_context(bounded.Memory(root, size)) if size else None
        if level != "as-it-is":
            command = [sys.executable, levels.__file__, level, str(root), *command]
        options = ["--output", scene.output, "--course", scene.course, "--jobs", "2"]
        peak = root / "peak"
        finished = subprocess.run(
            [sys.executable, "-c", MEASURED, peak, *command, scene.students, *options],
            env=os.environ | {"GITHUB_TOKEN": "CANARY-token", "SSH_AUTH_SOCK": scene.listeners.path},
            text=True,
            capture_output=True,
            check=False,
            preexec_fn=memory.join if memory else None,
        )
        results = {
            path.stem: SubmissionResult.model_validate_json(path.read_bytes())
            for path in (scene.output / "results").glob("*.json")
        }
        pages = {path.stem: path.read_text() for path in (scene.output / "feedback").glob("*.html")}
        seconds = time.monotonic() - started
        if memory:
            print(f"{level}: {memory.peak() / 2**20:.0f} MB at most")
        peak_mb = int(peak.read_text()) / 1024
        yield Run(level, scene, before, finished, seconds, peak_mb, _children() - children, results, pages)


def _adopt_orphans(adopt: bool) -> None:
    """Become the parent of every descendant whose own parent ends, so that none can hide."""
    assert ctypes.CDLL(None).prctl(SET_SUBREAPER, int(adopt), 0, 0, 0) == 0


def _children() -> set[str]:
    """Return the living; where the memory ends, the host kills a zygote, and nobody awaits its workers."""
    tasks = Path("/proc/self/task").glob("*/children")
    found = {pid for task in tasks for pid in task.read_text().split()}
    return {pid for pid in found if ") Z " not in Path(f"/proc/{pid}/stat").read_text()}


# The class as a whole


def test_the_run_ends_in_good_order(run: Run) -> None:
    assert run.finished.returncode == 0, run.finished.stderr[-2000:]
    assert set(run.results) == set(run.pages) == {*NEIGHBORS, *(attack.file for attack in CORPUS)}
    assert {result.sandbox.level for result in run.results.values()} == {"full"}
    left = {path.relative_to(run.scene.output).parts[0] for path in run.scene.output.rglob("*")}
    assert left == {".lock", "results", "feedback", "report.html", "grades.csv", "notes.json"}


@pytest.mark.parametrize("student", NEIGHBORS)
def test_a_neighbors_score_is_untouched(run: Run, student: str) -> None:
    assert run.results[student].score == vault.TOTAL
    assert {test.points - test.max_points for test in run.results[student].tests} == {0}


def test_no_attack_holds_its_slot_longer_than_its_wall_time(run: Run) -> None:
    # The floods wait for two deadlines of 6 seconds each; no other attack waits for more than one. The rest
    # is compared with what honest work takes beside it, on a machine that may be busy.
    honest = max(run.results[student].seconds for student in NEIGHBORS)
    assert max(result.seconds for result in run.results.values()) < 2 * vault.WALL_SECONDS + 20 * honest + 5


def test_no_process_of_the_run_took_much_memory(run: Run) -> None:
    # Some attacks announce exabytes; what was ever resident in one process stays near that of torch alone.
    assert run.peak_mb < 800


def test_the_gradebook_says_the_same(run: Run) -> None:
    rows = [line.split(",")[:4] for line in (run.scene.output / "grades.csv").read_text().splitlines()[1:]]
    assert {student: (float(points), float(top)) for student, _, points, top in rows} == {
        student: (result.score, vault.TOTAL) for student, result in run.results.items()
    }


def test_nothing_left_a_worker_by_a_socket(run: Run) -> None:
    assert run.scene.listeners.arrived() == []


def test_no_file_was_written_or_changed(run: Run) -> None:
    after = run.scene.fingerprint()
    assert after.keys() - run.before.keys() == set()
    assert run.before.items() <= after.items()
    for place in (run.scene.root, Path("/tmp"), Path("/dev/shm"), Path("/var/tmp"), Path.cwd()):
        pattern = "**/PWNED*" if place == run.scene.root else "PWNED*"
        assert list(place.glob(pattern)) == []


def test_no_process_was_left_behind(run: Run) -> None:
    assert run.orphans == set()


def test_no_secret_of_the_machine_reaches_even_the_instructors_files(run: Run) -> None:
    for student, result in run.results.items():
        text = json.dumps(result.model_dump(mode="json"))
        for canary in (
            "CANARY-token",
            "CANARY-command",
            "CANARY-neighbor",
            "CANARY-suite",
            run.scene.secret,
        ):
            assert canary not in text, student


def test_no_hidden_value_reaches_a_student(run: Run) -> None:
    numbers = {str(int(value)) for value in vault.SECRET_VALUES} | {str(vault.SECRET_NUMBER)}
    labels = (str(list(vault.SECRET_LABELS))[1:-1], "".join(map(str, vault.SECRET_LABELS)))
    canaries = {"CANARY", *numbers, str(vault.SECRET_STEP), *labels, run.scene.secret}
    for student, result in run.results.items():
        shown = [test.feedback.model_dump_json() for test in result.tests if test.feedback]
        for canary in canaries:
            assert not any(canary in text for text in shown), (student, canary)
            assert canary not in run.pages[student], (student, canary)


def test_no_page_holds_markup_of_a_student(run: Run) -> None:
    for student, page in run.pages.items():
        for markup in ("<script", "<img", "onerror=alert(1)>", "\x1b", "\u202e", "\u2066", "\u200b", "\x07"):
            assert markup not in page, student
    assert "&lt;script&gt;" in run.pages["14_tell_by_page"]
    assert "{{ 7 * 7 }}" in run.pages["14_tell_by_page"]


# Every attack


@each_score
def test_an_attack_scores_its_honest_part(run: Run, attack: Attack) -> None:
    result = run.results[attack.file]
    assert (result.score, result.max_score) == (attack.points, vault.TOTAL)


@each_attack
def test_an_attack_tried_what_it_announces_and_reached_nothing(run: Run, attack: Attack) -> None:
    found = TRIED.findall(run.output_of(attack))
    tried = {what for what, _, _ in found}
    reached = {what for what, outcome, _ in found if outcome == "reached"}
    assert [entry for entry in found if entry[1] == "broke"] == []
    assert reached <= set(attack.reached)
    if run.level == "old-container" and attack.file in NEEDS_FILES:
        return
    assert attack.announced <= tried
    if run.level == "as-it-is":
        assert reached == set(attack.reached)
    if attack.says is not None:
        said = [test.feedback.summary for test in run.results[attack.file].tests if test.feedback]
        assert any(re.search(attack.says, text) for text in said), said
    else:
        assert len(tried) >= attack.markers


def test_the_initial_stack_was_really_read(run: Run) -> None:
    output = "\n".join(test.output for test in run.results["08_initial_stack"].tests)
    assert "see the zygote's own arguments there: True" in output
    assert "read more than a megabyte of the heap" in output


# A suite that trusts what it gets

CARELESS = '''import pytest
import torch

import vault


@pytest.mark.task("scale")
def test_by_hand():
    """Compares by hand."""
    assert (vault.scale(torch.ones(2), 1.0) - torch.ones(1000)).abs().max() < 1e-6


@pytest.mark.task("scale")
def test_steps():
    """Does as many steps as it is told."""
    for _ in range(vault.scale(1, 1)):
        torch.ones(1).add_(1)


@pytest.mark.task("twice")
def test_twice_again():
    """Applies a function twice."""
    assert vault.twice(lambda x: x + 1, 0) == 2
'''

GREEDY = """
import torch

def scale(x, factor):
    return torch.ones(1_250_000, 1) if isinstance(x, torch.Tensor) else 10**12

def twice(function, x):
    return function(function(x))
"""


def test_a_test_that_is_made_to_work_too_hard_fails_alone(tmp_path: Path) -> None:
    vault.write_course(tmp_path, hidden=CARELESS, wall_seconds=2)
    course = Course.load(tmp_path)
    files = {"vault.py": GREEDY.encode(), "toolbox.py": b"NOTHING = None"}
    with Pool(assignments.load(course, "vault"), course, jobs=1, sandbox="full") as pool:
        (graded,) = pool.grade([intake.Submission("eve", tmp_path, files)])
    assert graded.note is None
    found = {outcome.id.partition("::")[2]: outcome for outcome in graded.outcomes}
    assert "can't allocate memory: you tried to allocate 5000000000 bytes" in found["test_by_hand"].detail
    assert found["test_by_hand"].status is Status.memory
    assert found["test_steps"].status is Status.timeout
    assert found["test_twice_again"].status is found["test_twice"].status is Status.passed


# Without a sandbox, some of them work


@pytest.fixture(scope="module")
def unconfined(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Graded, float]]:
    root = tmp_path_factory.mktemp("unconfined")
    scene = Scene(root, Listeners(root), confined=False)
    scene.output.mkdir()
    for attack in CORPUS:
        if attack.unconfined or attack.unconfined_points is not None:
            scene.hand_in_attack(attack)
    assignment = assignments.load(scene.loaded, "vault")
    handin = intake.read_class(scene.students, assignment)
    found = {}
    with Pool(assignment, scene.loaded, jobs=2, sandbox="none") as pool:
        for graded in pool.grade(handin.submissions):
            result = score(
                assignment,
                pool.plan,
                graded.submission,
                graded.outcomes,
                sandbox=pool.sandbox,
                provenance=PROVENANCE,
            )
            found[graded.submission.student] = (graded, result.score)
    scene.listeners.close()
    return found


@pytest.mark.parametrize("attack", [a for a in CORPUS if a.unconfined], ids=lambda attack: attack.file)
def test_without_a_sandbox_an_attack_reaches_secrets(
    unconfined: dict[str, tuple[Graded, float]], attack: Attack
) -> None:
    output = "\n".join(outcome.output for outcome in unconfined[attack.file][0].outcomes)
    reached = {what for what, outcome, _ in TRIED.findall(output) if outcome == "reached"}
    assert set(attack.unconfined) <= reached


@pytest.mark.parametrize(
    "attack", [a for a in CORPUS if a.unconfined_points is not None], ids=lambda attack: attack.file
)
def test_without_a_sandbox_an_attack_earns_points(
    unconfined: dict[str, tuple[Graded, float]], attack: Attack
) -> None:
    assert attack.unconfined_points is not None
    assert unconfined[attack.file][1] == attack.unconfined_points > attack.points
