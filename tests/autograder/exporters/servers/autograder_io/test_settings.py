"""What a course says about autograder.io is checked."""

from __future__ import annotations

import pytest

from tests.support import tiny
from tests.support.servers.autograder_io_class import Instructor, is_refused


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "`servers.autograder_io.course` is missing; add it"),
        ('course = "A"\nsemester = "Autumn"', "`servers.autograder_io.semester` is 'Autumn'"),
        ('course = "A"\nseconds = 120', "`servers.autograder_io.seconds` is 120"),
        ('course = "A"\nurl = "http://example.org"', "a token needs https"),
        ('course = "A"\nscale = 0.5', "`servers.autograder_io.scale` is 0.5"),
        ('course = "A"\ntoken = "x"', "unknown key `servers.autograder_io.token`"),
    ],
)
def test_settings_of_the_course_are_checked(instructor: Instructor, table: str, said: str) -> None:
    (instructor.root / "course.toml").write_text(f"{tiny.COURSE}\n[servers.autograder_io]\n{table}\n")
    assert is_refused(instructor.upload(), said)
    assert not instructor.site.seen
