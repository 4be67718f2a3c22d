"""Bundles of the tiny course, as `autograder bundle` makes them."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from autograder.commands.main import app
from tests.support import tiny


def make(root: Path, server: str, *, settings: str = "", thresholds: str = "", **parts: str) -> Path:
    """Write the tiny course into a folder, and make a bundle of it; return where that is.

    Parameters
    ----------
    settings : str
        Lines of ``[servers.SERVER]`` in ``course.toml``.
    thresholds : str
        ``thresholds.toml`` of its suite.
    **parts
        As `tests.support.tiny.write_course` takes them.
    """
    tiny.write_course(root / "course", **parts)
    if thresholds:
        (root / "course" / "autograder" / "suites" / "tiny" / "thresholds.toml").write_text(thresholds)
    with (root / "course" / "course.toml").open("a") as file:
        file.write(f"\n[servers.{server}]\n{settings}\n")
    done = run("bundle", "tiny", server, "--course", root / "course")
    assert done.exit_code == 0, done.output
    return Path(done.stdout.strip())


def run(*words: object) -> Result:
    """Run a command; errors are part of the output."""
    return CliRunner().invoke(app, [str(word) for word in words])
