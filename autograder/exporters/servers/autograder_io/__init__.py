"""autograder.io: a project whose set-up command grades, and whose test cases print what was found.

What is known of the server is in its documentation, https://eecs-autograder.github.io/autograder.io/, and in
the package `autograder-cli`, which brings the schema of its API and models of ``agproject.yml``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.exporters.servers.autograder_io.bundle import answer, pack, receive
from autograder.exporters.servers.autograder_io.settings import MAX_SECONDS, Settings
from autograder.exporters.servers.interface import Limits, Server, Website


def _upload(course: Course, assignment: Assignment, settings: Any, folder: Path, token_file: str) -> str:
    from autograder.exporters.servers.autograder_io import upload

    return upload.upload(course, assignment, settings, folder, token_file)


def _fetch(course: Course, assignment: Assignment, settings: Any, token_file: str) -> str:
    from autograder.exporters.servers.autograder_io import scores

    return scores.fetch(course, assignment, settings, token_file)


SERVER = Server(
    name="autograder_io",
    title="autograder.io",
    limits=Limits(memory_mb=4000, cores=1, seconds=MAX_SECONDS, most_seconds=MAX_SECONDS),
    settings=Settings,
    pack=pack,
    archive="",
    receive=receive,
    answer=answer,
    website=Website(_upload, token_file=".agtoken", fetch=_fetch),
)
