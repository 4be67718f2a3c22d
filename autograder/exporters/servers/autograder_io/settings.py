"""What a course says about autograder.io in ``[servers.autograder_io]`` of ``course.toml``."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from autograder.course.assignment import Assignment
from autograder.exporters.servers.interface import Address, ServerSettings
from autograder.exporters.servers.points import Scale

MAX_SECONDS: Final = 90
"""What a command gets there at most."""


class Settings(ServerSettings):
    """What a course may say about autograder.io.

    Attributes
    ----------
    course : str
        What the course is called there.
    semester : {"Fall", "Winter", "Spring", "Summer"} or None
        Its term.
    year : int or None
        Its year.
    projects : dict of str to str
        Assignment to what its project is called there, where that is not its title.
    url : str
        Address of the server, without a slash at the end.
    image : str
        Name of the sandbox image that grades; by default it says what is installed in it.
    scale : int or None
        Points there for one point here, since autograder.io counts whole points only. By default the smallest
        number that keeps every score exact.
    """

    course: Annotated[str, Field(min_length=1)]
    semester: Literal["Fall", "Winter", "Spring", "Summer"] | None = None
    year: Annotated[int, Field(ge=2000, le=2200, strict=True)] | None = None
    projects: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    url: Address = "https://autograder.io"
    image: str = ""
    scale: Scale = None
    seconds: Annotated[int, Field(ge=30, le=MAX_SECONDS, strict=True)] | None = None

    @property
    def term(self) -> str:
        """The course as people there call it."""
        return " ".join(str(part) for part in (self.course, self.semester, self.year) if part)

    def project_of(self, assignment: Assignment) -> str:
        """Return what the project of an assignment is called."""
        return self.projects.get(assignment.name, assignment.title)
