"""What a student should know is found in the files, the most costly first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.notebook import review, work
from helpers.notebook.outcomes import Failure, PublicOutcome, Report, read_ending
from helpers.notebook.work import Work
from helpers.submission import handout
from helpers.submission.handout import PublicTest, ReleasedTask
from helpers.submission.problems import Problem
from tests.support import handouts
from tests.support.handouts import QUESTION, SOLUTION, STUB, write_toy

ANSWER = QUESTION.replace("YOUR ANSWER HERE", "Because.")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Work:
    """Return finished work, with an answer in the notebook."""
    monkeypatch.chdir(tmp_path)
    write_toy(tmp_path).write_text(SOLUTION)
    (tmp_path / "toy.ipynb").write_text(json.dumps(handouts.notebook(c_why=ANSWER)))
    (tmp_path / "toy_weights.pt").touch()
    return replace(work.gather(handout.find("toy")), weights={})


def reported(own: Work, *statuses: str, problem: Failure | None = None) -> Report:
    tests = own.handout.tests
    ended = [PublicOutcome(test, read_ending(status)) for test, status in zip(tests, statuses, strict=True)]
    return Report(own.handout, tuple(ended), problem=problem)


PASSED = ("passed",) * 4
NOT_RUN = ("not_run",) * 4


def texts(own: Work, done: Report) -> list[str]:
    return [f"{finding.weight}: {finding.text}" for finding in review.findings(own, done, {})]


def test_finished_work(own: Work) -> None:
    assert texts(own, reported(own, *PASSED)) == [
        "open: toy_weights.pt is missing, so the zip holds no saved weights."
    ]


def test_problems_come_first(own: Work) -> None:
    own = replace(own, modules={"toy.py": STUB.replace("def total", "def totals").encode()})
    found = texts(own, reported(own, "not_implemented", "not_judged", "failed", "failed"))
    assert [text.partition(":")[0] for text in found] == ["problem", "open", "open", "open"]


def test_a_file_that_does_not_run_names_its_line(own: Work) -> None:
    problem = Problem("toy.py", "SyntaxError: x", "toy.py", 3, "x = (", "it was not closed")
    done = reported(own, *NOT_RUN, problem=Failure("toy.py cannot be imported"))
    first, *others = review.findings(own, done, {"toy.py": problem})
    assert first.text == (
        "toy.py cannot be imported: line 3: SyntaxError: x. Likely cause: it was not closed. As it is, "
        "toy.py earns no points."
    )
    assert not any("cannot be imported" in finding.text for finding in others)
    assert first.code == "x = ("


def test_a_task_whose_stub_is_left_unused_was_begun(own: Work) -> None:
    """What the checks say counts more than what the source holds."""
    source = SOLUTION + '\n    raise NotImplementedError("toy: total")\n'
    own = replace(own, modules={"toy.py": source.encode()})
    assert not any("Not started" in text for text in texts(own, reported(own, *PASSED)))
    assert any("Not started: task 2" in text for text in texts(own, reported(own, *NOT_RUN)))


def test_without_a_list_of_functions_the_checks_tell(own: Work) -> None:
    own = replace(own, handout=replace(own.handout, functions=()))
    found = texts(own, reported(own, "passed", "passed", "not_implemented", "not_implemented"))
    assert "open: Not started: task 2, Adding up (4 points)." in found
    assert not any("Not started" in text for text in texts(own, reported(own, *NOT_RUN)))


def test_many_tasks_that_were_not_begun_are_numbers(own: Work) -> None:
    tasks = tuple(ReleasedTask(f"t{n}", f"Task of {n}", n) for n in range(1, 6))
    tests = tuple(PublicTest(f"test_public.py::test_{n}", "", f"t{n}", 1, "value") for n in range(1, 6))
    own = replace(own, handout=replace(own.handout, functions=(), tasks=tasks, tests=tests))
    found = texts(own, reported(own, *("not_implemented",) * 4, "passed"))
    assert "open: Not started: tasks 1, 2, 3 and 4, which are 10 points together." in found


def test_a_check_that_does_not_end(own: Work) -> None:
    found = texts(own, reported(own, "stopped", "not_judged", "passed", "passed"))
    assert any("1 public check did not finish;" in text for text in found)


def test_what_is_too_large_to_be_graded(own: Work) -> None:
    large = replace(own, modules={"toy.py": SOLUTION.encode() + b"#" * 1_000_000})
    found = texts(large, reported(own, *PASSED))
    assert any("toy.py has 1.0 MB, and grading reads 1 MB at most." in text for text in found)
    assert own.document is not None
    large = replace(own, document=replace(own.document, content=b" " * 10_000_001))
    found = texts(large, reported(own, *PASSED))
    assert any("toy.ipynb has 10.0 MB" in text and "clear its outputs" in text for text in found)


def test_a_copy_elsewhere(own: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = tmp_path / "work"
    beside.mkdir()
    (beside / "toy.py").write_text(STUB)
    monkeypatch.chdir(beside)
    found = texts(work.gather(handout.find("toy")), reported(own, *NOT_RUN))
    assert any(f"There is another toy.py with work in it: {tmp_path / 'toy.py'}, saved" in t for t in found)


def test_extra_credit_is_no_task_that_was_missed(own: Work) -> None:
    tasks = (own.handout.tasks[0], ReleasedTask("total", "Adding up (extra credit)", 4))
    own = replace(own, handout=replace(own.handout, tasks=tasks, functions=()))
    found = texts(own, reported(own, "passed", "passed", "not_implemented", "not_implemented"))
    assert "open: Extra credit, not started: Adding up (4 points)." in found
    assert not any("Not started" in text for text in found)
