"""Slips in loops over pixels, most of which end in exceptions: each costs at most a quarter of its task.

All of its checks name the same likely cause. Each is a right solution with texts of one function replaced.
"""

from __future__ import annotations

import re
import tomllib

import pytest

from helpers.credit import MOST
from tests.support.in_process import ROOT, Grade, grade_all

pytestmark = pytest.mark.full
NAME = "more_convolutions"
FRESH = ROOT / "tests" / "course" / "fresh" / NAME
TASKS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())["tasks"]
POINTS = {task["id"]: task["points"] for task in TASKS}
TASK_OF = {"conv1d": "conv_1d_3d", "conv3d": "conv_1d_3d"}
PLACES, WINDOWS = "// stride places along the height", "// stride windows along the height"
ROWS = ("rows = (H + 2 * pad - HH) // stride + 1", "rows = -(-H // stride)")
COLS = ("cols = (W + 2 * pad - WW) // stride + 1", "cols = -(-W // stride)")
NO_STRIDE, EMPTY = "the stride was forgotten", "pad:-pad is empty"
STEP = [("i * stride + a", "i + a"), ("j * stride + d", "j + d")]
SLICES = ("xp[:, :, pad:pad + H, pad:pad + W] = x", "xp[:, :, pad:-pad, pad:-pad] = x")
STAMP = "i * stride:i * stride + HH, j * stride:j * stride + WW"
BIASES = "all is right but for the biases"
SLIPS: dict[tuple[str, str], tuple[str, list[tuple[str, str]]]] = {
    ("im2col", "a window at every pixel"): (
        WINDOWS,
        [(old.replace("HH", "height").replace("WW", "width"), new) for old, new in (ROWS, COLS)],
    ),
    ("average_pool", "a window at every pixel"): (
        WINDOWS,
        [
            ("rows = (H - height) // stride + 1", ROWS[1]),
            ("cols = (W - width) // stride + 1", COLS[1]),
        ],
    ),
    ("grouped_conv", "a place at every pixel"): (PLACES, [ROWS, COLS]),
    ("dilated_conv", "as many places as without gaps"): (
        PLACES,
        [
            ("rows = (H + 2 * pad - dilation * (HH - 1) - 1)", "rows = (H + 2 * pad - HH)"),
            ("cols = (W + 2 * pad - dilation * (WW - 1) - 1)", "cols = (W + 2 * pad - WW)"),
        ],
    ),
    ("dilated_conv", "a filter of dilation * HH pixels"): (
        PLACES,
        [("dilation * (HH - 1) - 1)", "dilation * HH)"), ("dilation * (WW - 1) - 1)", "dilation * WW)")],
    ),
    ("conv1d", "a place at every step"): (
        "// stride places along time",
        [("steps = (T + 2 * pad - K) // stride + 1", "steps = -(-T // stride)")],
    ),
    ("conv3d", "a place at every pixel"): (
        "// stride places along the depth",
        [ROWS, COLS, ("depth = (D + 2 * pad - DD) // stride + 1", "depth = -(-D // stride)")],
    ),
    ("im2col", "empty slices"): (EMPTY, [SLICES]),
    ("dilated_conv", "empty slices"): (EMPTY, [SLICES]),
    ("grouped_conv", "empty slices"): (EMPTY, [SLICES]),
    ("conv1d", "empty slices"): (EMPTY, [("pad:pad + T] = x", "pad:-pad] = x")]),
    ("conv3d", "empty slices"): (
        EMPTY,
        [("pad:pad + D, pad:pad + H, pad:pad + W] = x", "pad:-pad, pad:-pad, pad:-pad] = x")],
    ),
    ("transposed_conv", "empty slices"): (EMPTY, [("pad:rows - pad, pad:cols - pad", "pad:-pad, pad:-pad")]),
    ("transposed_conv", "stride times as many rows"): (
        "need (H - 1) * stride + HH rows",
        [("(H - 1) * stride + HH", "H * stride"), ("(W - 1) * stride + WW", "W * stride")],
    ),
    ("transposed_conv", "stamps as large as the stride"): (
        "need (H - 1) * stride + HH rows",
        [(STAMP, "i * stride:(i + 1) * stride, j * stride:(j + 1) * stride")],
    ),
    ("transposed_conv", "filters first"): (
        "w has the shape (C, F, HH, WW)",
        [("    _, F, HH, WW = w.shape", "    F, _, HH, WW = w.shape"), ("* w[c]", "* w[:, c]")],
    ),
    ("transposed_conv", "channels take the place of one another"): (
        "stamps add up, over all channels",
        [("] += x[n, c", "] = x[n, c")],
    ),
    ("im2col", "no stride"): (NO_STRIDE, STEP),
    ("average_pool", "no stride"): (NO_STRIDE, STEP),
    ("dilated_conv", "no stride"): (
        NO_STRIDE,
        [
            ("i * stride + a * dilation", "i + a * dilation"),
            ("j * stride + d * dilation", "j + d * dilation"),
        ],
    ),
    ("transposed_conv", "no stride"): (NO_STRIDE, [(STAMP, "i:i + HH, j:j + WW")]),
    ("conv1d", "no stride"): (NO_STRIDE, [("t * stride:t * stride + K", "t:t + K")]),
    ("transposed_conv", "all biases everywhere"): (BIASES, [("out[:, f] += b[f]", "out += b[f]")]),
    ("dilated_conv", "a bias for each entry"): (BIASES, [(".sum(1)", ".sum(1) + b[f]")]),
    ("grouped_conv", "groups of filters"): (
        "filter f belongs to group f // (F / groups)",
        [("g = f // (F // groups)", "g = f // groups")],
    ),
    ("im2col", "the first image"): ("only the first image", [("for n in range(N)", "for n in range(1)")]),
    ("conv3d", "no padded depth"): (
        "not all axes were padded",
        [
            ("(N, C, D + 2 * pad,", "(N, C, D,"),
            ("pad:pad + D, pad:pad + H", "0:D, pad:pad + H"),
            ("depth = (D + 2 * pad - DD)", "depth = (D - DD)"),
        ],
    ),
}
"""By function and what is wrong: what the cause says, and texts of right loops with those in their place."""
MIXED = "float32 and float64 are mixed"
OF_COLUMNS = {("dilated_conv", "float32 and float64"): (MIXED, [("w.new_zeros(", "torch.zeros(")])}
"""The same in a solution by matrix products."""


def spoil(file: str, function: str, texts: list[tuple[str, str]]) -> str:
    """Return a right solution with texts of one function replaced."""
    source = (FRESH / f"{file}.py").read_text()
    (right,) = re.findall(rf"^def {function}\(.*?(?=^def |\Z)", source, re.MULTILINE | re.DOTALL)
    wrong = right
    for old, new in texts:
        assert wrong.count(old) == 1, (function, old)
        wrong = wrong.replace(old, new)
    return source.replace(right, wrong)


SOURCES = {key: spoil("right_naive_loops", key[0], texts) for key, (_, texts) in SLIPS.items()}
SOURCES |= {key: spoil("right_columns_everywhere", key[0], texts) for key, (_, texts) in OF_COLUMNS.items()}
CAUSES = {key: cause for key, (cause, _) in (SLIPS | OF_COLUMNS).items()}


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of all slips."""
    jobs = {" ".join(key): (source, "key") for key, source in SOURCES.items()}
    return grade_all(NAME, jobs, tmp_path_factory.mktemp("slips"))


@pytest.mark.parametrize("key", SOURCES, ids=" ".join)
def test_a_slip_costs_at_most_a_quarter_of_its_task(grades: dict[str, Grade], key: tuple[str, str]) -> None:
    grade, task = grades[" ".join(key)], TASK_OF.get(key[0], key[0])
    failed = [test for test in grade.tests.values() if not test.passed]
    assert {test.task for test in failed} == {task}
    assert 0 < POINTS[task] - grade.points[task] <= MOST * POINTS[task]
    assert [test.id for test in failed if CAUSES[key] not in test.problem] == []


@pytest.mark.parametrize("key", SOURCES, ids=" ".join)
def test_a_public_check_shows_a_slip(grades: dict[str, Grade], key: tuple[str, str]) -> None:
    tests = grades[" ".join(key)].tests
    assert any(not test.passed for name, test in tests.items() if name.startswith("test_public"))
