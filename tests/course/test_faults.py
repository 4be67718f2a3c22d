"""Whatever dies, fills up or changes under a run: nothing is lost or counted twice; a rerun repairs it."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.processes import by_role
from tests.support import tiny
from tests.support.command import run_command
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

STUDENTS = 12
KINDS = {
    "right": tiny.REFERENCE,
    "wrong": tiny.REFERENCE.replace("2 * x", "3 * x"),
    "raises": tiny.REFERENCE.replace("return 2 * x", "return 2 * y"),
    "stub": tiny.STUB,
    "exits": tiny.REFERENCE.replace("return 2 * x", "__import__('os')._exit(3)"),
    "broken": "def double(x:\n",
}
SLEEPY = "__import__('time').sleep(9)\n"
WEIGHTS = {"command": 1, "host": 1, "fork server": 1, "grading child": 4, "zygote": 3, "worker": 4}
"""Whom to kill, and how often: the first two end a run, after which a new one has to start."""
Outcome = tuple[float, list[tuple[str, str, float]]]


def without_progress(stderr: str) -> str:
    """Leave out the lines that a slow machine prints every now and then."""
    lines = stderr.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("Grading"))


@dataclass
class Scene:
    """A course, a class, and the command that grades it."""

    root: Path
    output: Path
    seen: set[int] = field(default_factory=set)
    """Every process of the engine that was ever there."""

    def start(self, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "autograder", *self._words(*more)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def grade(self, *more: str) -> subprocess.CompletedProcess[str]:
        done = run_command(self._words(*more))
        done.stderr = without_progress(done.stderr)
        return done

    def _words(self, *more: str) -> list[str]:
        words = ["grade", "tiny", str(self.root / "class"), "-o", str(self.output), "-j", "2", *more]
        return [*words, "--course", str(self.root / "course")]

    def outcomes(self) -> dict[str, Outcome]:
        """Return score and tests of every student, without what differs between two runs."""
        found = {}
        for path in sorted((self.output / "results").iterdir()):
            result = json.loads(path.read_text())
            assert result["student"] == path.stem
            tests = [(test["id"], test["status"], test["points"]) for test in result["tests"]]
            found[path.stem] = (result["score"], tests)
        return found

    def rows(self) -> dict[str, float]:
        """Return the gradebook, in which nobody may appear twice."""
        with (self.output / "grades.csv").open(encoding="utf-8") as file:
            rows = [(row["student"], float(row["score"])) for row in csv.DictReader(file)]
        assert len(dict(rows)) == len(rows)
        return dict(rows)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faults")
    tiny.write_course(root / "course")
    for number in range(STUDENTS):
        folder = root / "class" / f"s{number:02}"
        folder.mkdir(parents=True)
        (folder / "tiny_module.py").write_text(list(KINDS.values())[number % len(KINDS)])
    return root


@pytest.fixture(scope="module")
def undisturbed(root: Path) -> dict[str, Outcome]:
    scene = Scene(root, root / "undisturbed")
    done = scene.grade()
    assert done.returncode == 0, done.stderr
    found = scene.outcomes()
    assert len(found) == STUDENTS
    assert {score for score, _ in found.values()} == {10, 4, 0}
    return found


@pytest.fixture
def scene(root: Path, tmp_path: Path) -> Scene:
    return Scene(root, tmp_path / "graded")


# Processes


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def strike(scene: Scene, source: random.Random, wanted: int) -> dict[str, int]:
    """Kill what runs, at random moments, restarting the command when it dies; return how often by role."""
    struck = dict.fromkeys(WEIGHTS, 0)
    process = scene.start()
    while sum(struck.values()) < wanted:
        time.sleep(source.uniform(0.0, 0.2))
        if process.poll() is not None:
            stderr = process.communicate()[1]
            assert process.returncode in (0, 2, -signal.SIGKILL), stderr
            if process.returncode == 0:
                shutil.rmtree(scene.output)  # all graded: the next strikes hit a new class
            process = scene.start()
            continue
        living = by_role(process.pid)
        scene.seen.update(pid for pids in living.values() for pid in pids)
        if not living["worker"] and source.random() < 0.9:
            continue  # still starting; that, too, is hit now and then
        role = source.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        if living[role]:
            try:
                os.kill(source.choice(living[role]), signal.SIGKILL)
            except ProcessLookupError:
                continue
            struck[role] += 1
    process.kill()
    process.communicate()
    return struck


def require_sound(scene: Scene, undisturbed: dict[str, Outcome]) -> None:
    """Grade once more, and require that it is as if nothing had happened."""
    done = scene.grade()
    assert done.returncode == 0, done.stderr
    assert scene.outcomes() == undisturbed
    assert scene.rows() == {student: score for student, (score, _) in undisturbed.items()}
    assert sorted(path.stem for path in (scene.output / "feedback").glob("*.html")) == list(undisturbed)
    assert not list(scene.output.rglob(".draft-*"))
    assert not (scene.output / "pending").exists()
    until(lambda: not any(lives(pid) for pid in scene.seen), "every process has ended")


def test_five_kills(scene: Scene, undisturbed: dict[str, Outcome]) -> None:
    strike(scene, random.Random(5), 5)
    require_sound(scene, undisturbed)


@pytest.mark.full
def test_sixty_kills(scene: Scene, undisturbed: dict[str, Outcome]) -> None:
    struck = strike(scene, random.Random(60), 60)
    assert all(struck.values()), struck
    require_sound(scene, undisturbed)


def test_a_second_run_goes_on_where_the_first_was_killed(
    scene: Scene, undisturbed: dict[str, Outcome]
) -> None:
    process = scene.start()
    results = scene.output / "results"
    while not results.exists() or len(list(results.glob("*.json"))) < STUDENTS // 3:
        time.sleep(0.01)
        assert process.poll() is None
    process.kill()
    process.communicate()
    kept = {path: path.stat().st_mtime_ns for path in results.glob("*.json")}
    done = scene.grade()
    assert f"{len(kept)} of {STUDENTS} results were up to date and kept" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert scene.outcomes() == undisturbed


def test_ctrl_c_is_clean_and_the_next_run_goes_on(
    root: Path, tmp_path: Path, undisturbed: dict[str, Outcome]
) -> None:
    shutil.copytree(root / "class", tmp_path / "class")
    (tmp_path / "course").symlink_to(root / "course")
    scene = Scene(tmp_path, tmp_path / "graded")
    for student in ("y", "z"):  # one for each slot, so that the run cannot end before it is interrupted
        (tmp_path / "class" / student).mkdir()
        (tmp_path / "class" / student / "tiny_module.py").write_text(f"{SLEEPY}{tiny.REFERENCE}")
    process = scene.start()
    results = scene.output / "results"
    until(lambda: list(results.glob("*.json")), "a result is there")
    for pids in by_role(process.pid).values():
        scene.seen.update(pids)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert without_progress(stderr).count("\n") == 1
    assert "are graded and kept; the same command continues from here" in stderr
    for student in ("y", "z"):
        shutil.rmtree(tmp_path / "class" / student)
    require_sound(scene, undisturbed)


def test_two_runs_at_a_time_are_refused(scene: Scene, undisturbed: dict[str, Outcome]) -> None:
    process = scene.start()
    until((scene.output / "results").exists, "the first run has begun to grade")
    process.send_signal(signal.SIGSTOP)
    second = scene.grade()
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=PATIENCE)
    assert (process.returncode, second.returncode) == (0, 2)
    assert "another command is writing to it" in second.stderr
    assert second.stderr.count("\n") == 1
    assert scene.outcomes() == undisturbed


# Files


@pytest.fixture
def small_disk(scene: Scene) -> Iterator[Path]:
    """Make the output's folder a disk that is too small; needs root, and says so where it cannot."""
    scene.output.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={11 * STUDENTS}k,mode=700", "tmpfs", str(scene.output)]
    if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("mounting a disk needs root")
    yield scene.output
    subprocess.run(["umount", "-l", str(scene.output)], check=True)


def test_a_full_disk_is_one_line_and_loses_nothing(
    scene: Scene, small_disk: Path, undisturbed: dict[str, Outcome]
) -> None:
    done = scene.grade()
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "cannot be written (No space left on device)" in done.stderr
    kept = scene.outcomes()
    assert 0 < len(kept) < STUDENTS
    assert kept == {student: undisturbed[student] for student in kept}
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    require_sound(scene, undisturbed)


def test_damaged_results_are_named_and_nothing_is_touched(
    scene: Scene, undisturbed: dict[str, Outcome]
) -> None:
    scene.grade()
    path = scene.output / "results" / "s07.json"
    path.write_text(path.read_text()[:-500])
    before = {other: other.read_bytes() for other in scene.output.rglob("*.*")}
    done = scene.grade()
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {path}: is not a result that this version of the kit wrote; move it away and grade again\n"
    )
    assert {other: other.read_bytes() for other in scene.output.rglob("*.*")} == before
    path.unlink()
    require_sound(scene, undisturbed)


def test_what_changes_while_it_is_graded_is_named(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "class", tmp_path / "class")
    (tmp_path / "course").symlink_to(root / "course")
    scene = Scene(tmp_path, tmp_path / "graded")
    process = scene.start()
    until((scene.output / "results").exists, "the run has begun to grade")
    process.send_signal(signal.SIGSTOP)
    changed = tmp_path / "class" / "s00" / "tiny_module.py"
    changed.write_text(KINDS["wrong"])
    shutil.rmtree(tmp_path / "class" / "s01")
    process.send_signal(signal.SIGCONT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "these changed while the class was graded; run the command again: s00; s01" in stderr
    assert scene.outcomes()["s00"][0] == 10, "what was read at first was graded"
    scene.grade()
    assert scene.outcomes()["s00"][0] == 4


def test_folders_that_cannot_be_read_cost_their_student_only(root: Path, tmp_path: Path) -> None:
    from autograder import course, intake
    from autograder.course import assignment

    shutil.copytree(root / "class", tmp_path / "class")
    (tmp_path / "class" / "s00" / "tiny_module.py").unlink()
    (tmp_path / "class" / "s00" / "tiny_module.py").mkdir()
    (tmp_path / "class" / "s01" / "tiny_module.py").chmod(0)
    here = course.Course.load(root / "course")
    program = (
        "import os, sys; os.geteuid() or os.setresuid(65534, 65534, 65534)\n"
        "print(os.access(sys.argv[1], os.R_OK))\n"
    )
    path = str(tmp_path / "class" / "s01" / "tiny_module.py")
    asked = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    handin = intake.read_class(tmp_path / "class", assignment.load(here, "tiny"))
    problems = {one.student: one.problem for one in handin.submissions if one.problem}
    assert problems.pop("s00") == "tiny_module.py is missing."
    if os.geteuid() != 0:  # root reads everything
        assert problems.pop("s01") == "tiny_module.py cannot be read (Permission denied)."
    assert asked.stdout == "False\n"
    assert not problems


def test_no_decision_hangs_on_the_clock(
    scene: Scene, undisturbed: dict[str, Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A clock that jumps by years changes neither scores nor what is up to date."""
    jump = tmp_path / "sitecustomize.py"
    jump.write_text(
        "import itertools, time\n"
        "real, jumps = time.time, itertools.cycle([0, 3e8, -3e8])\n"
        "time.time = lambda: real() + next(jumps)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    done = scene.grade()
    assert done.returncode == 0, done.stderr
    assert scene.outcomes() == undisturbed
    assert f"{STUDENTS} of {STUDENTS} results were up to date" in scene.grade().stderr
