"""What a check raised becomes what a student reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from helpers.notebook import outcomes
from helpers.notebook.outcomes import Failure, PublicOutcome, judge
from helpers.statuses import Status
from helpers.submission.handout import Handout, PublicTest, ReleasedTask
from helpers.testing.failures import CheckFailure

TEST = PublicTest("test_public.py::test_a", "Adds.", "first", 2.5, "value")
RULE = PublicTest("test_public.py::test_b", "Is short.", "first", 2.5, "constraint")
HANDOUT = Handout(
    Path(), "toy", "A toy", ("toy",), (), (ReleasedTask("first", "First", 10),), (TEST, RULE), {}
)


def raised(source: str, file: Path) -> BaseException:
    """Return what calling ``f`` of a student's file raises."""
    file.write_text(source)
    names: dict[str, object] = {}
    exec(compile(source, str(file), "exec"), names)
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        names["f"]()  # type: ignore[operator]
    return caught.value


def test_passed() -> None:
    assert judge(TEST, None, []) == PublicOutcome(TEST, Status.passed, points=2.5)
    assert judge(TEST, None, []).points == 2.5


def test_a_check_failure_keeps_its_facts() -> None:
    error = CheckFailure(
        "the sums",
        "wrong values",
        expected="int64 tensor of shape (2,)",
        actual="int64 tensor of shape (2,)",
        first_wrong="[1]; 1 of 2 entries is wrong",
        likely_cause="the last one is missing",
        expected_value="3",
        actual_value="4",
    )
    outcome = judge(TEST, error, [])
    assert outcome.status == "failed"
    assert outcome.points == 0
    assert outcome.failure == Failure(
        "The sums: wrong values.",
        first_wrong="[1]; 1 of 2 entries is wrong",
        expected="3 in an int64 tensor of shape (2,)",
        yours="4 in an int64 tensor of shape (2,)",
        likely_cause="the last one is missing",
    )
    assert [name for name, _ in outcome.failure.facts()] == [
        "First wrong",
        "Expected",
        "Yours",
        "Likely cause",
    ]


def test_a_check_failure_names_the_line_of_the_exception_that_it_reports_on(tmp_path: Path) -> None:
    file = tmp_path / "toy.py"
    error = CheckFailure("the call in float64", "an exception", slip=True)
    error.__cause__ = raised("def f():\n    int('x')\n", file)
    outcome = judge(TEST, error, [file])
    assert outcome.status == "failed"
    assert outcome.failure == Failure(
        "The call in float64: an exception.", place="toy.py, line 2, in f", code="int('x')", slip=True
    )


def test_code_at_the_start_of_a_sentence_keeps_its_case() -> None:
    failure = judge(TEST, CheckFailure("f(x)", "wrong"), []).failure
    assert failure is not None
    assert failure.problem == "f(x): wrong."


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ("int('x')", "raised", "Your code raised ValueError: invalid literal for int() with base 10: 'x'"),
        ("raise SystemExit", "raised", "Your code raised SystemExit"),
        ("raise NotImplementedError('first')", "not_implemented", ""),
    ],
)
def test_an_exception_of_the_students_code(tmp_path: Path, body: str, status: str, problem: str) -> None:
    file = tmp_path / "toy.py"
    outcome = judge(TEST, raised(f"def f():\n    {body}\n", file), [file])
    assert outcome.status == status
    assert outcome.failure is not None
    assert outcome.failure.problem == problem
    assert outcome.failure.place == "toy.py, line 2, in f"
    assert outcome.failure.code == (body if status == "raised" else None)


def test_an_interruption_names_the_line_that_ran(tmp_path: Path) -> None:
    file = tmp_path / "toy.py"
    outcome = judge(TEST, raised("def f():\n    raise KeyboardInterrupt\n", file), [file])
    assert outcome.status == "stopped"
    assert outcome.failure is not None
    assert "loop that never ends" in outcome.failure.problem
    assert outcome.failure.place == "toy.py, line 2, in f"


def test_an_exception_of_the_check_itself() -> None:
    failure = judge(TEST, AssertionError("assert 2 == 3\n +  where 2 = f()"), []).failure
    assert failure == Failure("The check does not hold: assert 2 == 3\n +  where 2 = f()")
    failure = judge(TEST, TypeError("'NoneType' object is not iterable"), []).failure
    assert failure == Failure(
        "The check failed on what your code returned: TypeError: 'NoneType' object is not iterable"
    )


def test_a_file_that_cannot_be_imported(tmp_path: Path) -> None:
    file = tmp_path / "toy.py"
    file.write_text("x = (\n")
    with pytest.raises(SyntaxError) as caught:
        compile(file.read_text(), str(file), "exec")
    assert outcomes.explain_import(caught.value, file) == Failure(
        "toy.py cannot be imported: SyntaxError: '(' was never closed",
        place="toy.py, line 1",
        code="x = (",
    )
    assert outcomes.explain_import(OSError("no"), file).place is None


def test_rules_wait_for_values() -> None:
    right, rule = judge(TEST, None, []), judge(RULE, None, [])
    assert outcomes.give_credit(HANDOUT, [right, rule]) == (right, rule)
    wrong = PublicOutcome(TEST, Status.failed)
    ended = outcomes.give_credit(HANDOUT, [wrong, rule])
    assert [outcome.status for outcome in ended] == ["failed", "not_judged"]


def test_a_slip_costs_a_quarter_of_the_whole_task_and_keeps_its_rules() -> None:
    slip = PublicOutcome(TEST, Status.failed, Failure("The sum: wrong value.", slip=True))
    failed, kept = outcomes.give_credit(HANDOUT, [slip, judge(RULE, None, [])])
    assert (failed.points, kept.points) == (0, 2.5)


def test_one_line_that_raises_costs_a_quarter_where_others_are_right(tmp_path: Path) -> None:
    file = tmp_path / "toy.py"
    tests = [replace(TEST, id=name, points=2.5) for name in "abcd"]
    for body, points in (("int('x')", 7.5), ("dx", 5)):
        error = raised(f"def f():\n    {body}\n", file)
        ended = [judge(test, error if test.id in "cd" else None, [file]) for test in tests]
        assert sum(one.points for one in outcomes.give_credit(HANDOUT, ended)) == points


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        ("toy.totals", "There is no totals in toy.py."),
        ("toy.Table.add", "There is no Table.add in toy.py."),
    ],
)
def test_a_name_that_is_gone_is_named(tmp_path: Path, use: str, problem: str) -> None:
    module = ModuleType("toy")
    exec("class Table: pass", vars(module))
    module.Table.__module__ = "toy"
    with pytest.raises(AttributeError) as caught:
        eval(use, {"toy": module})
    outcome = judge(TEST, caught.value, [tmp_path / "toy.py"])
    assert outcome.failure == Failure(
        problem, likely_cause="it was renamed or deleted; what is graded keeps its name"
    )


def test_other_attributes_are_the_checks_own(tmp_path: Path) -> None:
    with pytest.raises(AttributeError) as caught:
        eval("result.shape", {"result": 3})
    failure = judge(TEST, caught.value, [tmp_path / "toy.py"]).failure
    assert failure is not None
    assert failure.problem.startswith("The check failed on what your code returned")
