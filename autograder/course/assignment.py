"""An assignment: its tasks and their points, its suite and limits, as ``assignment.toml`` states them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator

from autograder import settings
from autograder.course import Allowance, Course
from autograder.course.conventions import Convention, Conventions, require_same
from autograder.errors import ConfigError

ASSIGNMENT_FILE = "assignment.toml"
MAX_POINTS = 10_000
RESERVED_COLUMNS = frozenset(
    {"student", "name", "score", "max_score", "written", "max_written", "total", "max_total"}
    | {"status", "summary", "overrides", "notes"}
)
"""Columns of the gradebook that are no question's."""
CELL_PREFIX = "code-"
"""How the names of the cells begin in which nbgrader keeps the points of tasks."""
SHARED_PACKAGE = "suite"
"""The package of modules that test files share; no student module has this name."""


@dataclass(frozen=True)
class Task:
    """One task of an assignment and what it is worth.

    Attributes
    ----------
    extra : bool
        Whether its points come on top: who leaves the task out can still earn everything.
    """

    id: str
    title: str
    points: Fraction
    extra: bool = False

    @property
    def cell(self) -> str:
        """The ``grade_id`` of the cell in which nbgrader keeps the points."""
        return f"{CELL_PREFIX}{self.id}"

    @property
    def cell_points(self) -> Fraction:
        """What nbgrader says that this cell is worth: nothing for extra credit, which comes on top."""
        return Fraction() if self.extra else self.points


@dataclass(frozen=True)
class Question:
    """A question of the notebook whose answers people read and score.

    Attributes
    ----------
    id : str
        The ``grade_id`` of its cell in the notebook.
    title : str
        What reports call it.
    points : Fraction
        What a full answer is worth, on top of the points of the tasks.
    rubric : tuple of str
        What graders look for, an item each; students never see it.
    extra : bool
        Whether its points come on top of the maximum.
    """

    id: str
    title: str
    points: Fraction
    rubric: tuple[str, ...] = ()
    extra: bool = False


@dataclass(frozen=True)
class TestLimits:
    """What one test may use; a test's own ``limits`` marker overrides the CPU seconds and the memory.

    Attributes
    ----------
    cpu_seconds : int
        CPU time of the worker.
    wall_seconds : float
        Time on the clock, so that a sleeping worker ends too.
    memory_mb : int
        Mebibytes above what the worker uses before it loads the submission.
    output_kb : int
        Kibibytes of printed output that are kept.
    """

    __test__ = False  # not a test class for pytest

    cpu_seconds: int = 10
    wall_seconds: float = 60
    memory_mb: int = 512
    output_kb: int = 64


class Overview(settings.TomlTable):
    """What the students' README says of an assignment.

    Attributes
    ----------
    needs : str
        Earlier assignments and ideas that it builds on.
    minutes : int or None
        To run the whole notebook, solved, on a CPU.
    gpu : bool
        Whether a GPU makes it faster.
    """

    needs: str = ""
    minutes: Annotated[int, Field(ge=1, le=600, strict=True)] | None = None
    gpu: Annotated[bool, Field(strict=True)] = False


@dataclass(frozen=True)
class Assignment:
    """Everything about an assignment that grading needs.

    Attributes
    ----------
    name, title : str
        The folder's name, and the name that students read.
    folder : Path
        ``solutions/<name>``, the reference solution.
    suite : Path
        The folder of its test files: ``<suites>/<name>``, `suites` being what the course says.
    modules : tuple of str
        Modules that students hand in, each as ``<module>.py``.
    tasks : tuple of Task
        In the order of the report.
    tiers : dict
        Test file name to ``"public"`` or ``"hidden"``.
    limits : TestLimits
        Of every test that sets none itself.
    deadline : datetime or None
        With its time zone.
    attempts : {"latest", "best"}
        Which of several submissions of a student counts.
    allow : tuple of Allowance
        Exceptions of the leak check of releases.
    weights : tuple of str
        Files of saved weights that students may hand in, such as ``best_net.pt``.
    questions : tuple of Question
        What people score, in the order of the notebook. Their points are apart from those of the tasks.
    overview : Overview
        What the students' README says of it.
    conventions : dict of str to number or str
        What holds of things in which courses differ; suite and notebook ask for it.
    """

    name: str
    title: str
    folder: Path
    suite: Path
    modules: tuple[str, ...]
    tasks: tuple[Task, ...]
    tiers: dict[str, str]
    limits: TestLimits
    deadline: datetime | None = None
    attempts: Literal["latest", "best"] = "latest"
    allow: tuple[Allowance, ...] = ()
    weights: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    overview: Overview = field(default_factory=Overview)
    conventions: dict[str, Convention] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The settings file, for messages."""
        return self.folder / ASSIGNMENT_FILE

    @property
    def max_points(self) -> Fraction:
        """What perfect code earns, without extra credit."""
        return sum((task.points for task in self.tasks if not task.extra), Fraction())

    @property
    def all_points(self) -> Fraction:
        """What perfect code earns, with all extra credit."""
        return sum((task.points for task in self.tasks), Fraction())

    @property
    def shared(self) -> tuple[str, ...]:
        """The modules that the hidden test files share."""
        return shared_modules(self.suite)


def shared_modules(suite: Path) -> tuple[str, ...]:
    """Return the modules in the folder of a suite that are no test files, such as ``networks``."""
    return tuple(sorted(path.stem for path in suite.glob("*.py") if _SHARED.fullmatch(path.stem)))


def load(course: Course, name: str) -> Assignment:
    """Read the assignment ``name`` of ``course``.

    Raises
    ------
    ConfigError
        There is no such assignment, or its file, its reference or its suite is incomplete.
    """
    folder = course.root / "solutions" / name
    path = folder / ASSIGNMENT_FILE
    if name not in course.assignments():
        known = ", ".join(course.assignments()) or "none yet"
        raise ConfigError(name, f"the course has no such assignment ({path})", f"choose one of: {known}")
    table = settings.read(path, _AssignmentTable)
    if table.name != name:
        raise ConfigError(str(path), f"`name` is {table.name!r}", f"expected the folder's name, {name!r}")
    suite = course.suite(name)
    _require_files(path, folder, [f"{module}.py" for module in table.modules], "`modules`")
    if course.bundle is None:  # a bundle holds what students got, and no solution
        _require_files(path, folder, list(table.weights), "`weights`")
    _require_files(path, suite, list(table.tiers), "`tiers`")
    _require_own_columns(path, table)
    require_same(path, [folder / f"{module}.py" for module in table.modules], table.conventions)
    return Assignment(
        name=name,
        title=table.title,
        folder=folder,
        suite=suite,
        modules=table.modules,
        tasks=tuple(Task(task.id, task.title, task.points, task.extra) for task in table.tasks),
        tiers=dict(table.tiers),
        limits=TestLimits(**table.limits.model_dump()),
        deadline=_deadline(path, table, course.timezone),
        attempts=table.submissions.attempts,
        allow=table.release.allow,
        weights=table.weights,
        overview=table.overview,
        conventions=table.conventions,
        questions=tuple(
            Question(one.id, one.title, one.points, one.rubric, one.extra) for one in table.questions
        ),
    )


def _require_own_columns(path: Path, table: _AssignmentTable) -> None:
    """Refuse a question that would share a column of the gradebook, or a file of its page, with another."""
    taken = {task.id.casefold() for task in table.tasks} | RESERVED_COLUMNS
    for question in table.questions:
        if question.id.casefold() in taken:
            remedy = "rename it there and in the notebook: tasks, questions and columns of grades.csv differ"
            raise ConfigError(str(path), f"the id {question.id!r} of a question is taken", remedy)
        taken.add(question.id.casefold())


def _require_files(path: Path, folder: Path, names: list[str], key: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise ConfigError(str(path), f"{key} names {name}", f"there is no {folder / name}; add it")


def _deadline(path: Path, table: _AssignmentTable, default_zone: str) -> datetime | None:
    zone = settings.zone(path, table.timezone or default_zone)
    if table.deadline is None:
        return None
    if table.deadline.tzinfo is not None:
        remedy = (
            "expected local time without an offset, such as 2026-03-01T23:59:00; `timezone` names the zone"
        )
        raise ConfigError(str(path), f"`deadline` is {table.deadline.isoformat()}", remedy)
    return table.deadline.replace(tzinfo=zone)


def _identifier(value: str) -> str:
    if not value.isidentifier() or not value.isascii():
        raise ValueError("expected a Python name, such as 'predict_labels'")
    return value


def _module(value: str) -> str:
    if value == SHARED_PACKAGE:
        raise ValueError(f"expected another name: {SHARED_PACKAGE!r} is the package that test files share")
    return _identifier(value)


def _suite_file(value: str) -> str:
    stem = value.removesuffix(".py")
    if stem == value or not stem.startswith("test_") or not stem.isidentifier():
        raise ValueError("expected the name of a test file, such as 'test_public.py'")
    return value


def _points(value: object) -> Fraction:
    if isinstance(value, Decimal | int) and not isinstance(value, bool) and Decimal(value).is_finite():
        points = Fraction(value)
        if 0 < points <= MAX_POINTS:
            return points
    raise ValueError(f"expected a number of points above 0, at most {MAX_POINTS}")


def _distinct_tasks(tasks: tuple[_TaskTable, ...]) -> tuple[_TaskTable, ...]:
    ids = [task.id for task in tasks]
    if len(set(ids)) < len(ids):
        raise ValueError("expected every task to have its own id")
    return tasks


def _rubric(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_SHARED = re.compile(r"(?!test_|conftest$)[a-z][a-z0-9_]*")
Identifier = Annotated[str, AfterValidator(_identifier)]
Points = Annotated[Fraction, PlainValidator(_points)]


class _TaskTable(settings.TomlTable):
    id: Identifier
    title: Annotated[str, Field(min_length=1)]
    points: Points
    extra: Annotated[bool, Field(strict=True)] = False


class _QuestionTable(settings.TomlTable):
    id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_\-]{1,100}$")]
    title: Annotated[str, Field(min_length=1)]
    points: Points
    rubric: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_rubric)] = ()
    extra: Annotated[bool, Field(strict=True)] = False


class _LimitsTable(settings.TomlTable):
    cpu_seconds: Annotated[int, Field(ge=1, le=3600, strict=True)] = TestLimits.cpu_seconds
    wall_seconds: Annotated[float, Field(gt=0, le=7200)] = TestLimits.wall_seconds
    memory_mb: Annotated[int, Field(ge=16, le=1_000_000, strict=True)] = TestLimits.memory_mb
    output_kb: Annotated[int, Field(ge=1, le=10_000, strict=True)] = TestLimits.output_kb


class _SubmissionsTable(settings.TomlTable):
    attempts: Literal["latest", "best"] = "latest"


class _ReleaseTable(settings.TomlTable):
    allow: tuple[Allowance, ...] = ()


class _AssignmentTable(settings.TomlTable):
    name: str
    title: Annotated[str, Field(min_length=1)]
    modules: Annotated[tuple[Annotated[str, AfterValidator(_module)], ...], Field(min_length=1)]
    weights: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}\.pt$")], ...] = ()
    deadline: datetime | None = None
    timezone: str | None = None
    tiers: Annotated[
        dict[Annotated[str, AfterValidator(_suite_file)], Literal["public", "hidden"]], Field(min_length=1)
    ]
    limits: _LimitsTable = _LimitsTable()
    submissions: _SubmissionsTable = _SubmissionsTable()
    release: _ReleaseTable = _ReleaseTable()
    overview: Overview = Overview()
    conventions: Conventions = Field(default_factory=dict)
    tasks: Annotated[tuple[_TaskTable, ...], Field(min_length=1), AfterValidator(_distinct_tasks)]
    questions: tuple[_QuestionTable, ...] = ()
