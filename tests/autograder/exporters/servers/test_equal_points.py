"""One class gets the same points on every server as from the kit, each by the bundle that the server is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.engine.pool import Pool
from autograder.exporters.servers import NAMES, find_server
from autograder.exporters.servers.whole_points import choose_factor
from autograder.grading import loop
from helpers.submission import bundle as handins
from tests.support import tiny
from tests.support.servers import made
from tests.support.servers.autograder_io_class import TABLE, work_as_instructor
from tests.support.servers.autograder_io_grading import grade as grade_on_autograder_io
from tests.support.servers.autolab import import_tarball
from tests.support.servers.gradescope import Gradescope
from tests.support.servers.prairielearn import Question
from tests.support.servers.submitty import Submitty

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders look like those of servers"),
]
CLASS = {
    "right": tiny.REFERENCE,
    "stub": tiny.STUB,
    "wrong factor": tiny.REFERENCE.replace("return 2 * x", "return 3 * x"),
    "a loop": tiny.REFERENCE.replace("return 2 * x", "for _ in range(1):\n        x = x + x\n    return x"),
    "one row": tiny.REFERENCE.replace("self.rows[name] = value", "self.rows = {name: value}"),
    "raises": tiny.REFERENCE.replace("return 2 * x", "return 2 * y"),
    "broken": "def double(x:\n",
}
PYTHON = {"COURSEGRAD_PYTHON": sys.executable}
Grade = Callable[[str], float]


def gradescope(root: Path, monkeypatch: pytest.MonkeyPatch) -> Grade:
    course = made.write_course(root, "gradescope")
    server = Gradescope(root / "server", made.make(course, "gradescope").read_bytes())
    server.install()

    def grade(source: str) -> float:
        run = server.grade({"tiny_module.py": source.encode()})
        assert run.results is not None, run.output
        return float(run.results["score"])

    return grade
