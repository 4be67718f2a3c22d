"""What a bundle of the tiny course holds, without grading anything: for tests of how it is packed."""

from __future__ import annotations

from pathlib import Path

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.pool import Pool
from autograder.exporters.servers import bundles, contents, find_server
from autograder.exporters.servers.interface import Contents
from autograder.scoring import PlannedTest
from tests.support import tiny


def collect(
    root: Path,
    server: str,
    settings: str,
    *,
    plan: tuple[PlannedTest, ...] = (),
    assignment: str = "",
    **parts: str,
) -> Contents:
    """Write the tiny course into a folder, and collect what a bundle of it holds.

    Parameters
    ----------
    settings : str
        Lines of ``[servers.SERVER]`` in ``course.toml``.
    plan : tuple of PlannedTest
        Of the suite, where it is known already.
    assignment : str
        Lines at the end of ``assignment.toml``, after those of the last task.
    **parts
        As `tests.support.tiny.write_course` takes them.
    """
    _, loaded = tiny.write_course(root, **parts)
    with (root / "course.toml").open("a") as file:
        file.write(f"\n[servers.{server}]\n{settings}\n")
    with loaded.file.open("a") as file:
        file.write(f"{assignment}\n")
    course, target = Course.load(root), find_server(server)
    chosen = bundles.settings_of(course, target)
    loaded = assignments.load(course, "tiny")
    if not plan:
        with Pool(loaded, course, jobs=1, sandbox="weak") as pool:
            plan = pool.plan
    return contents.collect(course, loaded, target, chosen, plan)
