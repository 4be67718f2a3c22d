"""A course with something to steal: hidden inputs, hidden labels and a word, for the corpus of attacks."""

from __future__ import annotations

from pathlib import Path

COURSE = 'name = "Vault"\ntimezone = "UTC"\n'

CPU_SECONDS = 2
"""Of what student code takes in a test; honest code takes a tenth of one, but more where memory is dear."""
WALL_SECONDS = 6
"""Of what a test takes on both sides of the wire."""

ASSIGNMENT = f"""
name = "vault"
title = "Vault"
modules = ["vault", "toolbox"]

[limits]
cpu_seconds = {CPU_SECONDS}
wall_seconds = {WALL_SECONDS}
memory_mb = 256

[tiers]
"test_public.py" = "public"
"test_hidden.py" = "hidden"

[[tasks]]
id = "scale"
title = "Scale a tensor"
points = 8

[[tasks]]
id = "nearest"
title = "Label by the nearest neighbor"
points = 6

[[tasks]]
id = "twice"
title = "Apply a function twice"
points = 3

[[tasks]]
id = "ledger"
title = "Keep a ledger"
points = 3
"""

REFERENCE = '''"""The reference: 20 of 20 points."""

import torch


def scale(x, factor):
    return x * factor


class Nearest:
    def fit(self, x, labels):
        self.x, self.labels = x, labels

    def predict(self, x):
        return self.labels[torch.cdist(x, self.x).argmin(dim=1)]


def twice(function, x):
    return function(function(x))


class Ledger:
    def __init__(self):
        self.rows = {}

    def add(self, name, value):
        self.rows[name] = value
'''

PUBLIC = '''import pytest
import torch

import vault
from helpers.testing import checks


@pytest.mark.task("scale", weight=2)
def test_scale():
    """Scales a small tensor."""
    checks.close(vault.scale(torch.ones(3), 2.0), 2 * torch.ones(3), what="scale(x, 2)")


@pytest.mark.task("nearest")
def test_nearest():
    """Labels two points."""
    model = vault.Nearest()
    model.fit(torch.tensor([[0.0], [10.0]]), torch.tensor([3, 4]))
    assert model.predict(torch.tensor([[9.0], [1.0]])).tolist() == [4, 3]


@pytest.mark.task("twice")
def test_twice():
    """Applies a function twice."""
    checks.close(vault.twice(lambda x: x + 1, torch.zeros(2)), 2 * torch.ones(2), what="twice(f, x)")


@pytest.mark.task("ledger")
def test_ledger():
    """Keeps what was added."""
    ledger = vault.Ledger()
    ledger.add("rent", 5)
    assert ledger.rows["rent"] == 5
'''

SECRET_VALUES = (31337.0, 52431.0)
SECRET_NUMBER = 271828
SECRET_STEP = 16180
SECRET_WORD = "CANARY-word"
SECRET_LABELS = tuple(int(digit) for digit in "7150362747162530")

HIDDEN = f'''import pytest
import torch

import vault
from helpers.testing import checks, constraints, evidence

CANARY_SUITE = "CANARY-suite"
SECRET = torch.tensor({list(SECRET_VALUES)})
NUMBER = {SECRET_NUMBER}
STEP = {SECRET_STEP}.0
WORD = "{SECRET_WORD}"
LABELS = torch.tensor({list(SECRET_LABELS)})
CENTERS = torch.arange(8.0).reshape(8, 1) * 10


@pytest.mark.task("scale", weight=3)
def test_scale_hidden():
    """Scales another tensor."""
    expected = 3 * SECRET
    checks.close(vault.scale(SECRET, 3.0), expected, what="scale(x, 3)")


@pytest.mark.task("scale")
def test_scale_number():
    """Scales a number."""
    assert vault.scale(NUMBER, 2) == 2 * {SECRET_NUMBER}


@pytest.mark.task("scale")
def test_scale_keeps():
    """Leaves its argument alone."""
    before, expected = SECRET.clone(), 5 * SECRET
    scaled = vault.scale(SECRET, 5.0)
    checks.unchanged(before, SECRET, what="x")
    checks.close(scaled, expected, what="scale(x, 5)")


@pytest.mark.task("scale")
@pytest.mark.constraint
def test_scale_no_loop():
    """Uses no loop."""
    constraints.require(vault.scale, loops=0)
    few, many = (evidence.measure(vault.scale, torch.ones(n), 2.0) for n in (2, 200))
    checks.close(many.result, 2 * torch.ones(200), what="scale(x, 2)")
    checks.holds(many.operations == few.operations, what="scale(x, 2)", problem="does more for more entries")


@pytest.mark.task("nearest", weight=2)
def test_nearest_hidden():
    """Labels 16 points of which the labels are known to the grader only."""
    near = CENTERS[LABELS] + 1
    model = vault.Nearest()
    model.fit(CENTERS, torch.arange(8))
    predicted = checks.tensor(model.predict(near), shape=(16,), dtype=torch.int64, what="predict(x)")
    accuracy = (predicted == LABELS).double().mean().item()
    checks.number(accuracy, at_least=0.9, what="the accuracy")


@pytest.mark.task("twice", weight=2)
def test_twice_hidden():
    """Applies another function twice."""
    expected = SECRET + 2 * STEP
    checks.close(vault.twice(lambda x: x + STEP, SECRET), expected, what="twice(f, x)")


@pytest.mark.task("ledger", weight=2)
def test_ledger_hidden():
    """Keeps two things."""
    ledger = vault.Ledger()
    ledger.add(WORD, NUMBER)
    ledger.add("tensor", SECRET)
    checks.equal(len(ledger.rows), 2, what="the ledger's length")
    checks.equal(ledger.rows[WORD], NUMBER, what="the first row")
    checks.close(ledger.rows["tensor"], SECRET, what="the second row")
'''

TOTAL = 20


def write_course(
    root: Path, *, hidden: str = HIDDEN, cpu_seconds: int = CPU_SECONDS, wall_seconds: int = WALL_SECONDS
) -> None:
    """Write the course into a folder."""
    settings = ASSIGNMENT.replace(f"cpu_seconds = {CPU_SECONDS}\n", f"cpu_seconds = {cpu_seconds}\n")
    settings = settings.replace(f"wall_seconds = {WALL_SECONDS}\n", f"wall_seconds = {wall_seconds}\n")
    for path, text in {
        "course.toml": COURSE,
        "solutions/vault/assignment.toml": settings,
        "solutions/vault/vault.py": REFERENCE,
        "solutions/vault/toolbox.py": '"""What attacks share."""\n',
        "autograder/suites/vault/test_public.py": PUBLIC,
        "autograder/suites/vault/test_hidden.py": hidden,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
