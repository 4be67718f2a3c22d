"""Submitty: a zip that configures a gradeable, and an image that grades in a container of its own.

What is known of the server is in its documentation, https://submitty.org/instructor, and in the description
of its API, https://api.submitty.org.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.exporters.servers.interface import Server, Website
from autograder.exporters.servers.submitty.bundle import answer, pack, receive
from autograder.exporters.servers.submitty.settings import LIMITS, Settings


def _upload(course: Course, assignment: Assignment, settings: Any, folder: Path, token_file: str) -> str:
    from autograder.exporters.servers.submitty import upload

    return upload.upload(course, assignment, settings, folder, token_file)


SERVER = Server(
    name="submitty",
    title="Submitty",
    limits=LIMITS,
    settings=Settings,
    pack=pack,
    archive="",
    receive=receive,
    answer=answer,
    website=Website(_upload, token_file=".submitty_token"),
)
