"""Images need not be squares: taking one side for the other is a single mistake, and costs no more than one.

It often ends in an exception, which shows nothing of what is right. So most checks are of square images.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from helpers.credit import MOST
from tests.support.in_process import ROOT, Grade, grade_all

NAME = "convolutional_networks"
REFERENCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text()
TASKS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())["tasks"]
POINTS = {task["id"]: task["points"] for task in TASKS}
TRAINING = ("overfit", "solver")
LOOPS = {
    "conv_forward": (
        "windows = padded.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)  # (N",
        "        return out, (x, w, b, conv_param)",
        """(HH, WW), (H, W) = w.shape[2:], padded.shape[2:]
        rows, columns = 1 + (H - HH) // stride, 1 + (W - WW) // stride
        out = x.new_zeros(len(x), len(w), rows, columns)
        for i in range(rows):
            for j in range(columns):
                window = padded[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                out[:, :, i, j] = torch.einsum("nchw,fchw->nf", window, w) + b
""",
    ),
    "conv_backward": (
        "windows = padded.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)\n        rows",
        "        return dx, dw, db",
        """(HH, WW), (H, W) = w.shape[2:], x.shape[2:]
        rows, columns = dout.shape[2:]
        dpadded, dw, db = torch.zeros_like(padded), torch.zeros_like(w), dout.sum(dim=(0, 2, 3))
        for i in range(rows):
            for j in range(columns):
                place = (..., slice(i * stride, i * stride + HH), slice(j * stride, j * stride + WW))
                dw += torch.einsum("nf,nchw->fchw", dout[:, :, i, j], padded[place])
                dpadded[place] += torch.einsum("nf,fchw->nchw", dout[:, :, i, j], w)
        dx = dpadded[:, :, pad : pad + H, pad : pad + W]
""",
    ),
    "max_pool_forward": (
        "out = x.unfold(2, height, stride)",
        "        return out, (x, pool_param)",
        """H, W = x.shape[2:]
        rows, columns = 1 + (H - height) // stride, 1 + (W - width) // stride
        out = x.new_zeros(*x.shape[:2], rows, columns)
        for i in range(rows):
            for j in range(columns):
                window = x[:, :, i * stride : i * stride + height, j * stride : j * stride + width]
                out[:, :, i, j] = window.amax(dim=(2, 3))
""",
    ),
    "max_pool_backward": (
        "largest = x.unfold(2, height, stride)",
        "        return dx\n",
        """H, W = x.shape[2:]
        rows, columns = dout.shape[2:]
        dx = x.new_zeros(*x.shape[:2], H, W)
        for i in range(rows):
            for j in range(columns):
                place = (..., slice(i * stride, i * stride + height), slice(j * stride, j * stride + width))
                window = x[place].flatten(2)
                largest = torch.zeros_like(window).scatter(2, window.argmax(dim=2, keepdim=True), 1.0)
                dx[place] += largest.reshape(x[place].shape) * dout[:, :, i, j, None, None]
""",
    ),
}
"""By task, where the solution begins and ends, and one in loops over places in its stead."""
MISTAKES = {
    "as wide as high": ("for j in range(columns)", "for j in range(rows)"),
    "rows and columns swapped": (
        "        for i in range(rows)",
        "        rows, columns = columns, rows\n        for i in range(rows)",
    ),
    "the height of the image": ("(W - ", "(H - "),
    "the size of a window": (" W - WW", " W - HH"),
    "a square in place of a window": ("j * stride + WW", "j * stride + HH"),
    "a square in place of a pooled window": ("j * stride + width", "j * stride + height"),
    "the height of the result": ("rows, columns)\n", "rows, rows)\n"),
    "a result on its side": ("rows, columns)\n", "columns, rows)\n"),
    "a gradient as wide as high": ("pad : pad + W", "pad : pad + H"),
}


def in_loops(task: str) -> str:
    """Return the reference with the solution of a task written in loops."""
    begin, end, loops = LOOPS[task]
    start = REFERENCE.index(begin)
    return REFERENCE[:start] + loops + REFERENCE[REFERENCE.index(end, start) :]


VARIANTS = {
    (task, mistake): in_loops(task).replace(LOOPS[task][2], LOOPS[task][2].replace(*texts))
    for task in LOOPS
    for mistake, texts in MISTAKES.items()
    if texts[0] in LOOPS[task][2]
} | {
    ("three_layer_net", "a layer for squares"): REFERENCE.replace("(H // 2) * (W // 2)", "(H // 2) ** 2"),
    ("deep_net", "a layer for squares"): REFERENCE.replace("weights(C * H * W,", "weights(C * H * H,"),
    ("deep_net", "the width not halved"): REFERENCE.replace("H, W = H // 2, W // 2", "H = H // 2"),
    ("spatial_batchnorm", "squares, forward"): REFERENCE.replace(
        "out.reshape(pixels.shape)", "out.reshape(len(x), x.shape[2], x.shape[2], x.shape[1])"
    ),
    ("spatial_batchnorm", "squares, backward"): REFERENCE.replace(
        "dx.reshape(pixels.shape)", "dx.reshape(len(dout), dout.shape[2], dout.shape[2], dout.shape[1])"
    ),
}


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grades of right loops, by their task, and of the mistakes."""
    jobs = {task: (in_loops(task), "key") for task in LOOPS}
    jobs |= {" ".join(variant): (source, "key") for variant, source in VARIANTS.items()}
    folder: Path = tmp_path_factory.mktemp("sides")
    return grade_all(NAME, jobs, folder, skipped=dict.fromkeys(jobs, TRAINING))


@pytest.mark.parametrize("task", LOOPS)
def test_right_loops_earn_everything(grades: dict[str, Grade], task: str) -> None:
    assert lost(grades[task]) == {}


@pytest.mark.parametrize("variant", VARIANTS, ids=" ".join)
def test_a_mistake_about_sides_costs_at_most_a_quarter_of_its_task(
    grades: dict[str, Grade], variant: tuple[str, str]
) -> None:
    task, _ = variant
    missing = lost(grades[" ".join(variant)])
    assert missing.keys() == {task}
    assert missing[task] <= MOST * POINTS[task]


@pytest.mark.parametrize("variant", VARIANTS, ids=" ".join)
def test_a_public_check_shows_a_mistake_about_sides(
    grades: dict[str, Grade], variant: tuple[str, str]
) -> None:
    tests = grades[" ".join(variant)].tests
    assert any(not test.passed for name, test in tests.items() if name.startswith("test_public"))


def lost(grade: Grade) -> dict[str, float]:
    """Return how many points are missing, by task."""
    return {
        task: POINTS[task] - points
        for task, points in grade.points.items()
        if task not in TRAINING and points < POINTS[task]
    }
