"""A course in its own folder: settings, recipes, and a first assignment that can be graded at once."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import tomlkit
from jinja2 import Environment, PackageLoader, StrictUndefined

from autograder.authoring import scaffold
from autograder.course import COURSE_FILE, Course
from autograder.errors import ConfigError

FIRST: Final = "warm_up"
"""The assignment that a new course begins with."""
_FILES: Final = {
    "course.toml": COURSE_FILE,
    "Makefile": "Makefile",
    "gitignore": ".gitignore",
    "README.md": "README.md",
}
_ALLOWED: Final = frozenset({".git"})
"""What a folder may hold that a course is to be made in: a repository without a file."""
_TEMPLATES: Final = Environment(
    loader=PackageLoader("autograder.authoring", "templates/course"),
    variable_start_string="<<",
    variable_end_string=">>",
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)


def write(folder: Path, title: str = "") -> list[Path]:
    """Make a course in a folder, which is made too if it is missing; return the paths of what was written.

    Parameters
    ----------
    title : str
        Name of the course; the folder's without it.

    Raises
    ------
    ConfigError
        The folder is not empty, or cannot be written to.
    """
    _require_empty(folder)
    title = title.strip() or title_of(folder)
    values = {"title": title, "name": tomlkit.string(title).as_string(), "assignment": FIRST}
    written = []
    for template, place in _FILES.items():
        path = folder / place
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(_TEMPLATES.get_template(f"{template}.txt").render(values), encoding="utf-8")
        except OSError as error:
            remedy = "choose another folder, or fix the permissions"
            raise ConfigError(str(path), f"cannot be written ({error.strerror})", remedy) from None
        written.append(path)
    course = Course.load(folder)
    made = scaffold.write(course, FIRST, "released")
    return written + [folder / path.relative_to(course.root) for path in made]


def title_of(folder: Path) -> str:
    """Return the name of a course by that of its folder.

    Examples
    --------
    >>> title_of(Path("deep-learning_2027"))
    'Deep learning 2027'
    """
    words = " ".join(folder.absolute().name.replace("-", " ").replace("_", " ").split())
    return words[:1].upper() + words[1:] or "A course"


def _require_empty(folder: Path) -> None:
    remedy = "choose a folder that is not there yet, or is empty"
    try:
        there = sorted(path.name for path in folder.iterdir() if path.name not in _ALLOWED)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise ConfigError(str(folder), "is not a folder", remedy) from None
    except OSError as error:
        raise ConfigError(str(folder), f"cannot be read ({error.strerror})", remedy) from None
    if COURSE_FILE in there:
        raise ConfigError(
            str(folder), "is a course already", "begin an assignment in it: autograder new NAME"
        )
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise ConfigError(str(folder), f"is not empty: it holds {there[0]}{more}", remedy)
