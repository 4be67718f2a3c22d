"""Create the gradeable of an assignment on Submitty; one that is there already stays as it is.

Submitty's API takes no configuration. It is uploaded on the page of the gradeable, or somebody who can log in
to the server unpacks it there.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

from autograder.course import COURSE_FILE, Course
from autograder.course.assignment import Assignment
from autograder.errors import ConfigError
from autograder.exporters.servers.identity import Identity
from autograder.exporters.servers.submitty.api import Api
from autograder.exporters.servers.submitty.bundle import CONFIG, PACKED
from autograder.exporters.servers.submitty.settings import NAME, Settings

_APART: Final = ("url", "semester", "course", "gradeables", "config")
"""Settings that say where a gradeable is, and have no say in what a bundle holds."""
_DATES: Final = {
    "ta_view_start_date": "1970-01-01 23:59:59",
    "submission_open_date": "9995-12-31 23:59:59",
    "submission_due_date": "9996-12-31 23:59:59",
    "team_lock_date": "9996-12-31 23:59:59",
    "grade_start_date": "9997-12-31 23:59:59",
    "grade_due_date": "9998-12-31 23:59:59",
    "grade_released_date": "9998-12-31 23:59:59",
    "grade_inquiry_start_date": "9999-01-01 23:59:59",
    "grade_inquiry_due_date": "9999-01-06 23:59:59",
}
"""As long as people have not set others, staff alone see a gradeable. Submitty would open it tonight."""


def upload(course: Course, assignment: Assignment, settings: Settings, folder: Path, token_file: str) -> str:
    """Create the gradeable for a bundle, and return in words what that has changed, and what is left to do.

    Raises
    ------
    ConfigError
        The course does not say where on Submitty it is, or the bundle or the token cannot be used.
    ServerError
        The server cannot be reached, or refuses.
    """
    file = course.root / COURSE_FILE
    url = _require(file, "url", settings.url)
    semester, name = _require(file, "semester", settings.semester), _require(file, "course", settings.course)
    body = _gradeable(file, assignment, settings)
    _require_bundle(folder / CONFIG, assignment, settings)
    with Api.open(url, token_file) as api:
        is_new = api.create_gradeable(semester, name, body)
    told = _report(folder / CONFIG, body.get("autograding_config_path"), is_new=is_new)
    return f"{body['id']}: {told}: {url}/courses/{semester}/{name}/gradeable/{body['id']}/update"


def _report(path: Path, config: str | None, *, is_new: bool) -> str:
    """Say what was done, and what is left to do on the page of the gradeable."""
    if is_new and config is not None:
        step = f"check on its page that {config} was built, and set its dates there"
    elif config is not None:
        step = f"if the bundle is new, unpack {path} into {config} and rebuild it on its page"
    else:
        step = f"upload {path} on the second tab of its page, and select it there"
        step = f"{step}; then set its dates" if is_new else f"if the bundle is new, {step}"
    done = "created, and hidden from students" if is_new else "is there already, and nothing was changed"
    return f"{done}; {step}"


def _require(file: Path, key: str, value: str | None) -> str:
    if value is None:
        raise ConfigError(str(file), f"`servers.submitty.{key}` is missing", "add it: an upload needs it")
    return value


def _gradeable(file: Path, assignment: Assignment, settings: Settings) -> dict[str, Any]:
    """Return what the server is told; raises ConfigError if the gradeable can have no such name."""
    name = settings.gradeables.get(assignment.name, assignment.name)
    if not re.fullmatch(NAME, name):
        remedy = "name it below [servers.submitty.gradeables] with letters, digits, hyphens and underscores"
        raise ConfigError(str(file), f"Submitty takes no gradeable called {name!r}", remedy)
    body = {
        "title": assignment.title,
        "type": "Electronic File",
        "id": name,
        "syllabus_bucket": "homework",
        "dates": _DATES,
    }
    if settings.config is not None:
        body["autograding_config_path"] = f"{settings.config.rstrip('/')}/{assignment.name}"
    return body


def _require_bundle(path: Path, assignment: Assignment, settings: Settings) -> None:
    """Check that the zip to upload is whole, and what would be made now; raises ConfigError otherwise."""
    again = f"run: autograder bundle {assignment.name} submitty"
    try:
        content = path.read_bytes()
    except OSError:
        raise ConfigError(str(path), "there is no bundle", again) from None
    try:
        files = _unpack(content)
        graded = _unpack(files[f"test_input/{PACKED}"])
        identity = Identity.read(graded.__getitem__)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError):
        raise ConfigError(str(path), "is damaged, or of another version of the kit", again) from None
    identity.require_current(path, "submitty", assignment, settings, apart=_APART)


def _unpack(content: bytes) -> dict[str, bytes]:
    """Return every file of a zip, so that no damaged one is missed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
