"""Provenance names everything that could change a grade."""

from __future__ import annotations

from pathlib import Path

import pytest

import autograder
from autograder.course import Course, provenance
from autograder.course.assignment import load

VERSIONS = {"python": "3.11.7", "torch": "2.13.0", "numpy": "2.4.6", "other": "1"}


def test_everything_is_recorded(course: Course) -> None:
    recorded = provenance.collect(course, load(course, "toy"), VERSIONS)
    assert recorded.kit == autograder.__version__
    assert (recorded.python, recorded.torch, recorded.numpy) == ("3.11.7", "2.13.0", "2.4.6")
    assert recorded.secret == course.secret_id()
    assert recorded.machine
    assert recorded.limits["cpu_seconds"] == 10


@pytest.mark.parametrize(
    "name",
    [
        "solutions/toy/toy.py",
        "solutions/toy/assignment.toml",
        "autograder/suites/toy/test_hidden.py",
        "autograder/suites/toy/new.py",
    ],
)
def test_suite_hash_follows_every_source(course: Course, name: str) -> None:
    toy = load(course, "toy")
    before = provenance.suite_hash(toy)
    assert provenance.suite_hash(toy) == before
    with (course.root / name).open("a") as file:
        file.write("\n# changed\n")
    assert provenance.suite_hash(toy) != before


def test_machine_is_the_processor_type(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: Fast CPU @ 3 GHz\nmodel name\t: Fast CPU @ 3 GHz\n")
    assert provenance.machine(cpuinfo) == "Fast CPU @ 3 GHz"
    assert provenance.machine(tmp_path / "absent")
