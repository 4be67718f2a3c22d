"""Thresholds come from what the reference reaches under many secrets, with evidence beside them."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
import tiny
from scipy.stats import nct, norm
from typer.testing import CliRunner, Result

from autograder import calibration, thresholds
from autograder.cli import app
from autograder.course import Course
from autograder.errors import SuiteError
from autograder.thresholds import FACTORS, Thresholds
from helpers.failures import CheckFailure

HIDDEN = '''import pytest
import torch

import tiny_module
from autograder.seeds import hidden_generator
from autograder.thresholds import Thresholds


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
NORMAL = HIDDEN.format(distribution="normal", arguments="mean=50.0, std=10.0")


def calibrate(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["calibrate", "tiny", "--course", str(folder), *words])


def check(folder: Path, source: str) -> Result:
    path = folder / "tiny_module.py"
    path.write_text(source)
    return CliRunner().invoke(app, ["check", str(path), "--course", str(folder)])


@pytest.mark.parametrize("count", FACTORS)
def test_the_factors_are_those_of_a_tolerance_limit(count: int) -> None:
    exact = nct.ppf(0.95, count - 1, norm.ppf(0.9999) * math.sqrt(count)) / math.sqrt(count)
    assert 0 <= FACTORS[count] - exact < 0.04


@pytest.mark.full
def test_calibrating_writes_the_evidence_and_the_suite_uses_it(tmp_path: Path) -> None:
    tiny.write_course(tmp_path, hidden=NORMAL)
    done = calibrate(tmp_path)
    assert done.exit_code == 0, done.output
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


def test_values_that_are_not_normal_are_refused(tmp_path: Path) -> None:
    _, assignment = tiny.write_course(tmp_path)
    with pytest.raises(SuiteError, match="the values of 'mean' are not normally distributed"):
        calibration.checked(assignment, "mean", [*[50.0] * 18, 49.0, 3.0], 20)
    with pytest.raises(SuiteError, match="'mean' was asked for 3 times in 20 runs"):
        calibration.checked(assignment, "mean", [1.0, 2.0, 3.0], 20)


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    source = random.Random(2)
    found = {name: thresholds.evidence([source.gauss(80, 2) for _ in range(20)]) for name in ('a "b"', "c")}
    path = tmp_path / "thresholds.toml"
    path.write_text(thresholds.render("tiny", found))
    assert thresholds.read(path) == found
    one = found["c"]
    assert abs(float(one.threshold) - (float(one.mean) - 5.2 * float(one.sd))) < 1e-3


def test_a_reference_that_fails_is_named(tmp_path: Path) -> None:
    tiny.write_course(tmp_path, hidden=NORMAL.replace('add("a", 1)', 'add("a")'))
    done = calibrate(tmp_path)
    assert done.exit_code == 2
    assert "test_table_hidden fails on the reference" in done.stderr


@pytest.mark.full
def test_a_suite_without_thresholds(tmp_path: Path) -> None:
    tiny.write_course(tmp_path)
    done = calibrate(tmp_path)
    assert (done.exit_code, done.stdout) == (0, "tiny: its suite asks for no threshold.\n")


def test_false_failures_are_rare() -> None:
    source, failed = random.Random(5), 0
    for _ in range(2_000):
        sample = [source.gauss(70, 3) for _ in range(20)]
        failed += source.gauss(70, 3) < float(thresholds.evidence(sample).threshold)
    assert failed <= 1
