"""Run an assignment's public checks on what the student has saved, and show the result."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import FunctionType

from helpers.notebook import fresh, frontend, reload, report, stubs
from helpers.notebook.fresh import ImportReport
from helpers.notebook.outcomes import (
    Interruption,
    PublicOutcome,
    Report,
    explain_import,
    give_credit,
    judge,
)
from helpers.notebook.reload import Version
from helpers.notebook.session import run_tests
from helpers.statuses import Status
from helpers.submission import handout
from helpers.submission.handout import TEST_FILE, Handout, HandoutError, PublicTest
from helpers.wording import enumerate_words


@dataclass(frozen=True)
class Checked:
    """What a check ran on: file names to SHA-256, and when, in seconds since 1970."""

    digests: dict[str, str]
    moment: float


_last: dict[tuple[str, str | None], list[str]] = {}
"""Digests of what a check ran on that did not pass, by assignment and task."""

_told: set[str] = set()
"""Notes on files that the student has read in this session."""

_checked: dict[str, Checked] = {}
"""What the last check of an assignment ran on."""


class Stopped(KeyboardInterrupt):
    """The student interrupted a check; the notebook's other cells that wait must not run either."""

    def _render_traceback_(self) -> list[str]:
        """Have notebooks show one word, since the table says the rest."""
        return ["Stopped."]


def check(name: str, task: str | int | None = None) -> None:
    """Run public checks and show a table: as HTML in a notebook, as text elsewhere.

    Parameters
    ----------
    name : str
        The assignment, such as ``"knn"``.
    task : str or int, optional
        The only task to check: its id, such as ``"predict_labels"``, or its number in the notebook.

    Raises
    ------
    HandoutError
        If the assignment's files are not found or damaged, or there is no such task.
    Stopped
        After the table, if the student interrupted a check.
    """
    done = run(name, task)
    frontend.show(report.as_html(done), report.as_text(done))
    if any(outcome.status is Interruption.stopped for outcome in done.outcomes):
        raise Stopped


def run(name: str, task: str | int | None = None) -> Report:
    """Run public checks as `check` does and return what they found."""
    found = handout.find(name)
    task = _task_id(found, task)
    tests = tuple(test for test in found.tests if task in (None, test.task))
    reload.follow({module: found.file(module) for module in found.modules}, found.released)
    stubs.observe(found)
    asked = fresh.check_imports(found, fresh.files_of(found))
    look = reload.look if asked.problems else reload.refresh
    try:
        versions = [look(module) for module in found.modules]
    except FileNotFoundError as error:
        raise HandoutError(
            f"{error.filename} is missing; the set-up cell puts it back as you received it: run that again."
        ) from None
    notes = _notes(found, versions, (name, task))
    notes += [note for note in asked.notes if note not in _told]
    _told.update(asked.notes)
    done = _report_imports(found, tests, asked, versions, notes) or _run(found, tests, versions, notes)
    _checked[name] = Checked({version.file.name: version.digest for version in versions}, time.time())
    _last.pop((name, task), None)
    if done.passed < len(done.outcomes):
        _last[name, task] = [version.digest for version in versions]
    return done


def last_checked(name: str) -> Checked | None:
    """Return what the last check in this session ran on; None if none did."""
    return _checked.get(name)


def _task_id(found: Handout, task: str | int | None) -> str | None:
    """Return the id of a task that is named by it or by its number."""
    if task is None:
        return None
    names = {one.id: one.id for one in found.tasks}
    numbers = {str(stubs.task_number(found, one.id)): one.id for one in found.tasks if not one.extra}
    id = (numbers | names).get(str(task).strip())
    if id is None:
        listed = [*(f"{number} ({id})" for number, id in numbers.items())]
        listed += [id for id in names if id not in numbers.values()]
        raise HandoutError(f"{found.name} has no task {task!r}; choose one of: {', '.join(listed)}.")
    return id


def _report_imports(
    found: Handout,
    tests: Sequence[PublicTest],
    asked: ImportReport,
    versions: Sequence[Version],
    notes: list[str],
) -> Report | None:
    """Return what a fresh process says, if it could not import all that is on disk."""
    if not asked.problems:
        return None
    notes += [reload.explain_stale(version) for version in versions if version.runs and _is_older(version)]
    done = fresh.run_public(found, fresh.files_of(found))
    chosen = tuple(outcome for outcome in done.outcomes if outcome.test in tests)
    told = [note for note in done.notes if note not in notes and note not in asked.notes]
    return replace(done, outcomes=chosen, checked=_version_text(versions), notes=(*notes, *told))


def _is_older(version: Version) -> bool:
    return reload.running_digest(version.file.stem) != version.digest


def _version_text(versions: Sequence[Version]) -> str:
    return ", ".join(
        f"{version.file.name} as saved at {reload.format_time(version.saved)}" for version in versions
    )


def _run(
    found: Handout, tests: Sequence[PublicTest], versions: Sequence[Version], notes: list[str]
) -> Report:
    """Run the tests, unless a file of the student's could not be loaded."""
    checked = _version_text(versions)
    for version in versions:
        if version.error is not None:
            if version.runs:
                notes.append(reload.explain_stale(version))
            outcomes = tuple(PublicOutcome(test, Status.not_run) for test in tests)
            return Report(found, outcomes, checked, tuple(notes), explain_import(version.error, version.file))
    start = time.perf_counter()
    errors = run_tests(found.folder / TEST_FILE, [test.id for test in tests])
    seconds = time.perf_counter() - start
    files = [version.file for version in versions]
    ended = [
        judge(test, errors[test.id], files) if test.id in errors else PublicOutcome(test, Status.not_run)
        for test in tests
    ]
    return Report(found, give_credit(found, ended), checked, tuple(notes), seconds=seconds)


def _notes(found: Handout, versions: Sequence[Version], asked: tuple[str, str | None]) -> list[str]:
    """Return what the student may not be aware of."""
    notes = []
    digests = [version.digest for version in versions]
    names = enumerate_words(version.file.name for version in versions)
    if _last.get(asked) == digests:
        verb = "has" if len(versions) == 1 else "have"
        notes.append(
            f"{names} {verb} not changed since the last check. If you edited it, save the file first."
        )
    shadows = sorted(set(_own_functions()) & set().union(*map(_public_names, found.modules)))
    texts = {version.file.stem: version.file.read_text("utf-8", "replace") for version in versions}
    undone = [
        name for name in shadows if any(stubs.is_stub(text, stem, name) for stem, text in texts.items())
    ]
    shadows = [name for name in shadows if name not in undone]
    if undone:
        notes.append(
            f"{', '.join(undone)}: written in this notebook, but not in {names}, which is what this checks. "
            "submit.build and grading take it from the notebook, once that is saved."
        )
    if shadows:
        notes.append(
            f"{', '.join(shadows)}: defined in this notebook as well. Only the version in {names} is checked."
        )
    return notes


def _own_functions() -> list[str]:
    """Return the names of functions and classes that were defined in the notebook itself."""
    return [
        name
        for name, value in vars(sys.modules["__main__"]).items()
        if isinstance(value, (FunctionType, type)) and value.__module__ == "__main__"
    ]


def _public_names(module: str) -> set[str]:
    names = vars(sys.modules[module]) if module in sys.modules else {}
    return {name for name in names if not name.startswith("_")}
