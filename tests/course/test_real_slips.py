"""Slips of real students' files, most of which end in exceptions, cost no more than others.

Each is the reference with some texts replaced. All of its checks name the same likely cause, so that they
cost a quarter of the task together.
"""

from __future__ import annotations

import tomllib

import pytest

from helpers.credit import MOST
from tests.support.in_process import ROOT, Grade, grade_all

NAME = "convolutional_networks"
REFERENCE = (ROOT / "solutions" / NAME / f"{NAME}.py").read_text()
TASKS = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())["tasks"]
POINTS = {task["id"]: task["points"] for task in TASKS}
WINDOWS = "windows = padded.unfold(2, w.shape[2], stride).unfold(3, w.shape[3], stride)"
POOLED = "largest = x.unfold(2, height, stride).unfold(3, width, stride).flatten(4).argmax(dim=4)"
PAD = "padded = torch.nn.functional.pad(x, (pad, pad, pad, pad))"
SLICES = "padded = x.new_zeros(*x.shape[:2], x.shape[2] + 2 * pad, x.shape[3] + 2 * pad)\n        "
SLICES += "padded[:, :, pad:-pad, pad:-pad] = x"
OVER = "there are 1 + (H + 2 * pad - HH) // stride places"
PLACES = """for i in range(0, dx.shape[2], stride):
            for j in range(0, dx.shape[3], stride):
                place = (..., slice(i, i + height), slice(j, j + width))
                came = dout[:, :, i // stride, j // stride, None, None]
"""
BEGIN, ADD = (
    "for i in range(height):\n            for j in range(width):\n",
    "here += dout * (largest == i * width + j)",
)
LOOP = REFERENCE[REFERENCE.index(BEGIN, REFERENCE.index(POOLED)) : REFERENCE.index(ADD) + len(ADD)]


def in_windows(line: str) -> tuple[str, str]:
    """Return the loop of the reference over pooled windows, and one over windows with this line in it."""
    rows = """for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                place = (..., slice(i * stride, i * stride + height), slice(j * stride, j * stride + width))
                came = dout[:, :, i, j, None, None]
"""
    return LOOP, f"{rows}                mask = x[place] == x[place].amax(dim=(2, 3), keepdim=True)\n{line}"


SPACE = " " * 16
SQUARES = '            grads[f"W{n}"] = grads[f"W{n}"] + 2 * REGULARIZATION * self.reg * p[f"W{n}"]'
SLIPS: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "a padded x in the cache": (
        "conv_backward",
        "forward keeps the padded x",
        [
            ("return out, (x, w, b, conv_param)", "return out, (padded, w, b, conv_param)"),
            ("x, w, _, conv_param = cache\n", "padded, w, _, conv_param = cache\n"),
            (f"        {PAD}\n        {WINDOWS}\n        rows", f"        {WINDOWS}\n        rows"),
            (
                "pad : pad + x.shape[2], pad : pad + x.shape[3]]",
                "pad : padded.shape[2] - pad, pad : padded.shape[3] - pad]",
            ),
        ],
    ),
    "places beyond the edge": (
        "conv_forward",
        OVER,
        [
            (
                f"{WINDOWS}  # (N, C, H', W', HH, WW)\n",
                """rows, columns = (1 + (padded.shape[n] - w.shape[n]) // stride for n in (2, 3))
        windows = x.new_zeros(*x.shape[:2], rows, columns, *w.shape[2:])
        for i in range(0, x.shape[2], stride):
            for j in range(0, x.shape[3], stride):
                for k in range(w.shape[2]):
                    for m in range(w.shape[3]):
                        windows[:, :, i // stride, j // stride, k, m] = padded[:, :, i + k, j + m]
""",
            )
        ],
    ),
    "empty slices": (
        "conv_forward",
        "pad:-pad is empty",
        [(f"{PAD}\n        {WINDOWS}  # (N", f"{SLICES}\n        {WINDOWS}  # (N")],
    ),
    "empty slices, backward": (
        "conv_backward",
        "pad:-pad is empty",
        [(f"{PAD}\n        {WINDOWS}\n        rows", f"{SLICES}\n        {WINDOWS}\n        rows")],
    ),
    "one pixel cut off": (
        "conv_backward",
        "one pixel is cut off",
        [
            (
                "dx = dpadded[:, :, pad : pad + x.shape[2], pad : pad + x.shape[3]]",
                "dx = dpadded[:, :, 1:-1, 1:-1]",
            )
        ],
    ),
    "windows beyond the edge": (
        "max_pool_backward",
        "windows run over the edge",
        [
            (
                LOOP,
                PLACES
                + SPACE
                + "n = x[place].flatten(2).argmax(dim=2, keepdim=True)\n"
                + SPACE
                + "one = torch.zeros_like(x[place].flatten(2)).scatter(2, n, 1.0).reshape(x[place].shape)\n"
                + SPACE
                + "dx[place] += came * one",
            )
        ],
    ),
    "one largest value taken for granted": (
        "max_pool_backward",
        "takes one per window for granted",
        [
            in_windows(
                f"{SPACE}there = torch.zeros_like(x[place])\n"
                f"{SPACE}there[mask] = came.flatten()\n"
                f"{SPACE}dx[place] += there"
            )
        ],
    ),
    "a whole window overwritten": (
        "max_pool_backward",
        "write += instead of =",
        [
            in_windows(
                f"{SPACE}window = x[place].flatten(2)\n"
                f"{SPACE}one = torch.zeros_like(window).scatter(2, window.argmax(dim=2, keepdim=True), 1.0)\n"
                f"{SPACE}dx[place] = one.reshape(mask.shape) * came"
            )
        ],
    ),
    "rows by the height": (
        "max_pool_backward",
        "by the width of the window",
        [
            (
                LOOP,
                """for n, c, i, j in torch.ones_like(dout).nonzero().tolist():
            row, column = int(largest[n, c, i, j]) // height, int(largest[n, c, i, j]) % width
            if i * stride + row < dx.shape[2]:
                dx[n, c, i * stride + row, j * stride + column] += dout[n, c, i, j]""",
            )
        ],
    ),
    "torch.empty never filled": (
        "max_pool_backward",
        "begin with zeros",
        [
            (
                "        dx = torch.zeros_like(x)\n        for i in range(height)",
                "        dx = torch.full_like(x, 3.0)\n        for i in range(height)",
            ),
            (
                "                here += dout * (largest == i * width + j)\n",
                "                here += dout * (largest == i * width + j)\n"
                "        reached = torch.zeros_like(x)\n"
                "        for i in range(height):\n"
                "            for j in range(width):\n"
                "                reached[:, :, i : i + rows : stride, j : j + columns : stride] = 1\n"
                "        dx = dx - 3 * reached\n",
            ),
        ],
    ),
    "windows as large as the result": (
        "max_pool_forward",
        "as large as the result",
        [
            (
                "out = x.unfold(2, height, stride).unfold(3, width, stride).amax(dim=(4, 5))",
                """rows, columns = 1 + (x.shape[2] - height) // stride, 1 + (x.shape[3] - width) // stride
        out = x.new_zeros(*x.shape[:2], rows, columns)
        for i in range(rows):
            for j in range(columns):
                window = x[:, :, i * stride : i * stride + rows, j * stride : j * stride + columns]
                out[:, :, i, j] = window.amax(dim=(2, 3))""",
            )
        ],
    ),
    "sizes divided at once": (
        "deep_net",
        "each max pooling rounds down",
        [("weights(C * H * W, num", "weights(C * input_dims[1] * input_dims[2] // 4 ** len(max_pools), num")],
    ),
    "other names": (
        "deep_net",
        "are called W1, b1",
        [
            (
                'self.params[f"W{n}"], self.params[f"b{n}"] = weights(C',
                'self.params[f"Conv{n}.w"], self.params[f"Conv{n}.b"] = weights(C',
            ),
            ('self.params[f"W{self.num_layers}"]', 'self.params[f"Conv{self.num_layers}.w"]'),
            ('self.params[f"b{self.num_layers}"]', 'self.params[f"Conv{self.num_layers}.b"]'),
            ('self.params[f"gamma{n}"]', 'self.params[f"Conv{n}.gamma"]'),
            ('self.params[f"beta{n}"]', 'self.params[f"Conv{n}.beta"]'),
            (
                "p, last = self.params, self.num_layers",
                'spelled = {"W": "w"}\n        last = self.num_layers\n'
                '        kinds = [(kind, n) for n in range(1, 9) for kind in ("W", "b", "gamma", "beta")]\n'
                '        own = {f"{kind}{n}": f"Conv{n}.{spelled.get(kind, kind)}" for kind, n in kinds}\n'
                "        p = {name: self.params[mine] for name, mine in own.items() if mine in self.params}",
            ),
            (
                f"{SQUARES}\n        return loss, grads",
                f"{SQUARES}\n        return loss, {{own[name]: grad for name, grad in grads.items()}}",
            ),
        ],
    ),
    "gamma regularized": (
        "deep_net",
        "gamma was regularized",
        [
            (
                "        return loss, grads\n        ### END SOLUTION\n\n\ndef find_overfit",
                """        for name in [name for name in p if name.startswith("gamma")]:
            loss = loss + REGULARIZATION * self.reg * (p[name] ** 2).sum()
            grads[name] = grads[name] + 2 * REGULARIZATION * self.reg * p[name]
        return loss, grads
        ### END SOLUTION


def find_overfit""",
            )
        ],
    ),
    "sides swapped in the calls": (
        "deep_net",
        "Din and Dout are swapped",
        [
            (
                "return kaiming_initializer(Din, Dout, K, relu=K is not None, **like)",
                "return kaiming_initializer(*(Dout, Din)[:: 1 if K else -1], K, relu=K is not None, **like)",
            )
        ],
    ),
    "a GPU and a dtype written out": (
        "solver",
        "pass the given dtype and device on",
        [
            (
                "        dtype=dtype,\n        batchnorm=True",
                "        dtype=torch.float32,\n        batchnorm=True",
            ),
            ("        device=device,\n        reg=1e-4", '        device="cuda",\n        reg=1e-4'),
            ("        device=device,\n        verbose", '        device="cuda",\n        verbose'),
        ],
    ),
}
"""By what is wrong: the task, what its cause says, and texts of the reference with those in their place."""
SIZES = {"sides swapped in the calls"}
"""What is shown by hidden checks alone: the public ones ask nobody else for weights."""


def spoil(texts: list[tuple[str, str]]) -> str:
    """Return the reference with texts replaced, each of which it has once."""
    source = REFERENCE
    for old, new in texts:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


@pytest.fixture(scope="module")
def grades(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Grade]:
    """Return the grade of each slip; only that of the solver trains."""
    jobs = {slip: (spoil(texts), "key") for slip, (_, _, texts) in SLIPS.items()}
    skipped = {slip: () if SLIPS[slip][0] == "solver" else ("solver",) for slip in jobs}
    skipped = {slip: ("overfit", *tasks) for slip, tasks in skipped.items()}
    return grade_all(NAME, jobs, tmp_path_factory.mktemp("slips"), skipped=skipped)


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_costs_at_most_a_quarter_of_its_task(grades: dict[str, Grade], slip: str) -> None:
    task, cause, _ = SLIPS[slip]
    grade = grades[slip]
    failed = {one.task for one in grade.tests.values() if not one.passed}
    assert failed == {task}
    missing = POINTS[task] - grade.points[task]
    assert 0 < missing <= MOST * POINTS[task]
    assert all(cause in one.problem for one in grade.tests.values() if not one.passed)


@pytest.mark.parametrize("slip", sorted(SLIPS.keys() - SIZES))
def test_a_public_check_shows_it(grades: dict[str, Grade], slip: str) -> None:
    tests = grades[slip].tests
    assert any(not test.passed for name, test in tests.items() if name.startswith("test_public"))
