"""A new assignment: small, complete, and ready to be released and graded without any change."""

from __future__ import annotations

import importlib.util
import keyword
import tomllib
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.course import COURSE_FILE, Course, Stage
from autograder.course.assignment import SHARED_PACKAGE
from autograder.errors import ReleaseError

_FILES = {
    "assignment.toml": "solutions/{name}/assignment.toml",
    "module.py": "solutions/{name}/{name}.py",
    "notebook.md": "solutions/{name}/{name}.md",
    "test_public.py": "{suites}/{name}/test_public.py",
    "test_hidden.py": "{suites}/{name}/test_hidden.py",
}

# Not Jinja's own brackets: {{...}} are the marks in notebooks that a release fills in.
_TEMPLATES = Environment(
    loader=PackageLoader("autograder.authoring"),
    variable_start_string="<<",
    variable_end_string=">>",
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)


def write(course: Course, name: str, status: Stage = "draft") -> list[Path]:
    """Write the files of a new assignment, list it in ``course.toml``, and return the paths.

    Parameters
    ----------
    name : str
        Of the assignment, and of the one module that its students hand in.
    status : {"draft", "released", "closed"}
        Whether students get it.

    Raises
    ------
    ReleaseError
        The name cannot be a module's, is taken, or the files cannot be written.
    """
    _require_usable(course, name)
    title = name.replace("_", " ").capitalize()
    imports = "\n".join(sorted(f"import {module}" for module in (name, "pytest", "torch")))
    written = []
    for template, path in _places(course, name).items():
        text = _TEMPLATES.get_template(f"{template}.txt").render(name=name, title=title, imports=imports)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ReleaseError(
                str(path),
                f"cannot be written ({error.strerror})",
                "move away what is there, or fix the permissions",
            ) from None
        written.append(path)
    _list(course, name, status)
    return written


def _places(course: Course, name: str) -> dict[str, Path]:
    """Return where each template's file goes."""
    return {
        file: course.root / place.format(name=name, suites=course.suites) for file, place in _FILES.items()
    }


def _list(course: Course, name: str, status: Stage) -> None:
    """Add an assignment to the course's list.

    Where there is no list yet, everything is released; so that this stays so, what is there is listed, too.
    """
    path = course.root / COURSE_FILE
    before = [] if course.listed is not None else [one for one in course.assignments() if one != name]
    entries = [(one, "released") for one in before] + [(name, status)]
    text = path.read_text(encoding="utf-8").rstrip("\n") + "\n"
    text += "".join(f'\n[[assignments]]\nname = "{one}"\nstatus = "{said}"\n' for one, said in entries)
    try:
        tomllib.loads(text)
        path.write_text(text, encoding="utf-8")
    except (tomllib.TOMLDecodeError, OSError):
        remedy = f'write there: {{name = "{name}", status = "{status}"}}'
        raise ReleaseError(str(path), f"{name} cannot be added to the list of assignments", remedy) from None


def _require_usable(course: Course, name: str) -> None:
    if not (name.isascii() and name.isidentifier() and name.islower()) or keyword.iskeyword(name):
        remedy = "expected lower-case letters, digits and underscores, such as 'softmax'"
        raise ReleaseError(name, "cannot be the name of a module", remedy)
    if name == SHARED_PACKAGE:
        raise ReleaseError(name, "is the package for modules that tests share", "choose another name")
    if name.startswith("test_") or importlib.util.find_spec(name) is not None:
        remedy = "choose another, or tests would import that one"
        raise ReleaseError(name, "is the name of a Python module that exists already", remedy)
    for place in sorted({path.parent for path in _places(course, name).values()}):
        if place.exists():
            raise ReleaseError(str(place), "exists already", "choose another name, or move it away")
