"""Thresholds come from what the reference reaches under many secrets, with evidence beside them."""

from __future__ import annotations

import random
import re
from pathlib import Path

import numpy
import pytest
import torch
from typer.testing import CliRunner, Result

from autograder.authoring import calibration, variants
from autograder.commands import terminal
from autograder.commands.main import app
from autograder.course import Course, thresholds
from autograder.course.assignment import Assignment, load
from autograder.course.thresholds import RIGHT_PART, WEAK_PART, Thresholds, factor
from autograder.errors import ConfigError, SuiteError
from helpers.testing.failures import CheckFailure
from tests.support import tiny

HIDDEN = '''import pytest
import torch

import tiny_module
from autograder.course.hidden_generators import hidden_generator
from autograder.course.thresholds import Thresholds


@pytest.mark.task("double")
def test_reaches():
    """Reaches some number."""
    x = torch.{distribution}(size=(200,), generator=hidden_generator("tiny", "reaches"), {arguments})
    Thresholds("tiny").require("mean of twice", tiny_module.double(x).mean().item(), what="the mean")


@pytest.mark.task("table")
def test_table_hidden():
    """Keeps a thing."""
    tiny_module.Table().add("a", 1)
'''
WEAK = """[[weak]]
name = "half of it"
threshold = "mean of twice"
old = "2 * x"
new = "1 * x"
"""
NORMAL = HIDDEN.format(distribution="normal", arguments="mean=50.0, std=10.0")


def write(folder: Path, hidden: str = NORMAL, weak: str = WEAK) -> Assignment:
    """Write the tiny course with a suite that asks for a threshold."""
    _, assignment = tiny.write_course(folder, hidden=hidden)
    (assignment.suite / "weak.toml").write_text(weak)
    return assignment


def calibrate(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["calibrate", "tiny", "--course", str(folder), *words])


def check(folder: Path, source: str) -> Result:
    path = folder / "tiny_module.py"
    path.write_text(source)
    return CliRunner().invoke(app, ["check", str(path), "--course", str(folder)])


@pytest.mark.parametrize(
    ("count", "part", "table"),
    [(10, 0.99, 3.981), (20, 0.99, 3.295), (50, 0.99, 2.863), (10, 0.9999, 6.219), (50, 0.9999, 4.513)],
)
def test_the_factors_are_those_of_a_tolerance_limit(count: int, part: float, table: float) -> None:
    """As in the tables of one-sided tolerance limits, but rounded up."""
    assert 0 <= factor(count, part) - table < 0.1


@pytest.mark.parametrize("count", [20, 33, 100])
@pytest.mark.parametrize("part", [RIGHT_PART, WEAK_PART])
def test_a_limit_from_normal_values_holds_as_often_as_it_says(count: int, part: float) -> None:
    """Of many samples, at least 95 of 100 have a limit beyond which no more values lie than is said."""
    values = numpy.random.default_rng(count).normal(size=(20_000, count))
    limits = values.mean(axis=1) + factor(count, part) * values.std(axis=1, ddof=1)
    assert (torch.special.ndtr(torch.from_numpy(limits)).numpy() >= part).mean() >= 0.945


@pytest.mark.full
def test_calibrating_writes_the_evidence_and_the_suite_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "EVERY_SECONDS", 0)
    graded = tmp_path / "graded"
    once = f"assert not Path({str(graded)!r}).exists()\n    Path({str(graded)!r}).touch()"
    write(tmp_path, f"from pathlib import Path\n{NORMAL}    {once}\n")
    done = calibrate(tmp_path)
    assert done.exit_code == 0, done.output
    assert "Calibrating: 1 of " in done.stderr
    assert graded.exists(), "a task without a threshold is graded once"
    (tmp_path / "autograder/suites/tiny/test_hidden.py").write_text(NORMAL)
    path = tmp_path / "autograder/suites/tiny/thresholds.toml"
    (known,) = thresholds.read(path).items()
    assert known[0] == "mean of twice"
    evidence = known[1]
    values = [float(value) for value in evidence.values]
    assert len(set(values)) == 20
    assert abs(sum(values) / 20 - 100) < 2
    assert abs(float(evidence.mean) - sum(values) / 20) < 1e-3
    assert abs(float(evidence.threshold) - (float(evidence.mean) - 5.2 * float(evidence.sd))) < 1e-3
    assert evidence.normal_p > 0.01
    (weak,) = evidence.weak
    assert (weak.name, len(weak.values)) == ("half of it", 20)
    assert abs(float(weak.mean) - 50) < 1
    assert weak.mean < weak.most < evidence.threshold
    assert "half of it:" in done.stdout
    assert "10 of 10 points" in check(tmp_path, tiny.REFERENCE).stdout
    worse = check(tmp_path, tiny.REFERENCE.replace("2 * x", "1.8 * x"))
    assert "4 of 10 points" in worse.stdout
    assert not (tmp_path / ".coursegrad" / "calibration.jsonl").exists()


def test_a_threshold_without_evidence_names_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course, _ = tiny.write_course(tmp_path, hidden=NORMAL)
    monkeypatch.setattr("autograder.course._current", Course.load(course.root))
    with pytest.raises(SuiteError, match="run: autograder calibrate tiny"):
        Thresholds("tiny").require("mean", 1.0, what="the mean")
    path = course.root / "autograder/suites/tiny/thresholds.toml"
    path.write_text(thresholds.render("tiny", {"mean": thresholds.evidence([1.0, 3.0] * 10)}))
    Thresholds("tiny").require("mean", 1.0, what="the mean")
    with pytest.raises(CheckFailure, match="at least"):
        Thresholds("tiny").require("mean", -4.0, what="the mean")
    with pytest.raises(CheckFailure):
        Thresholds("tiny").require("mean", float("nan"), what="the mean")


def test_the_best_of_several_numbers_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course, _ = tiny.write_course(tmp_path, hidden=NORMAL)
    monkeypatch.setattr("autograder.course._current", Course.load(course.root))
    path = course.root / "autograder/suites/tiny/thresholds.toml"
    path.write_text(thresholds.render("tiny", {"mean": thresholds.evidence([1.0, 3.0] * 10)}))
    numbers = iter([-9.0, 2.0, 3.0])
    Thresholds("tiny").require_best("mean", numbers, what="the mean")
    assert next(numbers) == 3.0, "no more are taken than are needed"
    with pytest.raises(CheckFailure, match="at least") as caught:
        Thresholds("tiny").require_best("mean", [-9.0, -4.0, -5.0], what="the mean")
    with pytest.raises(CheckFailure, match=r"likely cause: too slow$"):
        Thresholds("tiny").require_best("mean", [-9.0, -4.0], what="the mean", causes=["lost", "too slow"])
    assert caught.value.actual_value == "-4"
    for none in ([], [-9.0, float("nan"), 2.0]):
        with pytest.raises(CheckFailure, match="not finite"):
            Thresholds("tiny").require_best("mean", none, what="the mean")


def test_calibration_notes_what_is_graded_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course, _ = tiny.write_course(tmp_path, hidden=NORMAL)
    monkeypatch.setattr("autograder.course._current", Course.load(course.root))
    thresholds.notebook(course.root).parent.mkdir(exist_ok=True)
    thresholds.notebook(course.root).touch()
    Thresholds("tiny").require_best("mean", iter([2.0, 5.0, 3.0]), what="the mean")
    Thresholds("tiny").require("other", 1, what="another")
    noted = thresholds.take_notes(course.root)
    assert {name: note.value for name, note in noted.items()} == {"mean": 5.0, "other": 1.0}
    assert thresholds.take_notes(course.root) == {}


def test_values_that_are_not_normal_are_refused(tmp_path: Path) -> None:
    _, assignment = tiny.write_course(tmp_path)
    with pytest.raises(SuiteError, match="the values of 'mean' are not normally distributed"):
        calibration.gather_evidence(assignment, "mean", [*[50.0] * 18, 49.0, 3.0], 20, {})
    with pytest.raises(SuiteError, match="'mean' was asked for 3 times in 20 runs"):
        calibration.gather_evidence(assignment, "mean", [1.0, 2.0, 3.0], 20, {})


def test_a_weak_solution_that_comes_too_close_is_refused(tmp_path: Path) -> None:
    _, assignment = tiny.write_course(tmp_path)
    source = random.Random(1)
    right = [source.gauss(92, 1) for _ in range(20)]
    weak = {"one epoch": [source.gauss(50, 1) for _ in range(20)]}
    evidence = calibration.gather_evidence(assignment, "accuracy", right, 20, weak)
    assert weak.keys() == {one.name for one in evidence.weak}
    weak["three epochs"] = [source.gauss(85, 2) for _ in range(20)]
    with pytest.raises(SuiteError) as caught:
        calibration.gather_evidence(assignment, "accuracy", right, 20, weak)
    assert (
        "no threshold of 'accuracy' tells right from weak: a right solution may reach as little as 8"
        in str(caught.value)
    )
    assert "'three epochs' as much as 9" in str(caught.value)


NOTHING = WEAK.replace('new = "1 * x"', 'new = "None"')
REFUSED = {
    "none is named": (
        '[[weak]]\nname = "a"\nthreshold = "b"\nold = "2 * x"\n',
        "no weak solution for the threshold 'mean of twice'",
    ),
    "another threshold": (
        f'{WEAK}\n[[weak]]\nname = "a"\nthreshold = "b"\nold = "2 * x"\n',
        "names the threshold 'b'",
    ),
    "fails before": (NOTHING, "the weak solution 'half of it' fails before 'mean of twice' is asked for"),
    "changes nothing": (WEAK.replace("2 * x", "7 * x"), "tiny_module.py holds `old` 0 times"),
    "no weights": (WEAK + 'weights = { "a.pt" = "b.pt" }\n', "expected either `old` and `new`, or `weights`"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_wrong_with_weak_solutions_is_said_before_minutes_go_by(kind: str, tmp_path: Path) -> None:
    weak, told = REFUSED[kind]
    write(tmp_path, weak=weak)
    done = calibrate(tmp_path)
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_suite_without_weak_solutions_names_the_page(tmp_path: Path) -> None:
    tiny.write_course(tmp_path, hidden=NORMAL)
    done = calibrate(tmp_path)
    assert (
        "weak.toml: names no weak solution for the threshold 'mean of twice'; add one, as docs/suites.md"
        in done.stderr
    )


def test_weak_weights_take_the_place_of_the_references(tmp_path: Path) -> None:
    shipped = Course.find(Path(__file__).parents[3])
    assignment = load(shipped, "two_layer_net")
    weak = next(one for one in variants.read(assignment, variants.WEAK) if one.threshold == "saved weights")
    content = (assignment.suite / "weak" / "linear.pt").read_bytes()
    assert weak.submission.files["best_two_layer_net.pt"] == content
    assert weak.submission.files["two_layer_net.py"] == (assignment.folder / "two_layer_net.py").read_bytes()


def test_the_right_solution_that_reaches_least_decides(tmp_path: Path) -> None:
    _, assignment = tiny.write_course(tmp_path)
    source = random.Random(3)
    reference, momentum = ([source.gauss(mean, 1) for _ in range(20)] for mean in (92, 80))
    weak = {"one epoch": [source.gauss(50, 1) for _ in range(20)]}
    evidence = calibration.gather_evidence(
        assignment, "accuracy", reference, 20, weak, {"momentum": momentum}
    )
    (other,) = evidence.right
    assert (evidence.threshold, other.name) == (other.least, "momentum")
    assert abs(float(other.least) - (float(other.mean) - 5.2 * float(other.sd))) < 1e-3
    better = calibration.gather_evidence(assignment, "accuracy", momentum, 20, weak, {"sgd": reference})
    assert better.threshold == other.least
    odd = {"momentum": [*[50.0] * 18, 49.0, 3.0]}
    with pytest.raises(SuiteError, match="the values of 'accuracy' of 'momentum' are not normally"):
        calibration.gather_evidence(assignment, "accuracy", reference, 20, weak, odd)


def test_a_right_solution_is_named_beside_the_suite(tmp_path: Path) -> None:
    assignment = write(tmp_path)
    right = WEAK.replace("weak", "right").replace("half of it", "x + x").replace('"1 * x"', '"x + x"')
    (assignment.suite / "right.toml").write_text(right)
    (found,) = variants.read(assignment, variants.RIGHT)
    assert (found.name, found.file) == ("x + x", "right.toml")
    assert b"return x + x" in found.submission.files["tiny_module.py"]
    (assignment.suite / "right.toml").write_text(WEAK)
    with pytest.raises(ConfigError, match="right"):
        variants.read(assignment, variants.RIGHT)
    (assignment.suite / "right.toml").write_text(right.replace("mean of twice", "another"))
    done = calibrate(tmp_path)
    assert done.exit_code == 2
    assert "right.toml: names the threshold 'another'" in done.stderr


@pytest.mark.parametrize("name", Course.find(Path(__file__).parents[3]).assignments())
def test_shipped_thresholds_lie_between_right_and_weak(name: str) -> None:
    assignment = load(Course.find(Path(__file__).parents[3]), name)
    known = thresholds.read(assignment.suite / thresholds.FILE)
    weak, right = (variants.read(assignment, file) for file in (variants.WEAK, variants.RIGHT))
    assert {one.threshold for one in weak} == known.keys()
    assert {(one.threshold, one.name) for one in weak} == {
        (threshold, solution.name) for threshold, one in known.items() for solution in one.weak
    }
    assert {(one.threshold, one.name) for one in right} == {
        (threshold, solution.name) for threshold, one in known.items() for solution in one.right
    }
    for one in known.values():
        assert all(solution.most < one.threshold for solution in one.weak)
        assert one.threshold < min(value for solution in (one, *one.right) for value in solution.values)


STATED = {
    "fully_connected_networks": "must learn to get {} percent of new pictures",
    "convolutional_networks": "to recognize {} percent of new pictures",
}


@pytest.mark.parametrize("name", STATED)
def test_whoever_reaches_what_students_are_told_passes(name: str) -> None:
    assignment = load(Course.find(Path(__file__).parents[3]), name)
    threshold = thresholds.read(assignment.suite / thresholds.FILE)["accuracy"].threshold
    stub = (Path(__file__).parents[3] / "assignments" / name / f"{name}.py").read_text()
    (told,) = re.findall(STATED[name].format(r"(\d+)"), " ".join(stub.split()))
    assert threshold <= int(told) < threshold + 2


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    source = random.Random(2)
    right = {"momentum": [source.gauss(90, 2) for _ in range(20)]}
    weak = {'half of "it"': [source.gauss(50, 2) for _ in range(20)], "none": [1.0] * 20}
    found = {
        name: thresholds.evidence([source.gauss(80, 2) for _ in range(20)], weak, right)
        for name in ('a "b"', "c")
    }
    path = tmp_path / "thresholds.toml"
    path.write_text(thresholds.render("tiny", found))
    assert thresholds.read(path) == found
    one = found["c"]
    assert abs(float(one.threshold) - (float(one.mean) - 5.2 * float(one.sd))) < 1e-3


def test_a_reference_that_fails_is_named(tmp_path: Path) -> None:
    write(tmp_path, NORMAL.replace('add("a", 1)', 'add("a")'))
    done = calibrate(tmp_path)
    assert done.exit_code == 2
    assert "test_hidden.py::test_table_hidden: the reference fails this test" in done.stderr


@pytest.mark.full
def test_a_suite_without_thresholds(tmp_path: Path) -> None:
    tiny.write_course(tmp_path)
    done = calibrate(tmp_path)
    assert (done.exit_code, done.stdout) == (0, "tiny: the suite uses no thresholds.\n")


def test_false_failures_are_rare() -> None:
    source, failed = random.Random(5), 0
    for _ in range(2_000):
        sample = [source.gauss(70, 3) for _ in range(20)]
        failed += source.gauss(70, 3) < float(thresholds.evidence(sample).threshold)
    assert failed <= 1
