"""What a course says about Submitty in ``[servers.submitty]`` of ``course.toml``."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from autograder.exporters.servers.interface import Address, Limits, ServerSettings, validator
from autograder.exporters.servers.points import Scale

LIMITS: Final = Limits(memory_mb=2048, cores=1, seconds=600, most_seconds=3600)
NAME: Final = r"[A-Za-z0-9_-]+"
"""What Submitty takes as the name of a term, a course or a gradeable."""
Name = Annotated[str, validator(NAME, "letters, digits, hyphens and underscores")]
Folder = Annotated[
    str, validator(r"(?:/[\w-][\w.-]*)+/?", "the path of a folder there, such as '/var/local/configurations'")
]


class Settings(ServerSettings):
    """What a course may say about Submitty.

    Attributes
    ----------
    image : str
        What the image with the grader is called on Docker Hub.
    scale : int or None
        How many points there stand for one of ours, since they are whole numbers there.
    url : str or None
        Address of the server, without a slash at the end. Like term and course, only an upload needs it.
    semester, course : str or None
        Term and course as addresses there name them: ``"f26"`` and ``"dl"``.
    gradeables : dict of str to str
        Assignment to the id of its gradeable there, where that is not its name.
    config : str or None
        Folder of the server in which configurations lie unpacked, each in a folder named as its assignment;
        None if they are uploaded on the page of a gradeable.
    """

    image: Annotated[
        str,
        validator(
            r"[a-z0-9._-]+/[a-z0-9._-]+:[\w.-]+",
            "the name of an image on Docker Hub, such as 'university/coursegrad:2026'",
        ),
    ]
    scale: Scale = None
    url: Address | None = None
    semester: Name | None = None
    course: Name | None = None
    gradeables: dict[str, Name] = Field(default_factory=dict)
    config: Folder | None = None
