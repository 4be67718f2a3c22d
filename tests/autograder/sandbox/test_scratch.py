"""Nothing stays among the temporary files: a run clears up, and what a killed one left goes with the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.pool import Pool
from autograder.sandbox import choose_plan, kernel, landlock, prove, scratch
from autograder.sandbox.scratch import MARK, PREFIX, sweep
from tests.support import vault

pytestmark = pytest.mark.skipif(not kernel.LINUX, reason="grading needs Linux")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is where temporary files go, as /tmp is: in reach of everybody."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    folder.chmod(0o1777)
    for above in folder.parents:
        if above.stat().st_uid == os.geteuid() and above.is_relative_to(tempfile.gettempdir()):
            above.chmod(above.stat().st_mode | 0o011)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def left_by_a_killed_run(temporary: Path) -> Path:
    """Return the folder of a process that was killed while it had one."""
    code = "from autograder.sandbox import scratch\nwith scratch() as it: print(it, flush=True); input()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        process.kill()
    assert folder.parent == temporary
    assert folder.is_dir()
    return folder


def test_it_is_private_and_ends_with_its_block(temporary: Path) -> None:
    with scratch() as folder:
        assert folder.stat().st_mode & 0o7777 == 0o700
        (folder / "deep").mkdir()
        (folder / "deep" / "file").touch()
    assert list(temporary.iterdir()) == []


def test_what_a_killed_run_left_goes_with_the_next(temporary: Path) -> None:
    stale = left_by_a_killed_run(temporary)
    (stale / "file").touch()
    with scratch() as folder:
        assert list(temporary.iterdir()) == [folder]
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_living_run_stays(temporary: Path) -> None:
    with scratch() as first, scratch() as second:
        sweep()
        assert {first, second} == set(temporary.iterdir())


def test_another_run_leaves_the_folder_of_a_living_one(temporary: Path) -> None:
    with scratch() as folder:
        code = "from autograder.sandbox.scratch import sweep; sweep()"
        subprocess.run([sys.executable, "-c", code], check=True)
        assert list(temporary.iterdir()) == [folder]


def test_other_folders_are_left_alone(temporary: Path) -> None:
    """Somebody may keep a class, or a course, in a folder that begins alike."""
    own = temporary / f"{PREFIX}homework"
    own.mkdir()
    (own / ".lock").touch()
    stale = left_by_a_killed_run(temporary)
    link = temporary / f"{PREFIX}link"
    link.symlink_to(stale)
    elsewhere = temporary / "elsewhere"
    stale.rename(elsewhere)
    sweep()
    assert set(temporary.iterdir()) == {own, link, elsewhere}
    assert (own / ".lock").exists()


@as_root
def test_the_folders_and_marks_of_others_are_left_alone(temporary: Path) -> None:
    """Root must not remove what somebody else made to look stale."""
    theirs, marked = temporary / f"{PREFIX}theirs", temporary / f"{PREFIX}marked"
    for folder in (theirs, marked):
        folder.mkdir()
        (folder / MARK).touch()
    os.chown(theirs, 65534, 65534)
    os.chown(marked / MARK, 65534, 65534)
    pointing = temporary / f"{PREFIX}pointing"
    pointing.mkdir()
    (pointing / MARK).symlink_to(temporary / "target")
    (temporary / "target").touch()
    sweep()
    assert {path.name for path in temporary.iterdir()} == {
        theirs.name,
        marked.name,
        pointing.name,
        "target",
    }


def test_the_proof_leaves_nothing(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where a layer is missing, so that a confined child makes a file that it may not remove."""
    here = set(Path.cwd().iterdir()) | set(Path("/").iterdir())
    plan = choose_plan(weak=True)
    prove(plan)
    if plan.filesystem == "landlock":
        monkeypatch.setattr(landlock, "enter", lambda rules: None)
        made = {t.escape for t in prove(plan)["filesystem"].trials if not t.held}
        assert "make a file where it could" in made
        if plan.root:
            prove(replace(plan, dedicated_uids=False, keep_search=False))
    assert list(temporary.iterdir()) == []
    assert here >= {path for path in (*Path("/").iterdir(), *Path.cwd().iterdir()) if PREFIX in path.name}


def test_a_killed_grader_host_leaves_nothing_for_long(tmp_path: Path, temporary: Path) -> None:
    vault.write_course(tmp_path / "course")
    course = Course.load(tmp_path / "course")
    assignment = assignments.load(course, "vault")
    with Pool(assignment, course, jobs=1, sandbox="full") as pool:
        (stale,) = temporary.iterdir()
        os.kill(pool.pid, signal.SIGKILL)
    assert stale.is_dir()
    with Pool(assignment, course, jobs=1, sandbox="full"):
        assert stale not in set(temporary.iterdir())
    assert list(temporary.iterdir()) == []
