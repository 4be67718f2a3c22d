"""Numbers that a course shows on a server's leaderboard: those that its suite holds against thresholds."""

from __future__ import annotations

from autograder.course import COURSE_FILE, thresholds
from autograder.errors import ConfigError
from autograder.exporters.servers.interface import Contents, Server, Verdict


def require_thresholds(contents: Contents, server: Server) -> None:
    """Check that the suite has every number that a leaderboard is to show; raises ConfigError otherwise."""
    known = thresholds.read(contents.assignment.suite / thresholds.FILE)
    for column, name in contents.settings.leaderboard.items():
        if name not in known:
            board = f"the column {column!r} of {server.title}'s leaderboard"
            remedy = (
                f"choose one of: {', '.join(known)}" if known else "this suite has none; remove the column"
            )
            found = f"{board} shows {name!r}, no threshold of the suite"
            raise ConfigError(str(contents.course.root / COURSE_FILE), found, remedy)


def columns(verdict: Verdict) -> dict[str, float | str]:
    """Return each column of the leaderboard with its number; a dash where it was not reached."""
    reached = {name: value for test in verdict.record.result.tests for name, value in test.reached.items()}
    return {
        column: round(reached[threshold], 2) if threshold in reached else "-"
        for column, threshold in verdict.settings.leaderboard.items()
    }
