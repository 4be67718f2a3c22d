"""The notebook of the relatives of convolution runs as it says, with a solution and with the stub."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.support import notebooks
from tests.support.notebooks import SolvedNotebook
from tests.support.prose import ROOT, TIMES, WORDS, Prose, load_reference, write_matrix
from tests.support.published import Public

NAME = "more_convolutions"
PROSE = Prose(NAME)
IMAGE = torch.tensor([[1.0, 2.0, 0.0, 1.0], [0.0, 1.0, 3.0, 1.0], [2.0, 0.0, 1.0, 0.0]])
WINDOWS = torch.tensor(
    [[1.0, 1.0, 2.0, 4.0], [5.0, 6.0, 7.0, 8.0], [3.0, 2.0, 1.0, 0.0], [1.0, 2.0, 3.0, 4.0]]
)
FILTER = torch.tensor([[1.0, 0.0], [2.0, -1.0]])
NONE = torch.zeros(1)
ARROW = r"\quad\longrightarrow\quad"
SQUARE = "{0} " + TIMES + " {0}"
"""How the size of a square is written."""


def quarters(rows: Tensor) -> str:
    """Write a matrix of multiples of 1/4 with decimal points."""
    lines = r" \\ ".join(" & ".join(f"{number:g}" for number in row) for row in rows.tolist())
    return rf"\begin{{pmatrix}} {lines} \end{{pmatrix}}"


def of_windows() -> Iterator[str]:
    """Work out the first two tasks; yield what the text says of them."""
    more = load_reference(NAME)
    columns = more.im2col(IMAGE[None, None], 2, 2, stride=2)[0]
    yield f"windows of {SQUARE.format(2)}, {WORDS[2]} pixels apart: $${write_matrix(IMAGE)} {ARROW} "
    yield rf"{ARROW} {write_matrix(columns)}$$ {WORDS[columns.shape[1]].capitalize()} windows fit"
    assert torch.equal(more.im2col(IMAGE[None, None, :2], 2, 2, stride=2)[0], columns)
    yield "the last row of the image is left out"
    yield "Write `im2col`."
    names = PROSE.run("bank = torch.stack", until="feature_maps.", **figures())
    wide = more.im2col(names["gray"], 3, 3, pad=1)
    height, width = names["gray"].shape[2:]
    assert wide.shape[2] == height * width
    assert height == width
    times = wide.numel() / names["gray"].numel()
    yield f"columns of {SQUARE.format(3)} windows, one at each of the {SQUARE.format(height)} pixels"
    yield f"hold {wide.numel():,} numbers: {WORDS[int(times)]} times as many as the gray picture"
    means = more.average_pool(WINDOWS[None, None], 2, 2, 2)[0, 0]
    yield f"$${write_matrix(WINDOWS)} {ARROW} {quarters(means)}$$"


def figures() -> dict[str, object]:
    """Return what the notebook imports."""
    found: dict[str, object] = {"more": load_reference(NAME)}
    lines = PROSE.cell("import torch\n").splitlines()
    for line in lines:
        if line.startswith("from "):
            exec(line, found)
    return found


def of_gaps() -> Iterator[str]:
    """Work out the dilated filter; yield what the text says of it."""
    more = load_reference(NAME)
    reach = 9 + 1 - places(9, 3, dilation=2)
    yield f"A {SQUARE.format(3)} filter with $D = 2$ sees {SQUARE.format(reach)} pixels and still has"
    yield f"{WORDS[3 * 3]} weights"
    for height, kernel, pad, stride, dilation in ((7, 3, 1, 2, 2), (9, 2, 0, 3, 4), (6, 3, 2, 1, 1)):
        size = (height + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
        assert size == places(height, kernel, stride=stride, padding=pad, dilation=dilation)
    yield r"result is $\lfloor (H + 2P - D(K - 1) - 1)/S \rfloor + 1$"
    image = torch.cat([WINDOWS, torch.arange(4.0)[:, None]], dim=1)
    found = more.dilated_conv(image[None, None], FILTER[None, None], NONE + 10, dilation=2)[0, 0]
    yield (
        f"a filter with $D = 2$ and a bias of 10: $${write_matrix(image)}, "
        rf"\quad {write_matrix(FILTER)} {ARROW} {write_matrix(found)}$$"
    )
    (a, b), (c, d) = image[0, [0, 2]].tolist(), image[2, [0, 2]].tolist()
    yield f"lies on {a:g} and {b:g} in the first row, and on {c:g} and {d:g} in the third"
    terms = rf"1 \cdot {a:g} + 0 \cdot {b:g} + 2 \cdot {c:g} - 1 \cdot {d:g} + 10"
    assert 1 * a + 0 * b + 2 * c - 1 * d + 10 == found[0, 0]
    yield f"${terms} = {found[0, 0]:g}$"


def places(size: int, kernel: int, **settings: int) -> int:
    """Return the height of what a convolution gives."""
    image, filters = torch.zeros(1, 1, size, size), torch.zeros(1, 1, kernel, kernel)
    return int(F.conv2d(image, filters, **settings).shape[2])


def of_groups() -> Iterator[str]:
    """Work out the example of groups; yield what the text says of it."""
    more = load_reference(NAME)
    pixel, weights = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0, 10.0, -1.0])
    found = more.grouped_conv(
        pixel.reshape(1, 2, 1, 1), weights.reshape(4, 1, 1, 1), torch.zeros(4), groups=2
    )
    yield "a pixel with the channels {:g} and {:g}, four filters of {}".format(*pixel, SQUARE.format(1))
    yield "with the weights {:g}, {:g}, {:g} and {:g}, no biases, and two groups".format(*weights)
    yield "The first two filters see the {:g}, the others the {:g}, so".format(*pixel)
    yield "the result is {:g}, {:g}, {:g}, {:g}.".format(*found.flatten())
    names = PROSE.run("bank = torch.stack", "shifts = torch.zeros", until="feature_maps.", **figures())
    red, green, blue = names["inner"][0]
    picture = names["picture"][0]
    assert torch.equal(red, picture[0, :, 4:])  # pixel 4 is where pixel 2 was
    assert torch.equal(green, picture[1, :, 2:-2])
    assert torch.equal(blue, picture[2, :, :-4])
    yield "red moves to the left by two pixels, green stays, and blue moves to the right by two"


def of_stamps() -> Iterator[str]:
    """Work out the transposed convolution; yield what the text says of it."""
    more, pixels = load_reference(NAME), torch.tensor([[1.0, 3.0]])
    given = pixels[None, None], FILTER[None, None], NONE
    apart, over = (more.transposed_conv(*given, stride=stride)[0, 0] for stride in (2, 1))
    start = rf"$${write_matrix(pixels)}, \quad {write_matrix(FILTER)} {ARROW} "
    yield f"The pixels 1 and 3, with stride 2, give {start}{write_matrix(apart)}.$$"
    sums = r"\begin{pmatrix} 1 & 0 + 3 & 0 \\ 2 & -1 + 6 & -3 \end{pmatrix}"
    first, second = FILTER, 3 * FILTER
    assert [first[0, 1], second[0, 0], first[1, 1], second[1, 0]] == [0, 3, -1, 6]
    yield f"With stride 1, the stamps overlap in the middle column: {start}{sums} = {write_matrix(over)}.$$"
    for height, kernel, stride, pad in ((4, 3, 2, 1), (5, 2, 3, 0)):
        found = more.transposed_conv(
            torch.zeros(1, 1, height, 9), torch.zeros(1, 1, kernel, kernel), NONE, stride, pad
        )
        assert found.shape[2] == (height - 1) * stride + kernel - 2 * pad
    yield "The height of the result is $(H - 1)S + K - 2P$"
    three, four = (
        more.transposed_conv(torch.ones(1, 1, 5, 5), torch.ones(1, 1, k, k), NONE, stride=2)[0, 0]
        for k in (3, 4)
    )
    inside = sorted({*three[1:-1, 1:-1].flatten().int().tolist()})
    yield f"Stamps of {SQUARE.format(3)} at stride 2 overlap in some rows and columns and not in others."
    yield "a pixel inside gets {}, {} or {}.".format(*inside)
    (every,) = {*four[2:-2, 2:-2].flatten().int().tolist()}
    yield f"Stamps of {SQUARE.format(4)} at stride 2 overlap evenly, and every pixel inside gets {every}"


def of_other_dimensions() -> Iterator[str]:
    """Work out one and three dimensions; yield what the text says of them."""
    more = load_reference(NAME)
    before = torch.tensor([1.0, 4.0, 9.0, 16.0])
    after = more.conv1d(before[None, None], torch.tensor([[[-1.0, 1.0]]]), NONE).flatten()
    texts = [", ".join(f"{number:g}" for number in numbers) for numbers in (before, after)]
    yield "With the filter (-1, 1), a convolution takes the differences of neighbors:"
    yield f"{' becomes '.join(texts)}. Write `conv1d` and `conv3d`."
    names = PROSE.run("bank = torch.stack", "time = torch.arange", until="signals =", zero=NONE, **figures())
    clean = (names["time"] / 16).sin()
    noise, left = ((names[name] - clean)[7:-7] for name in ("noisy", "smooth"))
    assert left.square().mean() < noise.square().mean() / 10
    yield "A filter of 15 equal weights takes the mean of 15 neighbors, and the noise nearly disappears"
    names = PROSE.run("bank = torch.stack", "film = gray", until="feature_maps.", zero=NONE, **figures())
    film, moves = names["film"][0, 0], names["moves"][0, 0]
    square = film == 1
    arrives, leaves = square[1:] & ~square[:-1], square[:-1] & ~square[1:]
    assert bool((moves[arrives] > 0).all())
    assert bool((moves[leaves] < 0).all())
    assert bool((moves[~(arrives | leaves)] == 0).all())
    assert torch.equal(square[1:], square[:-1].roll(2, dims=2))
    yield "a white square moves over the book, two pixels to the right with each picture"


def of_questions() -> Iterator[str]:
    """Find out what the questions ask; yield what the text says of it."""
    seen = []
    for dilations in ((1, 2, 4, 8), (1, 1, 1, 1)):
        signal = image = torch.zeros(1, 1, 41, 41, requires_grad=True)
        for dilation in dilations:
            signal = F.conv2d(signal, torch.ones(1, 1, 3, 3), padding=dilation, dilation=dilation)
        (grad,) = torch.autograd.grad(signal[0, 0, 20, 20], image)
        rows = (grad[0, 0] != 0).any(dim=1)
        seen.append(int(rows.sum()))
    wide, narrow = seen
    yield f"Four {SQUARE.format(3)} convolutions follow one another, with dilations 1, 2, 4 and 8."
    yield f"Each layer adds its dilation on every side: 1 + 2 + 4 + 8 = {(wide - 1) // 2}, so {wide} x {wide}"
    yield f"pixels, against {narrow} x {narrow} without dilation"
    settings = tomllib.loads((ROOT / "solutions" / NAME / "assignment.toml").read_text())
    (question,) = settings["questions"]
    assert any(f"{wide} x {wide} pixels" in line for line in question["rubric"])
    assert any(f"without dilation {narrow} x {narrow}" in line for line in question["rubric"])


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> SolvedNotebook:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


def test_every_number_in_its_text_is_computed() -> None:
    PROSE.require(
        [
            *(*of_windows(), *of_gaps(), *of_groups(), *of_stamps()),
            *(*of_other_dimensions(), *of_questions()),
        ]
    )


def test_the_examples_by_hand_are_those_of_the_public_checks() -> None:
    public = (ROOT / "autograder" / "suites" / NAME / "test_public.py").read_text()
    for rows in (IMAGE, WINDOWS, FILTER):
        assert f"[[{rows.tolist()}]]" in " ".join(public.split()).replace("( ", "(").replace(" )", ")")


@pytest.mark.full
def test_it_runs_with_the_solution(solved: SolvedNotebook) -> None:
    solved.check_passed(7)
    assert solved.done.figures() == 7
    assert solved.seconds < 60


@pytest.mark.full
def test_both_sums_of_products_are_the_same(solved: SolvedNotebook) -> None:
    done = solved.done
    there, back = (line.rpartition(" ")[2] for line in done.text(done.find("x, times the way")).splitlines())
    assert float(there) == pytest.approx(float(back), abs=1e-3)
    assert "both of these" in PROSE.text


@pytest.mark.full
def test_what_it_builds_is_graded(solved: SolvedNotebook) -> None:
    assert solved.score() == 100


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "im2col", "im2col")
