"""Output of the command line: the report on standard output, everything else on standard error."""

from __future__ import annotations

import time

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

from autograder.graded.results import SandboxReport, SubmissionResult
from autograder.untrusted import line

_out = Console(highlight=False, markup=False, emoji=False)
_err = Console(highlight=False, markup=False, emoji=False, stderr=True, soft_wrap=True)


EVERY_SECONDS = 10.0
"""Seconds between two lines about a long command."""


def show(content: RenderableType) -> None:
    """Print a part of the report."""
    _out.print(content)


def warn(text: str) -> None:
    """Print one visible line about something that the instructor should know."""
    _err.print(Text(f"warning: {line(text)}", style="bold yellow"))


def warn_about(sandbox: SandboxReport) -> None:
    """Warn in one line if student code was not fully confined."""
    if sandbox.level == "none":
        warn("student code ran without a sandbox; use these grades only to test the suite")
    elif sandbox.level == "weak":
        missing = [name for name, words in sandbox.layers.items() if not words.startswith("proved")]
        warn(f"the sandbox is weak (not proved: {', '.join(missing)}); run `autograder probe` for details")


class GradingProgress:
    """How far a long command is: a live bar at a terminal, elsewhere a line every now and then.

    Parameters
    ----------
    total : int
        Number of steps, such as submissions.
    doing : str
        What is done with them.
    every : float, optional
        Seconds between two lines where standard error is not a terminal; by default `EVERY_SECONDS`.
    """

    def __init__(self, total: int, doing: str = "Grading", *, every: float | None = None) -> None:
        self._doing = doing
        self.done = 0
        self._total = total
        self._every = EVERY_SECONDS if every is None else every
        self._told = time.monotonic()
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _PaceColumn(),
            console=_err,
            transient=True,
            disable=not _err.is_terminal,
        )
        self._task: TaskID = self._bar.add_task("Starting the grader", total=total)

    def __enter__(self) -> GradingProgress:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def skip(self, count: int) -> None:
        """Count results that are up to date; pace and time left are those of the others."""
        self._total -= count
        self._bar.reset(self._task, total=self._total, description=self._doing)

    def stage(self, doing: str) -> None:
        """Say what is done before the next step ends."""
        self._bar.update(self._task, description=doing)
        self._tell(doing)

    def __call__(self, result: SubmissionResult | None = None) -> None:
        """Count one step, such as a graded submission."""
        self.done += 1
        self._bar.update(self._task, advance=1, description=self._doing)
        if self.done < self._total:
            self._tell(f"{self._doing}: {self.done} of {self._total} done")

    def _tell(self, text: str) -> None:
        """Print a line where there is no bar, unless the last one is recent."""
        if _err.is_terminal or time.monotonic() < self._told + self._every:
            return
        self._told = time.monotonic()
        _err.print(Text(line(text)))


class _PaceColumn(ProgressColumn):
    """Students per minute and the time left, both from the average since the start."""

    def render(self, task: Task) -> Text:
        if not task.completed or not task.elapsed:
            return Text()
        left = round(task.elapsed * (task.remaining or 0) / task.completed)
        pace = f"{60 * task.completed / task.elapsed:.0f} per minute, {left // 60}:{left % 60:02} left"
        return Text(pace, style="bright_black")
