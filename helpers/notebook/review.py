"""Findings that a student should know before submitting the work."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import FunctionType

from helpers.notebook import document as notebook
from helpers.notebook import reload, runner, stubs, work
from helpers.notebook.outcomes import Interruption, PublicOutcome, Report
from helpers.notebook.work import Work
from helpers.source import symbols
from helpers.statuses import Status
from helpers.submission.findings import Finding
from helpers.submission.handout import EXTRA, Function, Handout, ReleasedTask
from helpers.submission.problems import Problem
from helpers.submission.sizes import size_limit
from helpers.wording import enumerate_words, number

_NOTHING_TO_DO = (Status.passed, Status.not_run, Status.not_judged)


def findings(own: Work, done: Report, problems: Mapping[str, Problem]) -> list[Finding]:
    """Return all findings, the most costly first.

    Parameters
    ----------
    own : Work
        What is packed.
    done : Report
        What the public checks found of it, in a process of its own.
    problems : mapping of str to Problem
        Modules that could not be imported there.
    """
    known = [
        *_of_imports(own, problems),
        *_of_modules(own),
        *_of_notebook(own),
        *_of_checks(own, done, problems),
        *_of_weights(own),
        *_of_size(own),
        *_of_versions(own),
    ]
    order = ("problem", "open", "note")
    return sorted(known, key=lambda finding: order.index(finding.weight))


def _of_imports(own: Work, problems: Mapping[str, Problem]) -> Iterator[Finding]:
    """Yield the modules that grading could not import."""
    for file, problem in problems.items():
        if file in own.graded.files:
            cause = f" Likely cause: {problem.cause}." if problem.cause else ""
            text = f"{problem.sentence}{cause} As it is, {file} earns no points."
            yield Finding("problem", text, problem.code or None)


def _of_modules(own: Work) -> Iterator[Finding]:
    """Yield what can be seen in the files without running them."""
    for file in own.missing:
        place = own.handout.file(file.removesuffix(".py")).parent
        yield Finding(
            "problem",
            f"{file} is missing from {place}; without it, its tasks get no points. "
            "The set-up cell puts it back as you received it.",
        )
    yield from (Finding("note", note) for note in own.graded.notes.values())
    for file in dict.fromkeys((*own.modules, *own.graded.notes)):
        read = symbols.read(own.text(file))
        if read is None:
            continue
        functions = [function for function in own.handout.functions if function.file == file]
        yield from _missing_functions(own, file, read, functions)
        only_there = sorted(read.used & (own.reading.names | _notebook_names()))
        if only_there:
            are = "is" if len(only_there) == 1 else "are"
            yield Finding(
                "problem",
                f"{file} uses {enumerate_words(only_there)}, which {are} defined only in the notebook. The "
                f"notebook does not run when your work is graded; move the definition into {file}.",
            )
    for copy in work.find_elsewhere(own.handout):
        packed = own.handout.file(copy.stem)
        yield Finding(
            "problem",
            f"There is another {copy.name} with work in it: {copy}, saved at "
            f"{reload.format_time(copy.stat().st_mtime)}. It is not in the zip; {packed} is.",
        )


def _missing_functions(
    own: Work, file: str, read: symbols.Symbols, functions: Sequence[Function]
) -> Iterator[Finding]:
    """Yield the graded functions that a file does not define."""
    known = {function.name for function in functions}
    there = own.reading.names | _notebook_names()
    for name in order_names(functions):
        if not read.lacks(name) or any(name.startswith(f"{other}.") and read.lacks(other) for other in known):
            continue
        other = read.similar(name, known)
        if other is not None:
            hint = f"; is it the one that is called {other} there? Give it its name back."
        elif name in there:
            hint = f": it is defined only in the notebook. Move it into {file}."
        else:
            hint = "; its checks cannot find it."
        yield Finding("problem", f"{name} is not in {file}{hint}")


def order_names(functions: Sequence[Function]) -> list[str]:
    """Return the names of functions, each class before its methods."""
    owners = [name.partition(".")[0] for name in (function.name for function in functions)]
    return list(dict.fromkeys([*owners, *(function.name for function in functions)]))


def _of_notebook(own: Work) -> Iterator[Finding]:
    """Yield what is wrong with the notebook."""
    name = f"{own.handout.name}.ipynb"
    document = own.document
    if document is None:
        yield Finding("problem", f"{name} was not found, so answers in the notebook are not in the zip.")
        return
    if document.unanswered:
        yield Finding(
            "problem",
            f"Your browser did not answer, so the notebook in the zip is the one in {document.file}, saved "
            f"at {reload.format_time(document.saved or 0)}. "
            "If answers are missing in it, run this cell again.",
        )
    if notebook.has_unsaved_changes(document):
        yield Finding(
            "problem",
            f"{name} has changed since it was saved at {reload.format_time(document.saved or 0)}; save it "
            "(Ctrl+S), then run this cell again.",
        )
    if document.guessed and any(finding.weight == "open" for finding in own.reading.findings):
        yield Finding(
            "note",
            f"The notebook in the zip is {document.file}. If you answered in another copy, download that "
            f"copy as {name} into this folder, and run this cell again.",
        )
    yield from own.reading.findings


def _of_checks(own: Work, done: Report, problems: Mapping[str, Problem]) -> Iterator[Finding]:
    """Yield what the checks say: why they could not run, tasks not begun, and what does not pass."""
    if done.problem is not None and not problems:
        yield Finding("problem", done.problem.problem)
    told = {problem.sentence for problem in problems.values()}
    yield from (Finding("note", note) for note in done.notes if note not in told)
    waiting = [task.id for task in own.handout.tasks if _waits(own, done, task.id)]
    extra = [id for id in waiting if _task(own.handout, id).extra]
    needed = [id for id in waiting if id not in extra]
    if needed:
        yield Finding("open", f"Not started: {_list_tasks(own.handout, needed)}.")
    if extra:
        titles = enumerate_words(_task(own.handout, id).title.removesuffix(EXTRA).strip() for id in extra)
        points = number(sum(_task(own.handout, id).points for id in extra))
        yield Finding("open", f"Extra credit, not started: {titles} ({points} points).")
    for task, ended in groupby(done.outcomes, key=lambda outcome: outcome.test.task):
        left = [outcome for outcome in ended if outcome.status not in _NOTHING_TO_DO]
        if left and task not in waiting:
            yield Finding("open", _count_failing(own.handout, task, left))


def _waits(own: Work, done: Report, task: str) -> bool:
    """Tell whether a task was not begun: each of its functions is the stub still."""
    functions = [function for function in own.handout.functions if function.task == task]
    statuses = {
        outcome.status
        for outcome in done.outcomes
        if outcome.test.task == task and outcome.test.kind == "value"
    }
    if statuses - {Status.not_run, Status.not_implemented}:
        return False
    if not functions:
        return statuses == {Status.not_implemented}
    return all(
        stubs.is_stub(own.text(function.file), function.file.removesuffix(".py"), function.name)
        for function in functions
    )


def _count_failing(found: Handout, task: str, left: Sequence[PublicOutcome]) -> str:
    count = len(left)
    stopped = any(outcome.status is Interruption.stopped for outcome in left)
    verb = "did not finish" if stopped else f"{'does' if count == 1 else 'do'} not pass"
    title = _task_title(found, task)
    return (
        f"{title[:1].upper()}{title[1:]}: {count} public check{'s' if count > 1 else ''} {verb}; "
        f'check("{found.name}", task="{task}") says why.'
    )


def _list_tasks(found: Handout, ids: Sequence[str]) -> str:
    """Return tasks in words: by title where they are few, else by number."""
    if len(ids) <= 3:
        return "; ".join(_task_title(found, id) for id in ids)
    points = sum(_task(found, id).points for id in ids)
    numbers = enumerate_words(str(stubs.task_number(found, id)) for id in ids)
    return f"tasks {numbers}, which are {number(points)} points together"


def _task(found: Handout, id: str) -> ReleasedTask:
    return next(task for task in found.tasks if task.id == id)


def _task_title(found: Handout, id: str) -> str:
    """Return number, title and points of a task, ``task 6, Cross-validation (15 points)``."""
    task = _task(found, id)
    if task.extra:
        return f"{task.title.removesuffix(')')}, {number(task.points)} points)"
    return f"task {stubs.task_number(found, id)}, {task.title} ({number(task.points)} points)"


def _of_weights(own: Work) -> Iterator[Finding]:
    from helpers.testing import weights  # imports PyTorch, which the set-up cell must do without

    for name in own.handout.weights:
        if name not in own.weights:
            yield Finding("open", f"{name} is missing, so the zip holds no saved weights.")
            continue
        try:
            weights.load(own.weights[name])
        except weights.Unloadable as error:
            yield Finding(
                "problem",
                f"{name} cannot be loaded as tensors ({error}); save a dict of tensors with torch.save.",
            )


def _of_size(own: Work) -> Iterator[Finding]:
    """Yield files that are larger than what grading reads."""
    for name, content in own.files.items():
        limit, remedy = size_limit(name), "Make it smaller."
        if name.endswith(".ipynb"):
            remedy = "Pictures are most of it: clear its outputs, save it, and run this cell again."
        if len(content) > limit:
            size = f"{len(content) / 1e6:.1f} MB"
            yield Finding(
                "problem", f"{name} has {size}, and grading reads {limit / 1e6:g} MB at most. {remedy}"
            )


def _of_versions(own: Work) -> Iterator[Finding]:
    """Yield where what was checked in this session is not what is packed."""
    last = runner.last_checked(own.handout.name)
    for file, content in own.modules.items():
        if last is None or last.digests.get(file) == hashlib.sha256(content).hexdigest():
            continue
        saved = own.handout.file(file.removesuffix(".py")).stat().st_mtime
        older = saved < last.moment
        why = (
            "it is older than the version that was checked. If it is on a drive that is "
            "synchronized, open it and see whether your last changes are in it."
            if older
            else "the result above is for the version in the zip."
        )
        yield Finding(
            "problem" if older else "note",
            f"{file} was saved at {reload.format_time(saved)}; "
            f"check last ran at {reload.format_time(last.moment)}: {why}",
        )


def _notebook_names() -> set[str]:
    """Return the names of what the running notebook defines or imports."""
    main = vars(sys.modules["__main__"]) if "IPython" in sys.modules else {}
    return {
        name
        for name, value in main.items()
        if isinstance(value, (FunctionType, type))
        and value.__module__ == "__main__"
        and not name.startswith("_")
    }
