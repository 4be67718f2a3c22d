"""An assignment file is read exactly, or refused with the key that is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from autograder.course import Course, assignment
from autograder.course.assignment import Question, Task, TestLimits
from autograder.errors import ConfigError


def _edit(course: Course, old: str, new: str) -> None:
    path = course.root / "solutions" / "toy" / "assignment.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_everything_is_read(course: Course) -> None:
    toy = assignment.load(course, "toy")
    assert toy.tasks == (
        Task("first", "The first task", Fraction(10)),
        Task("second", "The second task", Fraction(5, 2)),
    )
    assert toy.max_points == Fraction(25, 2)
    assert toy.modules == ("toy",)
    assert toy.tiers == {"test_public.py": "public", "test_hidden.py": "hidden"}
    assert toy.limits == TestLimits()
    assert toy.folder == course.root / "solutions" / "toy"
    assert toy.suite == course.root / "autograder" / "suites" / "toy"


def test_deadline_is_local_time_in_the_course_zone(course: Course) -> None:
    toy = assignment.load(course, "toy")
    assert toy.deadline is not None
    assert toy.deadline.astimezone(UTC) == datetime(2026, 3, 1, 22, 59, tzinfo=UTC)
    _edit(course, "deadline", 'timezone = "Asia/Tokyo"\ndeadline')
    tokyo = assignment.load(course, "toy").deadline
    assert tokyo is not None
    assert tokyo.astimezone(UTC) == datetime(2026, 3, 1, 14, 59, tzinfo=UTC)


def test_limits_and_no_deadline(course: Course) -> None:
    limits = "[limits]\ncpu_seconds = 3\nwall_seconds = 7.5\n"
    _edit(course, "deadline = 2026-03-01T23:59:00\n", limits)
    toy = assignment.load(course, "toy")
    assert toy.limits == TestLimits(cpu_seconds=3, wall_seconds=7.5)
    assert toy.deadline is None


def test_fractions_of_a_point_stay_exact(course: Course) -> None:
    _edit(course, "points = 2.5", "points = 0.1")
    assert assignment.load(course, "toy").max_points == Fraction(101, 10)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "toy"', 'name = "tow"', "expected the folder's name"),
        ('modules = ["toy"]', "modules = []", "`modules`"),
        ('modules = ["toy"]', 'modules = ["toy.py"]', "expected a Python name"),
        ('modules = ["toy"]', 'modules = ["toy", "other"]', r"`modules` names other\.py"),
        ('"test_public.py"', '"test_missing.py"', r"`tiers` names test_missing\.py"),
        ('"test_public.py"', '"../test_public.py"', "expected the name of a test file"),
        ('= "hidden"', '= "secret"', "expected 'public' or 'hidden'"),
        ("points = 10", "points = 0", "points above 0"),
        ("points = 10", "points = -1", "points above 0"),
        ("points = 10", "points = true", r"`tasks\[1\]\.points"),
        ("points = 10", "points = nan", r"`tasks\[1\]\.points"),
        ("points = 10", "points = inf", r"`tasks\[1\]\.points"),
        ("points = 10", 'points = "10"', r"`tasks\[1\]\.points"),
        ("points = 10", "points = 100_000", "at most 10000"),
        (
            "points = 10",
            "point = 10",
            r"`tasks\[1\]\.points` is missing in 'first', and `point` is unknown there; rename `point` to ",
        ),
        ("points = 10\n", "", r"`tasks\[1\]\.points` is missing in 'first'; add it"),
        ("points = 10", "points = 10\nworth = 1", r"unknown key `tasks\[1\]\.worth` in 'first'"),
        ("[tiers]", "[submissions]\nattempt = 1\n[tiers]", r"unknown key `submissions\.attempt`; "),
        ('id = "second"', 'id = "first"', "its own id"),
        ('id = "second"', 'id = "two tasks"', "expected a Python name"),
        ("T23:59:00", "T23:59:00Z", "local time without an offset"),
        ("deadline", 'timezone = "Nowhere"\ndeadline', "`timezone` is 'Nowhere'"),
        ("[tiers]", "[limits]\ncpu_seconds = 0\n[tiers]", r"`limits\.cpu_seconds` is 0"),
        ("[tiers]", "[limits]\nmemory_mb = 1.5\n[tiers]", r"`limits\.memory_mb` is 1\.5"),
    ],
)
def test_mistakes_are_refused(course: Course, old: str, new: str, message: str) -> None:
    _edit(course, old, new)
    with pytest.raises(ConfigError, match=message) as caught:
        assignment.load(course, "toy")
    assert "assignment.toml" in caught.value.where
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["knn", "", "..", "../solutions/toy", "toy/"])
def test_unknown_assignment(course: Course, name: str) -> None:
    with pytest.raises(ConfigError, match="choose one of: toy"):
        assignment.load(course, name)


QUESTIONS = """
[[questions]]
id = "why-so"
title = "Why so"
points = 2.5
rubric = "Names the reason."

[[questions]]
id = "bonus"
title = "A bonus"
points = 1
extra = true
rubric = ["One.", "Two."]
"""


def _append(course: Course, text: str) -> None:
    path = course.root / "solutions" / "toy" / "assignment.toml"
    path.write_text(path.read_text() + text)


def test_questions_have_points_of_their_own(course: Course) -> None:
    _append(course, QUESTIONS)
    toy = assignment.load(course, "toy")
    assert toy.questions == (
        Question("why-so", "Why so", Fraction(5, 2), ("Names the reason.",)),
        Question("bonus", "A bonus", Fraction(1), ("One.", "Two."), extra=True),
    )
    assert [one.id for one in toy.tasks if one.extra] == []
    assert (toy.max_points, toy.all_points) == (Fraction(25, 2), Fraction(25, 2))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"bonus"', '"Why-So"', "the id 'Why-So' of a question is taken"),
        ('"bonus"', '"first"', "the id 'first' of a question is taken"),
        ('"bonus"', '"Score"', "the id 'Score' of a question is taken"),
        ('"bonus"', '"a/b"', r"`questions\[2\]\.id` is 'a/b'"),
        ("points = 1", "points = 0", "points above 0"),
        ("extra = true", "extra = 1", r"`questions\[2\]\.extra`"),
        ('"One."', "1", r"`questions\[2\]\.rubric\[1\]`"),
        ('"One."', '""', r"`questions\[2\]\.rubric\[1\]`"),
    ],
)
def test_mistakes_in_questions_are_refused(course: Course, old: str, new: str, message: str) -> None:
    _append(course, QUESTIONS.replace(old, new, 1))
    with pytest.raises(ConfigError, match=message) as caught:
        assignment.load(course, "toy")
    assert "\n" not in str(caught.value)


def test_an_overview_for_the_students(course: Course) -> None:
    assert assignment.load(course, "toy").overview == assignment.Overview()
    _edit(course, "[tiers]", '[overview]\nneeds = "sums"\nminutes = 3\ngpu = true\n\n[tiers]')
    overview = assignment.load(course, "toy").overview
    assert (overview.needs, overview.minutes, overview.gpu) == ("sums", 3, True)
    _edit(course, "minutes = 3", 'minutes = "three"')
    with pytest.raises(ConfigError, match=r"`overview\.minutes` is 'three'"):
        assignment.load(course, "toy")
