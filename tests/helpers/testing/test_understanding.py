"""Tests of helpers.testing.understanding: what rules about source know, and what they do not."""

from __future__ import annotations

import pytest

from helpers.source import links
from helpers.source.facts import scan
from tests.support import classes, source_rules, work
from tests.support.evasive_code import AUTOGRAD, LOOPS, NAMES, PATCHES
from tests.support.honest_code import WITH_LOOPS, WITHOUT_LOOPS
from tests.support.source_rules import SourceRule

PLAIN = {"banned": [*source_rules.CONVNETS, "torch.cdist"], "allowed": source_rules.PAD}
NO_LOOP = {"loops": 0}


def verdict(source: str, **asks: object) -> str | None:
    """Return what a rule says about the function `f` of a file, or None if it holds."""
    return source_rules.verdict(scan(source), SourceRule("", "", "f", dict(asks)))


@pytest.mark.parametrize("source", WITHOUT_LOOPS.values(), ids=WITHOUT_LOOPS)
def test_honest_code_without_loops_keeps_every_rule(source: str) -> None:
    compile(source, "honest.py", "exec")
    assert verdict(source, **PLAIN) is None
    assert verdict(source, **NO_LOOP) is None
    assert verdict(source, **PLAIN, **NO_LOOP) is None


@pytest.mark.parametrize("source", WITH_LOOPS.values(), ids=WITH_LOOPS)
def test_honest_code_with_loops_keeps_the_rules_that_allow_them(source: str) -> None:
    compile(source, "honest.py", "exec")
    assert verdict(source, **PLAIN) is None


@pytest.mark.parametrize("source", LOOPS.values(), ids=LOOPS)
def test_a_loop_counts_by_whatever_road(source: str) -> None:
    compile(source, "evasion.py", "exec")
    assert verdict(source, **NO_LOOP) is not None


@pytest.mark.parametrize("source", NAMES.values(), ids=NAMES)
def test_what_is_not_known_is_named(source: str) -> None:
    compile(source, "evasion.py", "exec")
    assert verdict(source, **PLAIN) is not None


@pytest.mark.parametrize("source", AUTOGRAD.values(), ids=AUTOGRAD)
def test_automatic_differentiation_is_found(source: str) -> None:
    compile(source, "evasion.py", "exec")
    assert verdict(source, banned=["torch.autograd"]) is not None


@pytest.mark.parametrize("source", PATCHES.values(), ids=PATCHES)
def test_a_file_that_changes_functions_is_refused(source: str) -> None:
    compile(source, "evasion.py", "exec")
    assert verdict(source, **PLAIN) is not None
    assert verdict(source, **NO_LOOP) is not None


@pytest.mark.parametrize("name", classes.NAMES)
def test_the_reference_and_right_students_keep_every_rule(name: str) -> None:
    right = [key for key, entry in classes.read_expected(name).items() if entry.reason.startswith("right: ")]
    folders = [classes.ROOT / "solutions" / name, *(classes.CLASSES / name / key for key in right)]
    assert len(folders) > 3
    for folder in folders:
        for rule, said in source_rules.verdicts(name, folder, classes.ROOT / "assignments" / name):
            assert said is None, f"{folder.name}, {rule.function}: {said}"


def test_a_call_of_what_another_file_passes_on_leads_there() -> None:
    helper = scan("import torch\nTABLE = [lambda x: torch.cdist(x, x)]")
    task = scan("import helper\ndef f(x): return helper.TABLE[0](x)")
    linked = links.link({"task": task, "helper": helper}, "task", {})
    assert source_rules.verdict(linked, SourceRule("", "", "f", {"banned": ["torch.cdist"]})) is not None


def test_methods_of_an_unknown_object_are_followed_in_linear_time() -> None:
    def follow(count: int) -> None:
        classes_ = "".join(f"class C{i}:\n def go(self, x): return x.go(x)\n" for i in range(count))
        assert scan(f"{classes_}def f(x): return x.go(x)").function("f").loops

    few, many = (work.calls_of(lambda n=n: follow(n)) for n in (100, 1000))
    assert many < 11 * few


def test_calls_of_values_are_followed_in_linear_time() -> None:
    def follow(count: int) -> None:
        functions = "".join(f"def g{i}(me): return me(g{i})\n" for i in range(count))
        assert scan(f"{functions}def f(x): return x[0](g0)").function("f").loops

    few, many = (work.calls_of(lambda n=n: follow(n)) for n in (100, 1000))
    assert many < 11 * few


def test_the_student_reads_the_line_and_the_name() -> None:
    said = verdict("import timeit\ndef f(x):\n    return timeit.timeit('x')", **PLAIN)
    assert said == "uses timeit.timeit, which this check does not know; line 3 (timeit.timeit)"
