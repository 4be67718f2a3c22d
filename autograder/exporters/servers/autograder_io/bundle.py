"""A bundle for autograder.io: ``agproject.yml``, one archive as instructor file, and what builds the image.

autograder.io starts a container for each submission and puts the files of the student and of the instructor
into one folder. There it runs the set-up command, and then the command of each test case, all as one ordinary
user, and each for 90 seconds at most. So the set-up command unpacks the archive beside that folder, where
nothing of the student's lies, and grades; a test case prints what was found for it. What set-up had no time
for, the test case grades by itself. The score is on standard error, where nothing else ever is, since
standard output may quote student code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from autograder.errors import ConfigError
from autograder.exporters.servers import tarballs
from autograder.exporters.servers.autograder_io import project
from autograder.exporters.servers.autograder_io.config import MAX_FILE, parse
from autograder.exporters.servers.contents import decide, package_lists
from autograder.exporters.servers.interface import BundleFile, Contents, Delivery, Files, Verdict
from autograder.exporters.servers.points import choose_scale, sum_whole
from autograder.exporters.servers.rows import TIME_UP, Row, rows
from autograder.exporters.servers.scripts import render_script
from autograder.untrusted import line, printable
from helpers.wording import number

_SCRIPTS: Final = ("setup.sh", "grade.sh", "show.sh")
_MODULES: Final = "autograder_io"


def pack(contents: Contents) -> Files:
    """Return the files of the bundle.

    Raises
    ------
    ConfigError
        Points cannot be whole numbers there, a limit of autograder.io is exceeded, or `autograder-cli`,
        which knows what ``agproject.yml`` may hold, is not installed.
    """
    where, chosen = str(contents.assignment.file), contents.settings.scale
    scale = choose_scale(contents.assignment, contents.plan, chosen, where)
    image = _image(contents)
    name = contents.settings.image or _name(image, contents.python)
    archive = _archive(decide(contents, scale=scale))
    text = project.describe(contents, scale, name)
    parse(text, Path(project.FILE))
    return {
        project.FILE: BundleFile(text.encode()),
        project.ARCHIVE: BundleFile(archive),
        **{f"image/{path}": BundleFile(content) for path, content in image.items()},
    }


def _archive(contents: Contents) -> bytes:
    """Return what is unpacked there: the scripts, and the bundle."""
    scripts = {
        name: BundleFile(render_script(f"{_MODULES}/{name}", contents, project=project), executable=True)
        for name in _SCRIPTS
    }
    packed = tarballs.pack(scripts | {f"bundle/{path}": file for path, file in contents.files.items()})
    if len(packed) > MAX_FILE:
        found = f"needs a bundle of {len(packed)} bytes, and autograder.io takes {MAX_FILE}"
        raise ConfigError(str(contents.assignment.suite), found, "take large files out of the suite")
    return packed


def _image(contents: Contents) -> dict[str, bytes]:
    """Return what the web page of a course is given to build the image: Python and the packages, no kit."""
    return {
        "Dockerfile": render_script(f"{_MODULES}/Dockerfile", contents),
        **{name: file.content for name, file in package_lists(contents).items()},
    }


def _name(image: Mapping[str, bytes], python: str) -> str:
    """Return a name that tells an image with other packages apart."""
    digest = hashlib.sha256(b"\0".join(image[name] for name in sorted(image)))
    return f"coursegrad-{python}-{digest.hexdigest()[:8]}"


def receive(root: Path, variables: Mapping[str, str]) -> Delivery:
    """Return the submission, which the set-up command has copied, and who handed it in."""
    return Delivery(root / "submission", student=line(variables.get("usernames", "")))


def answer(verdict: Verdict) -> dict[str, bytes]:
    """Return of each test case what it prints on standard output and on standard error.

    Where checks of a task are missing, the files say so in their names: then the test case grades the task
    again, and takes them if that fails.
    """
    unfinished = {test.task for test in verdict.record.result.tests if test.is_cut_off}
    unfinished = set() if verdict.complete else unfinished
    cases: dict[tuple[str, str], list[Row]] = {}
    for row in rows(verdict):
        cases.setdefault((row.task_id, row.tier), []).append(row)
    found: dict[str, bytes] = {}
    for (task, tier), members in cases.items():
        stem = f"results/{task}.{tier}" + (".part" if task in unfinished else "")
        lines = [TIME_UP] if task in unfinished else []
        lines += [text for row in members for text in _lines(row)]
        score = sum_whole((row.points for row in members), verdict.settings.scale)
        found[f"{stem}.text"] = "".join(f"{text}\n" for text in lines).encode()
        found[f"{stem}.score"] = f"<!! score: {score} !!>\n".encode()
    return found


def _lines(row: Row) -> list[str]:
    if row.passed:
        return [f"passed: {line(row.title)}"]
    worth = f"{number(row.points)} of {number(row.max_points)} points"
    return [
        f"failed: {line(row.title)} ({worth})",
        *(f"    {text}" for text in printable(row.text).splitlines()),
    ]
