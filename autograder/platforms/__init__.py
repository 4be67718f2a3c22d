"""Platforms: all that the kit knows of each of them is one module here. None imports another one."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.platforms import blackboard, brightspace, canvas, gradescope, moodle, nbgrader
from autograder.platforms.interface import Download, Export, Field, Gradebook, Platform, RosterFormat

ALL: tuple[Platform, ...] = (
    gradescope.PLATFORM,
    moodle.PLATFORM,
    blackboard.PLATFORM,
    brightspace.PLATFORM,
    nbgrader.PLATFORM,
    canvas.PLATFORM,
)
"""Where several could be meant, the first one is: Canvas puts the least of its own into names of files."""

USUAL_GRADEBOOK: Gradebook = canvas.gradebook
"""Whose words for an excused student count in a table that no platform wrote."""


def find_platform(name: str) -> Platform:
    """Return a platform by its name; one without any part where the kit knows none of that name."""
    return next((one for one in ALL if one.name == name), Platform(name))


def downloads() -> Iterator[Download]:
    """Yield how each platform names hand-ins."""
    yield from (one.download for one in ALL if one.download is not None)


def exports() -> Iterator[Export]:
    """Yield the folders that are known by what lies in them."""
    yield from (one.export for one in ALL if one.export is not None)


def rosters() -> dict[str, RosterFormat]:
    """Return how platforms write lists of students, by their names."""
    return {one.name: one.roster for one in ALL if one.roster is not None}


def aliases(field: Field) -> tuple[str, ...]:
    """Return the names of columns that speak of a platform in tables which none wrote."""
    return tuple(name for one in ALL for name in one.aliases.get(field, ()))


def gradebooks() -> dict[str, Gradebook]:
    """Return what platforms import, by their names."""
    return {one.name: one.gradebook for one in ALL if one.gradebook is not None}
