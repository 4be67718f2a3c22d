"""PrairieLearn: a question that is graded externally, in a container, by the files in its folder ``tests``.

The formats are those of https://docs.prairielearn.com/externalGrading/ and of the schema of ``info.json``.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

from autograder.exporters.servers.contents import package_lists
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
from autograder.exporters.servers.rows import Row, split_rows, summarize
from autograder.exporters.servers.scripts import render_script

ROOT: Final = "grade"
SUBMISSION, RESULTS = f"{ROOT}/student", f"{ROOT}/results/results.json"
ENTRYPOINT: Final = f"/{ROOT}/tests/run.sh"
NOT_LISTED: Final = "Hidden checks"
_MOST_TEXT: Final = 200_000
"""Characters of all messages together: no file becomes larger than the megabyte that PrairieLearn reads."""
_LIMITS: Final = Limits(memory_mb=2048, cores=0.9, seconds=600, most_seconds=600)


Image = Annotated[
    str,
    validator(r"[\w./:@-]+", "the name of an image in a registry, such as 'university/coursegrad:2026'"),
    Field(validate_default=True),
]


class Settings(ServerSettings):
    """What a course may say about PrairieLearn.

    Attributes
    ----------
    image : str
        The image that was built from the bundle's Dockerfile, as `docker pull` takes it.
    topic : str
        What the question is about; a topic of the course there.
    """

    seconds: Annotated[int, Field(ge=30, le=_LIMITS.most_seconds, strict=True)] | None = None
    image: Image = ""
    topic: Annotated[str, Field(min_length=1)] = "Programming"


def pack(contents: Contents) -> Files:
    """Return the folder of a question, and in it the files that its image is built from."""
    assignment = contents.assignment
    patterns = ["*.zip", "*.py", "*.ipynb", *(["*.pt"] if assignment.weights else [])]
    question = render_script(
        "prairielearn/question.html", contents, title=assignment.title, patterns=patterns
    )
    return {
        "info.json": BundleFile(_info(contents)),
        "question.html": BundleFile(question),
        "tests/run.sh": BundleFile(render_script("prairielearn/run.sh", contents), executable=True),
        "image/Dockerfile": BundleFile(render_script("prairielearn/Dockerfile", contents)),
        **{f"image/{path}": file for path, file in package_lists(contents).items()},
        **{f"tests/bundle/{path}": file for path, file in contents.files.items()},
    }


def _info(contents: Contents) -> bytes:
    """Return ``info.json``. The question keeps its identity when the bundle is made again."""
    course, assignment, settings = contents.course, contents.assignment, contents.settings
    identity = hashlib.sha256(f"{course.secret_id()}/{assignment.name}".encode()).digest()[:16]
    info = {
        "uuid": str(uuid.UUID(bytes=identity, version=4)),
        "title": assignment.title,
        "topic": settings.topic,
        "type": "v3",
        "gradingMethod": "External",
        "singleVariant": True,
        "showCorrectAnswer": False,
        "externalGradingOptions": {
            "image": settings.image,
            "entrypoint": ENTRYPOINT,
            "timeout": settings.seconds or _LIMITS.seconds,
            "enableNetworking": False,
        },
    }
    return (json.dumps(info, indent=2, ensure_ascii=False) + "\n").encode()


def receive(root: Path, variables: Mapping[str, str]) -> Delivery:
    """Return the submission that lies in ``/grade/student``; PrairieLearn does not say whose it is."""
    return Delivery(root / SUBMISSION)


def answer(verdict: Verdict) -> dict[str, bytes]:
    """Return ``results.json``.

    Where no check could run, because nothing was handed in or it cannot be read or imported, the submission
    counts as one that cannot be graded: it costs the student no attempt.
    """
    result = verdict.record.result
    found: dict[str, Any]
    if result.stop_reason is not None:
        found = {"gradable": False, "format_errors": [result.stop_reason], "message": summarize(verdict)}
    else:
        found = {
            "gradable": True,
            "score": min(1.0, result.score / result.max_score) if result.max_score else 0.0,
            "message": summarize(verdict),
            "tests": list(_tests(verdict)),
        }
    return {RESULTS: (json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode()}


def _tests(verdict: Verdict) -> Iterator[dict[str, Any]]:
    """Yield what is shown of each check; hidden ones are summed up unless students may see them.

    PrairieLearn shows at once what it is told, so that it can show them neither later nor to others.
    """
    listed, rest = split_rows(verdict)
    most = _MOST_TEXT // max(1, len(listed))
    for row in listed:
        yield _test(row, most)
    if rest:
        yield {
            "name": NOT_LISTED,
            "points": round(sum(row.points for row in rest), 4),
            "max_points": round(sum(row.max_points for row in rest), 4),
            "message": "They count, and are not listed.",
        }


def _test(row: Row, most: int) -> dict[str, Any]:
    shown = {"name": f"{row.number} {row.task}: {row.title}", "points": row.points}
    shown["max_points"] = row.max_points
    if row.text:
        shown["message"] = row.text[:most]
    return shown


SERVER = Server(
    name="prairielearn",
    title="PrairieLearn",
    limits=_LIMITS,
    settings=Settings,
    pack=pack,
    archive="",
    receive=receive,
    answer=answer,
)
