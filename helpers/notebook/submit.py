"""Pack a student's submission, list its contents, and show what grading will see."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from helpers.notebook import colab, fresh, frontend, reload, report, review, summary, work
from helpers.notebook.outcomes import Failure, PublicOutcome, Report
from helpers.notebook.runner import Stopped
from helpers.notebook.stubs import task_number
from helpers.notebook.work import Work
from helpers.statuses import Status
from helpers.submission import handout, packed
from helpers.submission.assembly import assemble
from helpers.submission.handout import Handout, HandoutError
from helpers.submission.problems import Problem
from helpers.wording import enumerate_words, number

_INTERRUPTED = Failure(
    "You stopped the public checks; if one would not finish, look for a loop that never ends."
)


_zips: dict[str, Path] = {}
"""The zip that was built last of each assignment."""


class SubmissionRefused(HandoutError):
    """There is nothing to hand in yet; the message is one sentence that says what to do."""


def build(name: str = "") -> None:
    """Pack an assignment into a zip, and say what is in it, what is missing, and where the zip is.

    The zip holds the modules, Python files beside them that they import, saved weights, and the notebook.
    Functions in cells of the notebook count where a module leaves them undone, as in grading.
    Unfinished work is packed as well, and so are files that do not run: what there is to know about them is
    said, and the public checks run on what is packed. The same files give the same zip, byte for byte. On
    Colab, the browser is offered the download.

    Raises
    ------
    SubmissionRefused
        If everything is as it was received.
    HandoutError
        If the assignment's files are not found or damaged, or the zip cannot be written.
    Stopped
        After the summary, if the student interrupted the checks.
    """
    found = handout.find(name)
    own = work.gather(found)
    _require_begun(own)
    # The zip comes first: checks that hang or are interrupted must not keep anybody from handing in.
    target = _write(name, packed.pack(name, own.files))
    done, problems = _check(found, own.graded.files, target)
    known = review.findings(own, done, problems)
    frontend.show(summary.as_html(own, done, known, target), summary.as_text(own, done, known, target))
    colab.download(target)
    if done.problem is _INTERRUPTED:
        raise Stopped


def preview(name: str = "", file: str | Path | None = None) -> None:
    """Run the public checks on what a zip holds, as grading will, and show the table that `check` shows.

    The files are imported from the zip, in a process of its own: nothing that only this notebook has is
    there. Nothing on disk is changed.

    Parameters
    ----------
    name : str
        The assignment, such as ``"knn"``.
    file : str or path, optional
        The zip; by default the one that `build` wrote.

    Raises
    ------
    HandoutError
        If the zip or the assignment's files are not found or damaged.
    """
    found = handout.find(name)
    target = _zips.get(name, _zip_file(name)) if file is None else Path(file).expanduser().absolute()
    files = packed.unpack(found, target)
    graded = assemble(found, files)
    done, _ = _check(found, graded.files, target)
    saved = reload.format_time(target.stat().st_mtime)
    done = replace(
        done,
        checked=f"The files in {target.name}, saved at {saved}, in a separate process, as in grading",
        notes=(*_differences(found, files), *graded.notes.values(), *done.notes),
    )
    hidden = _list_hidden(found)
    frontend.show(report.as_html(done, hidden), report.as_text(done, hidden))
    if done.problem is _INTERRUPTED:
        raise Stopped


def _require_begun(own: Work) -> None:
    """Refuse work that is completely unchanged."""
    if own.begun:
        return
    names = enumerate_words(f"{module}.py" for module in own.handout.modules)
    if own.missing:
        place = own.handout.file(own.missing[0].removesuffix(".py")).parent
        missing = enumerate_words(own.missing)
        verb = "is" if len(own.missing) == 1 else "are"
        raise SubmissionRefused(
            f"{missing} {verb} missing from {place}, and there is no other work to hand in."
        )
    verb = "is" if len(own.handout.modules) == 1 else "are"
    raise SubmissionRefused(
        f"{names} in {own.handout.file(own.handout.modules[0]).parent} {verb} as you received "
        f"{'it' if verb == 'is' else 'them'}, and no question is answered: there is nothing to hand in yet. "
        "If you did write something, save it first."
    )


def _zip_file(name: str) -> Path:
    return Path.cwd() / f"{name}-submission.zip"


def _announce(found: Handout, target: Path) -> str:
    """Announce slow work, since a silent cell looks broken."""
    count = len(found.tests)
    checks = "1 public check" if count == 1 else f"{count} public checks"
    return f"Running {checks} on the files in {target.name}; this can take a minute."


def _check(found: Handout, files: dict[str, bytes], target: Path) -> tuple[Report, Mapping[str, Problem]]:
    """Return what the public checks say of files, in a process of its own, and modules that do not import."""
    problems: Mapping[str, Problem] = {}
    try:
        frontend.say(_announce(found, target))
        problems = fresh.check_imports(found, files).problems
        return fresh.run_public(found, files), problems
    except KeyboardInterrupt:
        failure = _INTERRUPTED
    except (HandoutError, OSError) as error:
        failure = Failure(f"The public checks could not run: {error}")
    return Report(
        found, tuple(PublicOutcome(test, Status.not_run) for test in found.tests), problem=failure
    ), problems


def _differences(found: Handout, files: dict[str, bytes]) -> list[str]:
    """Return where a zip is not what is on disk."""
    notes = []
    for module in found.modules:
        name, place = f"{module}.py", found.file(module)
        if name not in files:
            notes.append(f"{name} is not in the zip.")
        elif place.is_file() and place.read_bytes() != files[name]:
            saved = reload.format_time(place.stat().st_mtime)
            notes.append(
                f"{name} in the zip is not the one in {place.parent}, which was saved at {saved}. "
                f'To pack that, run submit.build("{found.name}").'
            )
    return notes


def _list_hidden(found: Handout) -> list[str]:
    """Return what is known of the checks that run when the work is graded."""
    parts = []
    for task in found.tasks:
        public = sum(test.points for test in found.tests if test.task == task.id)
        if task.points > public:
            of = f"{number(task.points - public)} of {number(task.points)}"
            name = task.title if task.extra else f"task {task_number(found, task.id)}"
            parts.append(f"{name}: {of}")
    if not parts:
        return []
    return [
        "Checks that run when your work is graded look at the same functions with other sizes and other "
        f"data, and at the rules that the tasks state. Their points: {'; '.join(parts)}."
    ]


def _write(name: str, content: bytes) -> Path:
    """Write the zip into the current folder, or else where this user may write; return where it is."""
    folders = dict.fromkeys((Path.cwd(), Path.home(), Path(tempfile.gettempdir())))
    reasons = []
    for folder in folders:
        target = folder / _zip_file(name).name
        try:
            _replace(target, content)
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror or error}")
        else:
            _zips[name] = target
            return target
    raise HandoutError(
        f"The zip cannot be written ({'; '.join(reasons)}); free some space, then run it again."
    )


def _replace(target: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
