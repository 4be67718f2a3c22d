"""Points are whole numbers on servers that know no others, and no score is broken."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course
from autograder.course import assignment as assignments
from autograder.errors import ConfigError
from autograder.exporters.servers import bundles, find_server, points
from autograder.scoring import PlannedTest
from tests.support import tiny


def plan_of(*weights: str) -> tuple[PlannedTest, ...]:
    """Return hidden tests of both tiny tasks with weights such as ``"double 1/3"``."""
    return tuple(
        PlannedTest(f"t{n}", "T", task, "hidden", "value", Fraction(weight), 1, 256)
        for n, (task, _, weight) in enumerate(one.partition(" ") for one in weights)
    )


def load(root: Path, table: str = 'course = "A"') -> tuple[Any, Any]:
    tiny.write_course(root)
    (root / "course.toml").write_text(f"{tiny.COURSE}\n[servers.autograder_io]\n{table}\n")
    course = Course.load(root)
    settings = bundles.settings_of(course, find_server("autograder_io"))
    return assignments.load(course, "tiny"), settings


def test_points_become_whole_numbers_by_the_smallest_factor(tmp_path: Path) -> None:
    assignment, settings = load(tmp_path)
    # Six points in thirds and halves of thirds, and what a slip costs at most: 3/2 of six, 1 of four.
    plan = plan_of("double 1", "double 2", "table 1", "table 1", "table 1")
    assert points.choose_scale(assignment, plan, settings.scale, "scale") == 6
    assert points.share_by_tier(assignment, plan) == {("double", "hidden"): 6, ("table", "hidden"): 4}
    assert points.sum_whole([1.3333, 1.3333, 2], 6) == 28


def test_fractions_that_need_too_large_a_factor_are_refused_unless_rounding_is_chosen(tmp_path: Path) -> None:
    plan = plan_of("double 1", "table 1", "table 1/1013")
    assignment, settings = load(tmp_path)
    with pytest.raises(ConfigError, match="scale = 100 below") as caught:
        points.choose_scale(assignment, plan, settings.scale, str(assignment.file))
    assert caught.value.where == str(assignment.file)
    assignment, settings = load(tmp_path, 'course = "A"\nscale = 100')
    assert points.choose_scale(assignment, plan, settings.scale, "scale") == 100


def test_points_of_single_tests_count_where_those_of_a_group_are_whole(tmp_path: Path) -> None:
    assignment, settings = load(tmp_path)
    plan = plan_of("double 2", "double 1", "double 1", "table 1", "table 1")
    assert points.choose_scale(assignment, plan, settings.scale, "scale") == 2
