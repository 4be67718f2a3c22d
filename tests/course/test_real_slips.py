"""Slips of real students' files, most of which end in exceptions, cost no more than others.

Each is the reference with some texts replaced. All of its checks name the same likely cause, so that they
cost a quarter of a task together. Those of convolutional networks stand here, others in `tests/course/slips`:
`tasks` lose points, `cause` is what the checks say, and `replace` lists texts of the reference with others in
their place. The public checks show a slip unless `public` is false. Without `tasks` nothing may be lost.
Tasks that train are judged if they are among these, or if `trains` is true.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

import pytest

from helpers.credit import MOST
from tests.support.classes import TRAINING
from tests.support.in_process import ROOT, Grade, grade_all

CONVOLUTIONS = "convolutional_networks"
REFERENCE = (ROOT / "solutions" / CONVOLUTIONS / f"{CONVOLUTIONS}.py").read_text()
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


@dataclass(frozen=True)
class Slip:
    """What is wrong with a reference, and what it costs; the fields are the keys of `slips/NAME.toml`."""

    cause: str
    replace: list[list[str]]
    tasks: tuple[str, ...]
    public: bool = True
    trains: bool = False


def read_slips() -> dict[tuple[str, str], Slip]:
    """Return all slips by their assignment and name."""
    found = {
        (CONVOLUTIONS, slip): Slip(cause, [[*pair] for pair in texts], (task,), slip not in SIZES)
        for slip, (task, cause, texts) in SLIPS.items()
    }
    for file in sorted((ROOT / "tests" / "course" / "slips").glob("*.toml")):
        for slip, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            assert (file.stem, slip) not in found
            found[file.stem, slip] = Slip(**entry | {"tasks": tuple(entry["tasks"])})
    return found


EVERY = read_slips()
NAMES = sorted({name for name, _ in EVERY})
MANY = 12
"""From so many slips of an assignment on, the short run grades only some."""
SECRETS = ["key", "another key", "a third key"]
RUNS = [*((name, 1) for name in NAMES), *(pytest.param((name, 3), marks=pytest.mark.full) for name in NAMES)]


def spoil(name: str, texts: list[list[str]]) -> str:
    """Return a reference with texts replaced, each of which it has once."""
    source = (ROOT / "solutions" / name / f"{name}.py").read_text(encoding="utf-8")
    for old, new in texts:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


Grades = dict[str, tuple[str, Grade]]


@pytest.fixture(scope="module", params=RUNS, ids=str)
def grades(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Grades]:
    """Return an assignment, and the slip and grade of each run; only slips in training train."""
    name, count = request.param
    slips = {slip: entry for (assignment, slip), entry in EVERY.items() if assignment == name}
    if count == 1:  # the short run: of many slips, every second or third
        slips = dict(list(slips.items())[:: 1 + len(slips) // MANY])
    runs = {f"{slip}, {secret}": slip for slip in slips for secret in SECRETS[:count]}
    jobs = {run: (spoil(name, slips[slip].replace), run.rpartition(", ")[2]) for run, slip in runs.items()}
    training = TRAINING.get(name, frozenset())
    spared = {slip: () if entry.trains else training - set(entry.tasks) for slip, entry in slips.items()}
    skipped = {run: spared[slip] for run, slip in runs.items()}
    found = grade_all(name, jobs, tmp_path_factory.mktemp("slips"), skipped=skipped)
    return name, {run: (runs[run], grade) for run, grade in found.items()}


def points_of(name: str) -> dict[str, float]:
    """Return what each task of an assignment is worth."""
    settings = tomllib.loads((ROOT / "solutions" / name / "assignment.toml").read_text(encoding="utf-8"))
    return {task["id"]: task["points"] for task in settings["tasks"]}


def test_a_slip_costs_at_most_a_quarter_of_its_task(grades: tuple[str, Grades]) -> None:
    name, runs = grades
    points, wrong = points_of(name), {}
    for run, (slip, grade) in runs.items():
        wanted = EVERY[name, slip]
        failed = [one for one in grade.tests.values() if not one.passed]
        judged = {one.task for one in grade.tests.values()}
        lost = {task: points[task] - grade.points[task] for task in judged}
        costs = {task: cost for task, cost in lost.items() if cost}
        fits = all(0 < cost <= MOST * points[task] for task, cost in costs.items())
        causes = {one.problem for one in failed if wanted.cause not in one.problem}
        if costs.keys() != set(wanted.tasks) or not fits or causes:
            wrong[run] = costs, causes
    assert wrong == {}


def test_a_public_check_shows_it(grades: tuple[str, Grades]) -> None:
    name, runs = grades
    wanted = {slip: EVERY[name, slip] for slip, _ in runs.values()}
    shown = {slip for slip, grade in runs.values() if fails_in_public(grade)}
    assert shown == {slip for slip, entry in wanted.items() if entry.tasks and entry.public}


def fails_in_public(grade: Grade) -> bool:
    """Tell whether a check failed that students see."""
    return any(not test.passed for name, test in grade.tests.items() if name.startswith("test_public"))
