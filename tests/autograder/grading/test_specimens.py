"""Tests of submissions that are made of an assignment: the reference with one function changed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autograder import course
from autograder.course import assignment
from autograder.engine.pool import Pool
from autograder.grading import specimens

ROOT = Path(__file__).parents[3]
COURSE = course.Course.load(ROOT)


@pytest.mark.parametrize("name", COURSE.assignments())
def test_functions_are_those_that_stubs_leave_open(name: str) -> None:
    one = assignment.load(COURSE, name)
    stubs = b"\n".join(specimens.stub(one).files.values()).decode()
    left_open = re.findall(r'raise NotImplementedError\("\w+: ([\w.]+)"\)', stubs)
    assert {function.name for function in specimens.find_student_functions(one)} == set(left_open)


def test_one_body_is_replaced_and_nothing_else() -> None:
    one = assignment.load(COURSE, "knn")
    (chosen,) = (
        function
        for function in specimens.find_student_functions(one)
        if function.name == "KnnClassifier.predict"
    )
    made = specimens.with_body(one, chosen, "x = 1\nreturn x").files["knn.py"].decode()
    before = specimens.reference(one).files["knn.py"].decode()
    assert "        x = 1\n        return x\n" in made
    assert made.split('"""')[:3] == before.split('"""')[:3]
    assert made.partition("def check_accuracy")[2] == before.partition("def check_accuracy")[2]
    assert made.count('"""') == before.count('"""')


def test_a_pool_runs_the_tests_of_chosen_tasks_alone() -> None:
    one = assignment.load(COURSE, "knn")
    with Pool(one, COURSE, jobs=1, sandbox="full", tasks=["best_k"]) as pool:
        (graded,) = pool.grade([specimens.reference(one)])
        assert {test.task for test in pool.plan} == {"best_k"}
    assert [outcome.id for outcome in graded.outcomes] == [test.id for test in pool.plan]
    assert {str(outcome.status) for outcome in graded.outcomes} == {"passed"}
