"""What the command line says: the report on standard output, everything else on standard error."""

from __future__ import annotations

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

from autograder.reports.untrusted import line
from autograder.results import SandboxReport, SubmissionResult

_out = Console(highlight=False, markup=False, emoji=False)
_err = Console(highlight=False, markup=False, emoji=False, stderr=True, soft_wrap=True)


def show(content: RenderableType) -> None:
    """Print a part of the report."""
    _out.print(content)


def warn(text: str) -> None:
    """Print one visible line about something that the instructor should know."""
    _err.print(Text(f"warning: {line(text)}", style="bold yellow"))


def warn_about(sandbox: SandboxReport) -> None:
    """Warn in one line if student code was not fully confined."""
    if sandbox.level == "none":
        warn("student code ran without a sandbox; use these grades for tests of the suite only")
    elif sandbox.level == "weak":
        missing = [name for name, words in sandbox.layers.items() if not words.startswith("proved")]
        warn(f"the sandbox is weak, not proved: {', '.join(missing)}; `autograder probe` says more")


class GradingProgress:
    """A live bar: students done, rate, time left. Silent where standard error is not a terminal.

    Parameters
    ----------
    total : int
        Number of submissions.
    doing : str
        What is done with them.
    """

    def __init__(self, total: int, doing: str = "Grading") -> None:
        self._doing = doing
        self.done = 0
        self._kept = 0
        self._total = total
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

    def kept(self, count: int) -> None:
        """Count results that are up to date; pace and time left are those of the others."""
        self._kept = count
        self._bar.reset(self._task, total=self._total - count, description=self._doing)

    def __call__(self, result: SubmissionResult | None = None) -> None:
        """Count one graded submission."""
        self.done += 1
        self._bar.update(self._task, advance=1, description=self._doing)

    def __str__(self) -> str:
        """Say how far it got."""
        return f"{self._kept + self.done} of {self._total}"


class _PaceColumn(ProgressColumn):
    """Students per minute and the time left, both from the average since the start."""

    def render(self, task: Task) -> Text:
        if not task.completed or not task.elapsed:
            return Text()
        left = round(task.elapsed * (task.remaining or 0) / task.completed)
        pace = f"{60 * task.completed / task.elapsed:.0f} per minute, {left // 60}:{left % 60:02} left"
        return Text(pace, style="bright_black")
