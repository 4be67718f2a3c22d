"""What checks earn: a slip costs its share once, and constraints count once the values are right."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from helpers.credit import Judged, assign_credit


def value(
    id: str, points: float, *, passed: bool = False, slip: str | None = None, raised: str | None = None
) -> Judged:
    return Judged(id, "sums", "value", Fraction(points), passed, slip, raised)


def rule(id: str, points: float, *, passed: bool) -> Judged:
    return Judged(id, "sums", "constraint", Fraction(points), passed)


def earned(*checks: Judged) -> list[float]:
    credits = assign_credit(checks)
    return [float(credits[check.id].points) for check in checks]


def test_checks_that_pass_earn_their_points_and_others_nothing() -> None:
    assert earned(value("a", 6, passed=True), value("b", 4)) == [6, 0]


def test_one_slip_in_every_check_costs_a_quarter_of_the_task() -> None:
    assert earned(*(value(name, 5, slip="not averaged") for name in "abcd")) == [0, 5, 5, 5]


def test_the_quarter_is_rounded_down_to_half_points() -> None:
    assert earned(*(value(name, 5, slip="not averaged") for name in "abc")) == [1.5, 5, 5]
    assert earned(value("a", 1, slip="not averaged")) == [0.75]


def test_a_quarter_is_of_the_whole_task_where_only_some_checks_are_run() -> None:
    checks = [value("a", 4, slip="not averaged"), rule("no_loop", 4, passed=True)]
    assert [float(one.points) for one in assign_credit(checks).values()] == [2, 4]
    credits = assign_credit(checks, {"sums": Fraction(20)})
    assert [float(one.points) for one in credits.values()] == [0, 4]
    assert credits["no_loop"].counts


def test_two_slips_cost_a_quarter_each() -> None:
    slips = ["not averaged", "not averaged", "no maximum subtracted", "no maximum subtracted"]
    assert earned(*(value(name, 5, slip=slip) for name, slip in zip("abcd", slips, strict=True))) == [
        0,
        5,
        0,
        5,
    ]


def test_an_answer_nearly_right_shows_the_slip_that_other_checks_name() -> None:
    checks = [value("a", 5, slip=""), value("b", 5, slip="not averaged"), value("c", 10, passed=True)]
    assert earned(*checks) == [0, 5, 10]
    assert earned(value("a", 5, slip=""), value("b", 5, slip=""), value("c", 10, passed=True)) == [0, 5, 10]


def test_what_is_more_than_a_slip_costs_its_own_check() -> None:
    checks = [value("a", 5), value("b", 5, slip="not averaged"), value("c", 5, slip="not averaged")]
    assert earned(*checks) == [0, 1.5, 5]


def test_what_is_nearly_right_shows_the_slip_that_costs_most() -> None:
    shown = [
        value("a", 1, slip=""),
        value("b", 1, slip="y"),
        value("c", 1, slip="x"),
        value("d", 3, slip="y"),
    ]
    assert sum(earned(*shown)) == 3.5
    assert sum(earned(shown[0], value("b", 1, passed=True), *shown[2:])) == 3.5


def test_a_stub_earns_nothing_by_keeping_to_the_rules() -> None:
    checks = [value("a", 6), rule("no_loop", 4, passed=True)]
    assert earned(*checks) == [0, 0]
    assert not assign_credit(checks)["no_loop"].counts


def test_rules_count_once_half_of_the_values_are_right() -> None:
    right = [value("a", 5, passed=True), value("b", 5), rule("no_loop", 4, passed=True)]
    assert earned(*right) == [5, 0, 4]
    wrong = [value("a", 4, passed=True), value("b", 6), rule("no_loop", 4, passed=True)]
    assert earned(*wrong) == [4, 0, 0]
    broken = [value("a", 5, passed=True), rule("no_loop", 4, passed=False)]
    assert earned(*broken) == [5, 0]
    assert assign_credit(broken)["no_loop"].counts


def test_tasks_do_not_share() -> None:
    other = Judged("d", "means", "value", Fraction(8), False, "not averaged")
    assert earned(value("a", 8, slip="not averaged"), other) == [6, 6]


def test_a_line_that_raises_costs_a_quarter_where_a_third_of_the_values_is_right() -> None:
    line = "sums.py, line 7"
    right = value("a", 8, passed=True)
    assert earned(right, value("c", 4, raised=line), value("d", 4, raised=line)) == [8, 0, 4]
    assert earned(right, value("c", 16, raised=line)) == [8, 10]
    assert earned(right, value("c", 17, raised=line)) == [8, 0]
    assert earned(right, value("b", 4), value("c", 4, raised=line)) == [8, 0, 0]


def test_a_line_that_raises_in_nearly_all_hidden_checks_is_no_slip() -> None:
    public = value("a", 8, passed=True)
    two, line = Fraction(2), "line 7"
    hidden = [Judged("b", "sums", "value", two, True, hidden=True)]
    hidden += [Judged(id, "sums", "value", two, False, raised=line, hidden=True) for id in "cde"]
    assert earned(public, *hidden[:3]) == [8, 2, 0, 0.5]
    assert earned(public, *hidden) == [8, 2, 0, 0, 0]


def test_two_lines_that_raise_are_two_slips() -> None:
    right = [value("a", 4, passed=True), value("b", 4, raised="line 7"), value("c", 4, raised="line 9")]
    assert earned(*right) == [4, 1, 1]


def test_a_rule_that_could_not_be_judged_for_an_exception_earns_nothing() -> None:
    broken = Judged("no_loop", "sums", "constraint", Fraction(4), False, None, "line 7")
    assert earned(value("a", 6, passed=True), value("b", 6, raised="line 7"), broken) == [6, 2, 0]


CHECKS = st.lists(
    st.tuples(
        st.sampled_from(["value", "constraint"]),
        st.integers(1, 20),
        st.booleans(),
        st.sampled_from([None, "", "x", "y"]),
        st.sampled_from([None, "line 7", "line 9"]),
    ),
    min_size=1,
    max_size=8,
)


@given(CHECKS)
def test_nobody_loses_by_passing_one_more_check(
    drawn: Sequence[tuple[str, int, bool, str | None, str | None]],
) -> None:
    checks = [
        Judged(str(i), "t", kind, Fraction(points), *((True,) if passed else (False, slip, line)))  # type: ignore[arg-type]
        for i, (kind, points, passed, slip, line) in enumerate(drawn)
    ]
    before = sum(credit.points for credit in assign_credit(checks).values())
    assert 0 <= before <= sum(check.points for check in checks)
    for i, check in enumerate(checks):
        better = [*checks[:i], Judged(check.id, "t", check.kind, check.points, True), *checks[i + 1 :]]
        assert sum(credit.points for credit in assign_credit(better).values()) >= before
