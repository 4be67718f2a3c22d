"""What the student reads about a failed check: the likely cause, and nothing that was hidden."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from autograder.engine.link import End, StudentError, WorkerEnded
from autograder.engine.verdict import (
    Exit,
    Known,
    Tier,
    describe_fault,
    explain_end,
    explain_import,
    judge,
    judge_end,
)
from autograder.errors import SuiteError
from autograder.graded.results import Feedback
from helpers.statuses import Status
from helpers.submission.problems import Problem, locate_problem
from helpers.testing import CheckFailure, Hint, checks


def student_error(**fields: Any) -> StudentError:
    report = {
        "type": "ValueError",
        "bases": ["ValueError"],
        "message": "7 is wrong",
        "where": ["knn.py", 12, "f"],
    }
    return StudentError(report | fields)


def failure(actual: object, expected: torch.Tensor, *hints: Hint) -> CheckFailure:
    with pytest.raises(CheckFailure) as caught:
        checks.close(actual, expected, what="the distances", hints=hints)
    return caught.value


def test_a_public_failure_is_shown_whole() -> None:
    hint = Hint(torch.tensor([2.0, 1.0]), says="the order is reversed")
    status, feedback = judge(failure(torch.tensor([2.0, 1.0]), torch.tensor([1.0, 2.0]), hint), "public")
    assert status is Status.failed
    assert feedback.summary.startswith("The distances: ")
    assert feedback.likely_cause == "the order is reversed"
    assert feedback.first_wrong == "[0]; 2 of 2 entries are wrong"
    assert feedback.expected is not None
    assert "1" in feedback.expected


def test_a_hidden_failure_shows_no_value() -> None:
    error = failure(torch.tensor([31337.0, 4242.0]), torch.tensor([11011.0, 22022.0]))
    _, feedback = judge(error, "hidden")
    shown = feedback.model_dump_json()
    assert feedback.first_wrong == "[0]"
    for value in ("31337", "4242", "11011", "22022"):
        assert value not in shown


@pytest.mark.parametrize("tier", ["public", "hidden"])
def test_a_failure_names_the_line_of_the_exception_that_it_reports_on(tier: Tier) -> None:
    error = CheckFailure("the call in float64", "an exception", actual_value="RuntimeError: 31337", slip=True)
    error.__cause__ = student_error(message="31337")
    status, feedback = judge(error, tier)
    assert (status, feedback.slip) == (Status.failed, True)
    assert feedback.location is not None
    assert (feedback.location.file, feedback.location.line) == ("knn.py", 12)
    assert ("31337" in feedback.model_dump_json()) == (tier == "public")


@pytest.mark.parametrize(
    ("message", "unfinished"),
    [
        ("index 3 is out of range", False),
        ("name 'np' is not defined", False),
        ("name 'dx' is not defined", True),
        ("cannot access local variable 'loss' where it is not associated with a value", True),
        ("unsupported operand type(s) for *: 'float' and 'NoneType'", True),
    ],
)
def test_an_exception_of_work_that_is_not_done_is_told_apart(message: str, unfinished: bool) -> None:
    status, feedback = judge(student_error(message=message), "hidden")
    assert (status, feedback.unfinished, feedback.slip) == (Status.raised, unfinished, False)


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((3, 2), "(3, 2)"), ((2, 3, 1), "(2, 3, 1)"), ((0, 31337), "(0, ?)"), ((31337,), "(?,)")],
)
def test_a_hidden_shape_shows_only_lengths_that_were_expected(shape: tuple[int, ...], shown: str) -> None:
    _, feedback = judge(failure(torch.zeros(shape), torch.zeros(2, 3)), "hidden")
    assert feedback.actual is not None
    assert shown in feedback.actual
    assert "31337" not in feedback.model_dump_json()


def test_an_exception_is_told_whole_in_public_and_by_type_and_line_when_hidden() -> None:
    status, feedback = judge(student_error(), "public")
    assert (status, feedback.summary) == (Status.raised, "Your code raised ValueError: 7 is wrong")
    _, feedback = judge(student_error(), "hidden")
    assert feedback.summary == "Your code raised ValueError."
    assert feedback.location is not None
    assert (feedback.location.file, feedback.location.line, feedback.location.function) == ("knn.py", 12, "f")


def test_a_hidden_exception_tells_a_message_of_python() -> None:
    known = Known(words=frozenset({"trian", "f"}))
    error = student_error(type="NameError", message="name 'trian' is not defined")
    assert (
        judge(error, "hidden", known)[1].summary == "Your code raised NameError: name 'trian' is not defined"
    )
    assert judge(error, "hidden")[1].summary == "Your code raised NameError."


@pytest.mark.parametrize("tier", ["public", "hidden"])
@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("module 'knn' has no attribute 'predict'", "predict"),
        ("type object 'Knn' has no attribute 'fit'", "Knn.fit"),
        ("'Knn' object has no attribute 'fit'", "Knn.fit"),
    ],
)
def test_a_function_that_is_gone_is_named(tier: Tier, message: str, name: str) -> None:
    error = student_error(type="AttributeError", message=message, where=None)
    status, feedback = judge(error, tier, Known(missing={name: "knn.py"}))
    assert (status, feedback.summary) == (Status.failed, f"There is no {name} in knn.py.")
    assert feedback.likely_cause == "it was renamed or deleted; what is graded keeps its name"
    status, feedback = judge(error, tier)
    assert status is Status.raised


def test_a_name_that_student_code_made_up_is_not_repeated() -> None:
    _, feedback = judge(student_error(type="Secret31337", bases=["Secret31337", "Exception"]), "hidden")
    assert "31337" not in feedback.summary


@pytest.mark.parametrize("tier", ["public", "hidden"])
def test_the_usual_ends_have_words_and_a_status_of_their_own(tier: Tier) -> None:
    assert judge(student_error(type="NotImplementedError"), tier)[0] is Status.not_implemented
    assert judge(student_error(bases=["MemoryError"]), tier)[0] is Status.memory
    assert (
        judge(student_error(message="DefaultCPUAllocator: can't allocate memory"), tier)[0] is Status.memory
    )
    assert judge(student_error(refused=True), tier)[0] is Status.failed
    assert judge(AssertionError("a\nb"), tier)[0] is Status.failed
    assert judge(MemoryError(), tier)[0] is Status.memory
    assert judge(RuntimeError("DefaultCPUAllocator: can't allocate memory"), tier)[0] is Status.memory


@pytest.mark.parametrize("tier", ["public", "hidden"])
@pytest.mark.parametrize(
    "error", [TypeError("31337"), NameError("31337"), SuiteError("a.toml", "holds 31337", "run: b")]
)
def test_an_error_of_the_suite_is_not_the_students(error: Exception, tier: Tier) -> None:
    status, feedback = judge(error, tier)
    assert status is Status.suite_error
    assert feedback.summary.startswith("This check stopped with an error of its own")
    assert "31337" not in feedback.model_dump_json()


def test_a_fault_is_one_line_with_place_and_remedy() -> None:
    assert str(describe_fault(KeyError("W1"), "test_hidden.py:57")) == "test_hidden.py:57: KeyError: 'W1'"
    assert str(describe_fault(TypeError("a\nb"), "test_a.py:1")) == "test_a.py:1: TypeError: a b"
    missing = describe_fault(
        SuiteError("t.toml", "holds no threshold 'a'", "run: autograder calibrate b"), "test_a.py:1"
    )
    assert str(missing) == "test_a.py:1: t.toml holds no threshold 'a'"
    assert missing.remedy == "run: autograder calibrate b"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("of type net.Secret31337, a subclass of torch.Tensor", "(a subclass of torch.Tensor)"),
        ("of type net.Secret31337, a subclass of tuple; return a plain tuple", "(a subclass of tuple)"),
        ("a tensor on device meta31337; expected cpu", "(a tensor on device)"),
        ("31337", "checks cannot accept;"),
    ],
)
def test_a_refusal_is_told_in_fixed_words_when_hidden(message: str, shown: str) -> None:
    _, feedback = judge(student_error(refused=True, message=message), "hidden")
    assert shown in feedback.summary
    assert "31337" not in feedback.summary
    assert message in judge(student_error(refused=True, message=message), "public")[1].summary


def test_a_plain_assertion_is_quoted_in_public_only() -> None:
    assert "x is 3" in judge(AssertionError("x is 3\nmore"), "public")[1].summary
    assert "x is 3" not in judge(AssertionError("x is 3"), "hidden")[1].summary


@pytest.mark.parametrize(
    ("end", "exit", "status", "words"),
    [
        (End.timeout, None, Status.timeout, "time limit"),
        (End.crashed, Exit(24, 0, 9.95), Status.timeout, "10 seconds of CPU time"),
        (End.crashed, Exit(9, 0, 10.9), Status.timeout, "10 seconds of CPU time"),
        (End.crashed, Exit(9, 0, 0.1), Status.crashed, "signal 9 (killed)."),
        (End.crashed, Exit(11, 0, 0.1), Status.crashed, "signal 11 (segmentation fault)."),
        (End.crashed, Exit(0, 3, 0.1), Status.crashed, "exit status 3"),
        (End.protocol, None, Status.crashed, "broke the connection"),
    ],
)
def test_why_a_worker_is_gone(end: End, exit: Exit | None, status: Status, words: str) -> None:
    error = WorkerEnded(end, "gone")
    assert judge_end(error, exit, 10) is status
    assert words in explain_end(error, exit, 10)


def test_a_failed_import_names_file_and_line() -> None:
    problem = Problem("knn.py", "ValueError: 7 is wrong", "knn.py", 12, cause="a seven")
    assert explain_import(problem) == Feedback(
        summary="knn.py, line 12: ValueError: 7 is wrong. The file could not be imported, so no check ran.",
        likely_cause="a seven",
    )


def test_long_texts_are_capped() -> None:
    assert len(judge(student_error(message="x" * 5000), "public")[1].summary) <= 600
    assert len(explain_import(locate_problem("knn.py", "x" * 5000, "", 0, {})).summary) <= 600
