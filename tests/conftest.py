"""A small course on disk that tests of the instructor's side share."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.course import ROOT_VARIABLE, Course

COURSE = 'name = "Deep Learning"\ntimezone = "Europe/Berlin"\n'
ASSIGNMENT = """\
name = "toy"
title = "A toy"
modules = ["toy"]
deadline = 2026-03-01T23:59:00

[tiers]
"test_public.py" = "public"
"test_hidden.py" = "hidden"

[[tasks]]
id = "first"
title = "The first task"
points = 10

[[tasks]]
id = "second"
title = "The second task"
points = 2.5
"""


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """Return a course with one assignment, ``toy``."""
    monkeypatch.delenv(ROOT_VARIABLE, raising=False)
    root = tmp_path / "course"
    solution, suite = root / "solutions" / "toy", root / "autograder" / "suites" / "toy"
    solution.mkdir(parents=True)
    suite.mkdir(parents=True)
    (root / "course.toml").write_text(COURSE)
    (solution / "assignment.toml").write_text(ASSIGNMENT)
    (solution / "toy.py").write_text("def answer():\n    return 42\n")
    (suite / "test_public.py").write_text("")
    (suite / "test_hidden.py").write_text("")
    return Course.load(root)
