"""What a submission server is to the kit: what a bundle for it holds, and how it is told a result.

A server is one module of this room, which makes one `Server`. Of its functions, `pack` runs on the
instructor's machine, and `receive` and `answer` run on the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from autograder import settings
from autograder.course import Course
from autograder.course.assignment import Assignment
from autograder.graded.records import Record
from autograder.scoring import PlannedTest


@dataclass(frozen=True)
class BundleFile:
    """One file of a bundle."""

    content: bytes
    executable: bool = False


Files = dict[str, BundleFile]
"""Path in the bundle, with slashes, to the file."""


@dataclass(frozen=True)
class Limits:
    """What a server gives one submission, unless somebody raises it there.

    Attributes
    ----------
    memory_mb : int
        Memory of everything together.
    cores : float
        Processor cores; half a one where a container gets half of the time.
    seconds, most_seconds : int
        Time on the clock: as it is, and as far as it can be raised.
    """

    memory_mb: int
    cores: float
    seconds: int
    most_seconds: int


def validator(pattern: str, expected: str) -> AfterValidator:
    """Return what checks a setting: all of it matches a pattern, or a message says what was expected."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"expected {expected}")
        return value

    return AfterValidator(check)


Index = Annotated[
    str, validator(r"https?://[\w.:/@~%+-]+", "the address of an index, such as 'https://pypi.org/simple'")
]
"""The address of a package index; scripts quote it as it is."""

Address = Annotated[
    str,
    validator(
        r"https://[\w.:-]+/?|http://(?:localhost|127\.0\.0\.1)(?::\d+)?/?",
        "an address such as 'https://autograder.io'; a token needs https",
    ),
    AfterValidator(lambda value: value.removesuffix("/")),
]
"""The address of a server that a token is sent to, without a slash at the end."""


class ServerSettings(settings.TomlTable):
    """What a course may say about a server in ``[servers.NAME]`` of ``course.toml``; servers add to it.

    Attributes
    ----------
    memory_mb, seconds : int or None
        What containers get there, where somebody has raised it.
    hidden : {"shown", "closed", "never"}
        When students see hidden checks: at once, when the assignment is over, or not at all.
    index, torch_index : str
        Package indexes to install from: of all packages, and of PyTorch's wheel for processors without a GPU.
    weak_sandbox : bool
        Grade even where the server cannot confine student code fully.
    """

    memory_mb: Annotated[int, Field(ge=128, strict=True)] | None = None
    seconds: Annotated[int, Field(ge=30, strict=True)] | None = None
    hidden: Literal["shown", "closed", "never"] = "closed"
    index: Index = "https://pypi.org/simple"
    torch_index: Index = "https://download.pytorch.org/whl/cpu"
    weak_sandbox: bool = False


@dataclass(frozen=True)
class Contents:
    """What every bundle of an assignment holds, whatever the server.

    Attributes
    ----------
    course, assignment
        What it is made of.
    plan : tuple of PlannedTest
        The tests with what they are worth.
    files : dict of str to BundleFile
        Kit, suite, key and requirements, below the folder that a server has for them.
    settings : ServerSettings
        What the course says about this server.
    python : str
        Version of Python that grades, such as ``"3.11"``.
    """

    course: Course
    assignment: Assignment
    plan: tuple[PlannedTest, ...]
    files: Files
    settings: Any
    python: str


class Manifest(BaseModel):
    """What a bundle says about itself, for the program that grades with it.

    Attributes
    ----------
    format : int
        Of this file.
    server, assignment, kit : str
        Whom it is for, what it grades, and the version of the kit that made it.
    python : str
        Version of Python that it was made for.
    settings : dict
        What the course says about the server.
    files : dict of str to str
        Path of each file of the course in the bundle to its SHA-256, so that none is lost or changed unseen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    server: str
    assignment: str
    kit: str
    python: str
    settings: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """One submission, as a server hands it to a bundle.

    Attributes
    ----------
    folder : Path
        Where its files lie.
    student, name : str
        Whose it is; empty where the server does not tell.
    submitted_at : datetime or None
        When the server received it, by the server's own word.
    due_at : datetime or None
        When it was due there.
    facts : mapping of str to str
        What else the server tells, for the answer to repeat.
    """

    folder: Path
    student: str = ""
    name: str = ""
    submitted_at: datetime | None = None
    due_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """A graded submission, for a server to be told.

    Attributes
    ----------
    record : Record
        The result.
    delivery : Delivery
        What was graded.
    course, assignment
        Of the bundle; the assignment has the tasks alone that were graded.
    settings : ServerSettings
        Those of the server.
    seconds : float
        Time on the clock that grading took.
    complete : bool
        Whether every check ran; otherwise time ran out, or grading has not come so far.
    """

    record: Record
    delivery: Delivery
    course: Course
    assignment: Assignment
    settings: Any
    seconds: float
    complete: bool


@dataclass(frozen=True)
class Website:
    """What the kit can do on a server that programs may talk to.

    Attributes
    ----------
    upload : callable
        `upload(course, assignment, settings, folder, token_file)` takes a bundle there, and returns what it
        did, in words.
    token_file : str
        What the file is called by default that proves who is asking.
    fetch : callable or None
        `fetch(course, assignment, settings, token_file)` returns the scores that were given there, as CSV;
        None where the server gives them to no program.
    """

    upload: Callable[[Course, Assignment, Any, Path, str], str]
    token_file: str
    fetch: Callable[[Course, Assignment, Any, str], str] | None = None


@dataclass(frozen=True)
class Server:
    """A submission server.

    Attributes
    ----------
    name : str
        As commands take it: ``"gradescope"``.
    title : str
        As people write it.
    limits : Limits
        What it gives a submission.
    settings : type of ServerSettings
        What a course may say about it.
    pack : callable
        `pack(contents)` returns the files of a bundle.
    archive : str
        How the file ends that a bundle is written to: ``".zip"``, ``".tar"``; empty for a folder.
    receive : callable
        `receive(root, variables)` returns the submission, where `root` is the root of the file system and
        `variables` are those of the environment.
    answer : callable
        `answer(verdict)` returns what the server reads, as path below `root` to content. An empty path stands
        for standard output.
    public_only : bool
        Whether bundles can be read by everybody, so that no hidden test may be in them.
    website : Website or None
        What uploads bundles and fetches scores; None where the server lets no program do that.
    """

    name: str
    title: str
    limits: Limits
    settings: type[ServerSettings]
    pack: Callable[[Contents], Files]
    archive: str
    receive: Callable[[Path, Mapping[str, str]], Delivery]
    answer: Callable[[Verdict], Mapping[str, bytes]]
    public_only: bool = False
    website: Website | None = None
