"""Classroom 50: a folder with ``autograder.py``, which writes ``result.json`` into a student's checkout.

The format is that of https://github.com/foundation50/classroom50/wiki/Advanced-Autograding. Bundles are
published there for everybody to read, so they hold the public tests alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from autograder.course import COURSE_FILE
from autograder.course.assignment import ASSIGNMENT_FILE
from autograder.errors import ConfigError, EngineError
from autograder.exporters.servers import points, wheel
from autograder.exporters.servers.contents import decide
from autograder.exporters.servers.interface import (
    BundleFile,
    Contents,
    Delivery,
    Files,
    Limits,
    Server,
    ServerSettings,
    Verdict,
    validator,
)
from autograder.exporters.servers.points import to_whole
from autograder.exporters.servers.rows import Row, rows, summarize
from autograder.exporters.servers.scripts import render_script
from autograder.release.leaks import LeakCheck
from autograder.scoring import share
from autograder.untrusted import line, markdown
from helpers.credit import slip_limit

SCHEMA: Final = "classroom50/result/v1"
RESULT, BODY, BUNDLE, PROGRAM = "result.json", "release-body.md", "bundle", "autograder"
MAX_BYTES: Final = 10_000_000
"""What a runner of Classroom 50 downloads, as one archive."""
_NAME: Final = r"[a-z0-9][a-z0-9-]{1,38}"
_TAG: Final = re.compile(r"submit/(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)-[0-9a-f]+")


ShortName = Annotated[
    str, validator(_NAME, "2 to 39 small letters, digits and hyphens, such as 'deep-learning'")
]
Never = Annotated[
    Literal["shown", "closed", "never"],
    validator("never", "'never': everybody can read a bundle there, so no hidden test is in it"),
]


class Settings(ServerSettings):
    """What a course may say about Classroom 50.

    Attributes
    ----------
    classroom : str
        Short name of the classroom, which is a folder of the organization's configuration.
    assignments : dict of str to str
        Our name of an assignment to its name there, if that is not ours with hyphens.
    scale : int or None
        How many points there stand for one of ours, since they are whole numbers there.
    hidden : {"never"}
        Hidden tests are not in the bundle.
    """

    classroom: ShortName
    assignments: dict[str, ShortName] = Field(default_factory=dict)
    scale: points.Scale = None
    hidden: Never = "never"


def pack(contents: Contents) -> Files:
    """Return the files of the folder, as they lie in the organization's configuration.

    Raises
    ------
    ConfigError
        The assignment has no name there, or its points cannot be whole numbers.
    LeakError
        A file would show what is hidden.
    """
    where = str(contents.course.root / COURSE_FILE)
    settings: Settings = contents.settings
    name = settings.assignments.get(contents.assignment.name, contents.assignment.name.replace("_", "-"))
    if not re.fullmatch(_NAME, name):
        ours = contents.assignment.name
        remedy = f'name it under [servers.classroom50.assignments], such as {ours} = "homework-1"'
        raise ConfigError(where, f"Classroom 50 takes no assignment called {name!r}", remedy)
    scale = points.find_scale(_amounts(contents), settings.scale, f"{where}, servers.classroom50.scale")
    decided = decide(contents, scale=scale, assignments={contents.assignment.name: name})
    files = {f"{BUNDLE}/{path}": file for path, file in decided.files.items()}
    files[f"{PROGRAM}.py"] = BundleFile(render_script(f"classroom50/{PROGRAM}.py", decided))
    _require_fit(contents, files)
    return {f"{settings.classroom}/autograders/{name}/{path}": file for path, file in files.items()}


def _amounts(contents: Contents) -> list[Fraction]:
    """Return what scores are made of where tasks are worth what their public tests are."""
    worth = share(contents.plan, contents.assignment)
    tasks = points.share_by_tier(contents.assignment, contents.plan)
    return [
        *(worth[test.id] for test in contents.plan if test.tier == "public"),
        *(slip_limit(part) for (_, tier), part in tasks.items() if tier == "public"),
    ]


def _require_fit(contents: Contents, files: Files) -> None:
    """Check that nothing hidden is in the files, and that a runner accepts as many bytes."""
    size = sum(len(file.content) for file in files.values())
    if size > MAX_BYTES:
        found = f"makes a bundle of {size:,} bytes, and Classroom 50 takes {MAX_BYTES:,}"
        raise ConfigError(str(contents.assignment.suite), found, "remove large files from the suite")
    check = LeakCheck(contents.course)
    for path, file in files.items():
        place = path.rpartition("/")[2]
        if place != wheel.file_name():  # the kit itself, which belongs to no course
            check.require_clean({place.replace(ASSIGNMENT_FILE, "settings.toml"): file.content})


def receive(root: Path, variables: Mapping[str, str]) -> Delivery:
    """Return the submission: the checkout itself, in which the runner starts its program.

    Raises
    ------
    EngineError
        The runner has not said what it grades.
    """
    known = ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
    missing = [name for name in known if not variables.get(name)]
    if missing:
        found = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
        raise EngineError("environment", found, "let the runner of Classroom 50 start autograder.py")
    facts = {name: variables[name] for name in known}
    facts["REVIEW_URL"] = variables.get("REVIEW_URL") or facts["COMMIT_URL"]
    facts["ASSIGNMENT_TYPE"] = variables.get("ASSIGNMENT_TYPE") or "individual"
    facts["OWNER"] = variables.get("OWNER") or variables.get("USERNAME") or ""
    return Delivery(root, student=line(facts["OWNER"]), submitted_at=_submitted_at(facts), facts=facts)


def _submitted_at(facts: Mapping[str, str]) -> datetime | None:
    """Return when the submission was tagged, which a regrade leaves as it is."""
    tag = _TAG.fullmatch(facts["SUBMISSION_TAG"])
    try:
        return datetime.strptime(tag[1], "%Y-%m-%dT%H-%M-%S%z") if tag else None
    except ValueError:
        return None


def answer(verdict: Verdict) -> dict[str, bytes]:
    """Return ``result.json`` and the text of the release that shows the result.

    Raises
    ------
    EngineError
        The bundle is for another assignment.
    """
    facts, settings, now = verdict.delivery.facts, verdict.settings, datetime.now(UTC)
    here = (settings.classroom, settings.assignments[verdict.assignment.name])
    if (facts["CLASSROOM"], facts["ASSIGNMENT"]) != here:
        other = line(f"{facts['CLASSROOM']}/{facts['ASSIGNMENT']}")
        remedy = "put it into the folder that it was made for"
        raise EngineError("bundle", f"grades {'/'.join(here)}, and this is {other}", remedy)
    checks = rows(verdict)
    counted = [_test(row, settings.scale) for row in checks]
    most = to_whole(verdict.record.result.max_score, settings.scale)
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "classroom": facts["CLASSROOM"],
        "assignment": facts["ASSIGNMENT"],
        "assignment_type": facts["ASSIGNMENT_TYPE"],
        "owner": facts["OWNER"],
        "submission": facts["SUBMISSION_TAG"],
        "commit": facts["COMMIT_URL"],
        "release": facts["RELEASE_URL"],
        "review": facts["REVIEW_URL"],
        "datetime": _stamp(verdict.delivery.submitted_at or now),
        "graded_at": _stamp(now),
        # Extra credit makes up for lost points: a score above the maximum would be refused.
        "score": min(most, sum(test["score"] for test in counted)),
        "max-score": most,
        "tests": counted,
    }
    text = "\n".join(_body(verdict, checks, found)) + "\n"
    return {RESULT: (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode(), BODY: text.encode()}


def _stamp(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _test(row: Row, scale: int) -> dict[str, Any]:
    return {
        "test-name": f"{row.number} {row.task}: {row.title}",
        "passed": row.passed,
        "score": to_whole(row.points, scale),
        "max-score": to_whole(row.max_points, scale),
        "output": row.text,
    }


def _body(verdict: Verdict, checks: list[Row], found: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the release: what was checked, and what went wrong."""
    yield f"### {markdown(verdict.assignment.title)}: {found['score']} of {found['max-score']}"
    yield ""
    yield from (f"{markdown(text)}  " for text in summarize(verdict).split("\n"))
    yield from ("", "| check | | points |", "|---|---|---|")
    for row, test in zip(checks, found["tests"], strict=True):
        outcome = "passed" if row.passed else "**not passed**"
        yield f"| {markdown(test['test-name'])} | {outcome} | {test['score']} of {test['max-score']} |"
    for row, test in zip(checks, found["tests"], strict=True):
        if row.text:
            yield from ("", f"**{markdown(test['test-name'])}**", "")
            yield from (f"{markdown(text)}  " for text in row.text.split("\n"))


SERVER = Server(
    name="classroom50",
    title="Classroom 50",
    limits=Limits(memory_mb=7000, cores=2, seconds=600, most_seconds=720),
    settings=Settings,
    pack=pack,
    archive="",
    receive=receive,
    answer=answer,
    public_only=True,
)
