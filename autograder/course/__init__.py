"""The course: the folder from which everything else is found, and its secret."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from autograder import settings
from autograder.course import bundle_key, secret_file
from autograder.course.bundle_key import BundleKey
from autograder.errors import ConfigError
from helpers import other_kits
from helpers.submission import packages
from helpers.wording import enumerate_words

COURSE_FILE = "course.toml"
ROOT_VARIABLE = "COURSEGRAD_ROOT"
SUITES = "autograder/suites"
"""Where suites lie in a course whose `course.toml` does not say it, such as the kit's own."""
_TAKEN = frozenset({"solutions", "assignments", "dist", "graded", ".coursegrad", ".git"})


def _repository(value: str) -> str:
    if value and not re.fullmatch(r"[\w.-]+/[\w.-]+", value, re.ASCII):
        raise ValueError("expected owner and name of a GitHub repository, such as 'university/deep-learning'")
    return value


def _reference(value: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z]+([._/-][0-9A-Za-z]+)*", value):
        raise ValueError("expected a name that git accepts, such as 'v1' or '2026-autumn'")
    return value


def _below(value: str) -> str:
    path = PurePosixPath(value)
    if "\\" in value or path.is_absolute() or not path.parts or ".." in path.parts:
        raise ValueError("expected a folder in that of the course, such as 'suites'")
    if path.parts[0] in _TAKEN:
        raise ValueError(f"expected another folder: {path.parts[0]}/ holds something else")
    return path.as_posix()


class Allowance(settings.TomlTable):
    """Lines that students may have although they are also part of a solution or a hidden test.

    Attributes
    ----------
    lines : str
        The lines; white space, punctuation and capitals do not matter.
    reason : str
        Why they give nothing away.
    """

    lines: Annotated[str, Field(min_length=1)]
    reason: Annotated[str, Field(min_length=10)]


class Release(settings.TomlTable):
    """Where student releases are published to.

    Attributes
    ----------
    repository : str
        Owner and name of the public GitHub repository; empty until there is one.
    tag, branch : str
        The name of this release, which badges and set-up cells point to, and the branch that it extends.
    remote : str
        What git pushes to, if not the repository on GitHub.
    allow : tuple of Allowance
        Exceptions of the leak check.
    """

    repository: Annotated[str, AfterValidator(_repository)] = ""
    tag: Annotated[str, AfterValidator(_reference)] = "v1"
    branch: Annotated[str, AfterValidator(_reference)] = "main"
    remote: str = ""
    allow: tuple[Allowance, ...] = ()

    @property
    def url(self) -> str:
        """What git pushes to; empty if there is nothing to push to."""
        github = f"https://github.com/{self.repository}.git" if self.repository else ""
        return self.remote or github


def _stand_ins(value: dict[str, Imported]) -> dict[str, Imported]:
    for module, names in value.items():
        if not re.fullmatch(r"[A-Za-z_]\w*", module, re.ASCII):
            raise ValueError(f"expected the name of a module, such as 'eecs598', not {module!r}")
        if module in packages.STANDARD or module == packages.KIT or packages.is_package(module, None):
            raise ValueError(
                f"{module} is a module of Python, of a package or of the kit; nothing can stand for it"
            )
        for name in [names] if isinstance(names, str) else names.values():
            if not name.startswith("helpers.") and (names is not name or name not in other_kits.DEFAULT):
                known = enumerate_words(list(other_kits.DEFAULT)[:3])
                raise ValueError(
                    f"expected for {module} something in helpers, such as 'helpers.training.layers', or a "
                    f"module that the kit knows, such as {known}"
                )
    return value


Imported = str | dict[str, str]
"""What stands for a module of another kit: one of our modules, or a table of names."""

Stage = Literal["draft", "released", "closed"]
"""A draft reaches no student; what is closed stays visible, and is said to be closed."""


class Listed(settings.TomlTable):
    """An assignment where the course lists it.

    Attributes
    ----------
    name : str
        Of its folder in ``solutions``.
    status : {"draft", "released", "closed"}
        Whether students get it.
    """

    name: Annotated[str, Field(min_length=1)]
    status: Stage = "draft"


def _once(listed: tuple[Listed, ...]) -> tuple[Listed, ...]:
    if len({one.name for one in listed}) < len(listed):
        raise ValueError("expected every assignment once")
    return listed


_FORMER_GRADEBOOK = "canvas"
"""What the table ``gradebook`` was called when one platform had one; it is still read."""
_GradebookNames = dict[str, str | Annotated[int, Field(strict=True)]]


class _CourseTable(settings.TomlTable):
    name: str
    timezone: str
    suites: Annotated[str, AfterValidator(_below)] = SUITES
    roster: str = ""
    packages: tuple[str, ...] | None = None
    imports: Annotated[dict[str, Imported], AfterValidator(_stand_ins)] = Field(default_factory=dict)
    gradebook: _GradebookNames = Field(default_factory=dict)
    former_gradebook: _GradebookNames = Field(default_factory=dict, validation_alias=_FORMER_GRADEBOOK)
    release: Release = Release()
    assignments: Annotated[tuple[Listed, ...], AfterValidator(_once)] | None = None
    servers: dict[str, dict[str, Any]] = Field(default_factory=dict)


@dataclass(frozen=True)
class Course:
    """A folder with a ``course.toml``.

    Attributes
    ----------
    root : Path
        The folder, absolute.
    name : str
        The title that students see.
    timezone : str
        IANA zone of deadlines.
    release : Release
        Where student releases are published to.
    roster : Path or None
        The CSV file that says who is in the class.
    gradebook_names : mapping of str to str
        What the platform's gradebook calls an assignment, or its number there, where it is called neither by
        its title nor by its name.
    packages : tuple of str or None
        The packages that student code may import; None where the course leaves that to the kit.
    imports : mapping of str to str or dict
        Modules of other kits to what stands for them, besides `helpers.other_kits.DEFAULT`.
    suites : str
        The folder of the suites, below `root`.
    listed : tuple of Listed or None
        The assignments in the order in which students meet them; None where the course has no list, and
        everything is released, in the order of the alphabet.
    servers : mapping of str to mapping
        Submission server to what the course says about it; `autograder.exporters.servers` knows the keys.
    bundle : BundleKey or None
        What the course has in place of a secret, where it lies in a bundle for a submission server.
    """

    root: Path
    name: str
    timezone: str
    release: Release = field(default_factory=Release)
    roster: Path | None = None
    packages: tuple[str, ...] | None = None
    gradebook_names: Mapping[str, str] = field(default_factory=dict)
    imports: Mapping[str, Imported] = field(default_factory=dict)
    suites: str = SUITES
    listed: tuple[Listed, ...] | None = None
    servers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    bundle: BundleKey | None = None

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """Find the course that ``start`` lies in.

        Parameters
        ----------
        start : Path, optional
            A folder in the course. Without it, the environment variable ``COURSEGRAD_ROOT`` is
            taken, then the current folder.

        Raises
        ------
        ConfigError
            Neither the folder nor one above it holds a ``course.toml``, or the file is malformed.
        """
        folder = Path(start or os.environ.get(ROOT_VARIABLE) or Path.cwd()).absolute()
        for candidate in (folder, *folder.parents):
            if (candidate / COURSE_FILE).is_file():
                return cls.load(candidate)
        remedy = (
            f"change into the course's folder, name it with --course or {ROOT_VARIABLE}, or make a course: "
            "autograder start FOLDER"
        )
        raise ConfigError(str(folder), f"no {COURSE_FILE} here or in a folder above", remedy)

    @classmethod
    def load(cls, root: Path) -> Course:
        """Read ``root/course.toml``; raises ConfigError if it is missing or malformed."""
        path = root / COURSE_FILE
        table = settings.read(path, _CourseTable)
        settings.zone(path, table.timezone)
        if {"gradebook", "former_gradebook"} <= table.model_fields_set:
            found = f"has both [gradebook] and [{_FORMER_GRADEBOOK}], as that was called before"
            remedy = f"put all of it into [gradebook], and remove [{_FORMER_GRADEBOOK}]"
            raise ConfigError(str(path), found, remedy)
        names = table.gradebook | table.former_gradebook
        return cls(
            root=root.absolute(),
            name=table.name,
            timezone=table.timezone,
            release=table.release,
            roster=root.absolute() / table.roster if table.roster else None,
            packages=table.packages,
            gradebook_names={assignment: str(name) for assignment, name in names.items()},
            imports=table.imports,
            suites=table.suites,
            listed=table.assignments,
            servers=table.servers,
            bundle=bundle_key.find(root),
        )

    def assignments(self) -> tuple[str, ...]:
        """Return the names of the assignments that have a ``solutions/<name>/assignment.toml``.

        Those that the course lists come first, in its order.
        """
        there = {path.parent.name for path in self.root.glob("solutions/*/assignment.toml")}
        listed = [one.name for one in self.listed or () if one.name in there]
        return (*listed, *sorted(there.difference(listed)))

    def suite(self, name: str) -> Path:
        """Return the folder of an assignment's test files."""
        return self.root / self.suites / name

    def status(self, name: str) -> Stage:
        """Return the status of an assignment; one that a list leaves out is a draft."""
        if self.listed is None:
            return "released"
        return next((one.status for one in self.listed if one.name == name), "draft")

    def unlisted_assignments(self) -> tuple[str, ...]:
        """Return the names of the assignments that the course's list leaves out, if it has one."""
        if self.listed is None:
            return ()
        listed = {one.name for one in self.listed}
        return tuple(name for name in self.assignments() if name not in listed)

    @property
    def importable(self) -> tuple[str, ...]:
        """The import names of the packages that student code may import."""
        return packages.allowed_names(self.packages)

    def require_packages(self) -> None:
        """Check that the packages which `course.toml` names are installed here.

        Raises
        ------
        ConfigError
            One is not: then students would be told that what the course allows is not there.
        """
        lacking = packages.missing_packages(self.packages)
        if lacking:
            found = f"`packages` allows {enumerate_words(lacking)}, not installed in the Python that grades"
            remedy = f"install what is missing ({sys.executable} -m pip install {' '.join(lacking)})"
            raise ConfigError(str(self.root / COURSE_FILE), found, f"{remedy}, or take it off the list")

    @property
    def secret_file(self) -> Path:
        """Where the secret is kept, or in a bundle what stands for it."""
        return self.root / ".coursegrad" / (bundle_key.FILE if self.bundle is not None else "secret")

    def secret(self) -> bytes:
        """Return the 32 bytes that the keys of assignments derive from, made at first use.

        Raises
        ------
        ConfigError
            The file cannot be made, others can read it, it is not a regular file, or it does not hold
            64 hexadecimal digits. Or the course lies in a bundle, which has no secret.
        """
        if self.bundle is not None:
            found = "is a bundle, which does not hold the course secret"
            raise ConfigError(str(self.root), found, "run this in the folder of the course")
        try:
            return secret_file.read(self.secret_file)
        except FileNotFoundError:
            secret_file.make(self.secret_file)
            return secret_file.read(self.secret_file)

    def key(self, assignment: str) -> bytes:
        """Return the 32 bytes that the hidden inputs of one assignment derive from.

        They tell nothing of the secret, so they may go wherever it is graded. Raises as `secret` does.
        """
        if self.bundle is not None and self.bundle.assignment == assignment:
            return bytes.fromhex(self.bundle.key)
        return hmac.digest(self.secret(), f"assignment:{assignment}".encode(), hashlib.sha256)

    def secret_id(self) -> str:
        """Return 12 hexadecimal digits that identify the secret and do not reveal it."""
        if self.bundle is not None:
            return self.bundle.secret_id
        return hashlib.sha256(self.secret()).hexdigest()[:12]


_current: Course | None = None


def set_current(course: Course | None) -> None:
    """Choose the course whose suites are collected in this process."""
    global _current
    _current = course


def current() -> Course:
    """Return the course that `set_current` chose, else the one around the current folder."""
    return _current if _current is not None else Course.find()
