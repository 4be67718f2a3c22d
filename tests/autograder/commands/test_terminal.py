"""The progress bar tells how far grading is, and disappears where nobody watches."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from autograder.commands import terminal
from autograder.graded.results import SandboxReport, SubmissionResult


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Return what a watching terminal receives."""
    screen = io.StringIO()
    monkeypatch.setattr(terminal, "_err", Console(file=screen, force_terminal=True, width=100))
    return screen


def test_progress_is_shown_to_a_terminal(screen: io.StringIO, result: SubmissionResult) -> None:
    with terminal.GradingProgress(3) as progress:
        progress(result)
        progress.stage("Grading the reference first")
    assert "1/3" in screen.getvalue()
    assert "Grading the reference first" in screen.getvalue()
    assert "per minute" in screen.getvalue()
    assert "left" in screen.getvalue()


def test_elsewhere_progress_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], result: SubmissionResult
) -> None:
    with terminal.GradingProgress(3, every=1e9) as progress:
        progress(result)
    assert capsys.readouterr() == ("", "")
    with terminal.GradingProgress(4, "Calibrating", every=0) as progress:
        progress.stage("Measuring")
        progress.skip(1)
        for _ in range(3):
            progress()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "Measuring\nCalibrating: 1 of 3 done\nCalibrating: 2 of 3 done\n"


def test_warnings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.warn("long " * 60 + "\n\x1b[2J")
    terminal.warn_about(SandboxReport(level="full", layers={}))
    assert capsys.readouterr().err == "warning: " + "long " * 60 + "\\x1b[2J\n"
