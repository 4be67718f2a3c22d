"""The k-nearest-neighbor notebook that students get runs as it says, with a solution and with the stub."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from helpers import data
from tests.support import notebooks
from tests.support.notebooks import SolvedNotebook
from tests.support.prose import TIMES, WORDS, Prose, load_reference, write_matrix
from tests.support.published import Public

NAME = "knn"
PROSE = Prose(NAME)


def by_hand() -> Iterator[str]:
    """Work out the example with three training points and two test points; yield what the text says of it."""
    example = PROSE.run("hand_train =")
    train, labels, test = (example[f"hand_{name}"] for name in ("train", "labels", "test"))
    dists = load_reference(NAME).compute_distances_two_loops(train, test).int().tolist()
    points = dict(zip("ABC", train.int().tolist(), strict=True))
    asked = dict(zip("PQ", test.int().tolist(), strict=True))
    yield from (
        f"| {name} | ({x}, {y}) | {label} |"
        for (name, (x, y)), label in zip(points.items(), labels, strict=True)
    )
    yield from (f"| {name} | ({x}, {y}) |" for name, (x, y) in asked.items())
    yield from (f"| **{name}** | {row[0]} | {row[1]} |" for name, row in zip("ABC", dists, strict=True))
    (bx, by), (px, py) = points["B"], asked["P"]
    parts = (bx - px) ** 2, (by - py) ** 2
    yield f"$({bx}-{px})^2 + ({by}-{py})^2 = {parts[0]} + {parts[1]} = {dists[1][0]}$"
    yield f"The other {WORDS[len(points) * len(asked) - 1]} are computed"
    differences = test - train[0]
    steps = (differences, differences**2, (differences**2).sum(dim=1, keepdim=True))
    yield (
        f"{write_matrix(test)} - {write_matrix(train[:1])} = {write_matrix(steps[0])} "
        rf"\quad\text{{then squares}}\quad {write_matrix(steps[1])} "
        rf"\quad\text{{then sums of rows}}\quad {write_matrix(steps[2])}"
    )
    squares, products = bx**2 + by**2, bx * px + by * py
    yield f"$a = ({bx}, {by})$ gives ${bx**2} + {by**2} = {squares}$"
    yield rf"the products give ${bx} \cdot {px} + {by} \cdot {py} = {products}$"
    yield f"$b = ({px}, {py})$ gives ${px**2 + py**2}$"
    yield rf"${squares} - 2 \cdot {products} + {px**2 + py**2} = {dists[1][0]}$"
    yield f"Their distance is still {dists[1][0]}"
    yield f"with the labels {', '.join(str(int(label)) for label in labels)} of A, B, C"
    for column, name in enumerate(asked):
        order = sorted(range(len(points)), key=lambda row: dists[row][column])
        neighbors = ", ".join(f"{'ABC'[row]} (label {int(labels[row])})" for row in order)
        yield f"| {name} | {neighbors} | " + " | ".join(
            _vote([int(labels[row]) for row in order[:k]]) for k in (1, 2, 3)
        )
    yield "| k = 1 | k = 2 | k = 3 |"
    yield "And with k = 2 there is a tie"


def _vote(labels: list[int]) -> str:
    most = max(labels.count(label) for label in labels)
    winners = sorted({label for label in labels if labels.count(label) == most})
    if len(winners) == 1:
        return str(winners[0])
    return f"{' and '.join(map(str, winners))} tie, so **{winners[0]}**"


def of_the_digits() -> Iterator[str]:
    """Measure the digits; yield what the text says of them."""
    digits = data.digits()
    (height, width), inks = digits.x_train.shape[2:], digits.x_train.flatten(1)
    yield f"handwritten digits, {WORDS[height]} by {WORDS[width]} pixels"
    yield f"a number from {inks.min():g} (paper) to {inks.max():g} (ink)"
    yield f"An image of {height} {TIMES} {width} pixels is a list of {inks.shape[1]} numbers"
    yield f"a space with {inks.shape[1]} dimensions"
    slices = re.findall(r"function\(digits.x_train\[:(\d+)\], digits.x_val\[:(\d+)\]\)", PROSE.source)
    (pairs,) = (int(train) * int(test) for train, test in slices)
    yield f"Here are {pairs:,} pairs of images"
    knn = load_reference(NAME)
    itself = knn.KnnClassifier(digits.x_train, digits.y_train)
    percent = itself.check_accuracy(digits.x_train, digits.y_train, k=1, quiet=True)
    yield f"It reaches {percent:g} percent: the nearest neighbor of a training image is the image itself"
    yield "the image itself, at distance 0"
    yield "With k = 1, what accuracy does your classifier reach on its own *training* images?"
    before = itself.predict(digits.x_test, k=1)
    shifted = knn.KnnClassifier(digits.x_train + 0.3, digits.y_train)
    assert torch.equal(shifted.predict(digits.x_test + 0.3, k=1), before)
    assert not torch.equal(itself.predict(digits.x_test + 0.3, k=1), before)
    yield "Suppose 0.3 were added to every pixel of every training and test image."


def of_rounding() -> Iterator[str]:
    """Try what float32 keeps; yield what the text says of it."""
    digits_kept = -math.log10(torch.finfo(torch.float32).eps)
    assert WORDS[round(digits_kept)] == "seven"
    large = re.search(r"torch\.tensor\(([\d_.]+)\) \+ ([\d.]+)\)", PROSE.source)
    assert large is not None
    assert torch.tensor(float(large[1])) + float(large[2]) == float(large[1])
    a, b = torch.tensor([1004.0, 1006.0]), torch.tensor([1002.0, 1002.0])
    terms = (a @ a, 2 * a @ b, b @ b)
    assert all(1e6 < float(one) < 1e7 for one in terms)
    yield "Now add 1000 to every feature of B and P."
    many = 1000 + torch.rand(200, 64, generator=torch.Generator().manual_seed(0))
    squares = (many * many).sum(dim=1)
    assert float((squares - 2 * (many @ many.T).diagonal() + squares).min()) < 0
    left, right = torch.rand(2, 5, dtype=torch.float64)
    expanded = (left**2).sum() - 2 * (left * right).sum() + (right**2).sum()
    assert float(expanded) == pytest.approx(float(((left - right) ** 2).sum()))
    yield r"\sum_i a_i^2 \;-\; 2 \sum_i a_i b_i \;+\; \sum_i b_i^2"
    train, test = 50_000, 10_000
    terabytes = train * test * 3 * 32 * 32 * 4 / 1e12  # color, 32 by 32 pixels, four bytes per number
    yield f"For {train:,} training and {test:,} test images in color"
    yield f"that would need {WORDS[round(terabytes)]} terabytes"


def of_choices() -> Iterator[str]:
    """Look at what k does; yield what the text says of it."""
    knn = load_reference(NAME)
    clouds = PROSE.run("cloud_labels =", until="plots.", knn=knn)
    places = torch.cartesian_prod(torch.linspace(-3, 5, 30), torch.linspace(-3, 5, 30))
    count = len(clouds["cloud"])
    regions = {k: clouds["clouds"].predict(places, k=k).reshape(30, 30) for k in (1, 15, count)}
    borders = {
        k: int((one.diff(dim=0) != 0).sum() + (one.diff(dim=1) != 0).sum()) for k, one in regions.items()
    }
    assert borders[1] > borders[15] > borders[count] == 0
    yield "With k = 1 every training point rules the area around it"
    yield "With k = 15 the borders are smooth"
    yield f"with k = {count} the whole plane would belong to one class"
    folds = list(torch.arange(1, 7).chunk(3))
    yield f"With {WORDS[6]} points in {WORDS[len(folds)]} folds"
    for number, held in enumerate(folds):
        others = torch.cat(folds[:number] + folds[number + 1 :])
        words = [", ".join(map(str, part.tolist())) for part in (others, held)]
        yield f"| {number + 1} | points {words[0]} | points {words[1]} |"


WHEN_RUN = ("On clean digits, k = 1 is hard to beat.",)
"""Sentences that are true of what the executed notebook shows."""
NO_CLAIMS = ("collected by Alpaydin and Kaynak in the 1990s",)
"""Numbers that nothing here can compute."""


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory, public: Public) -> SolvedNotebook:
    """Return the notebook after it ran with the solution."""
    return notebooks.solved(NAME, tmp_path_factory.mktemp("course"), public)


def test_it_runs_with_the_solution(solved: SolvedNotebook) -> None:
    solved.check_passed(8)
    assert solved.done.figures() == 7
    assert solved.seconds < 60


def test_what_it_builds_is_graded(solved: SolvedNotebook) -> None:
    assert solved.score() == 100


def test_every_number_in_its_text_is_computed() -> None:
    PROSE.require([*by_hand(), *of_the_digits(), *of_rounding(), *of_choices(), *WHEN_RUN, *NO_CLAIMS])


def test_the_hand_worked_example_is_right(solved: SolvedNotebook) -> None:
    done = solved.done
    matrix = done.text(done.find("knn.compute_distances_two_loops(hand_train"))
    assert [float(number) for number in re.findall(r"\d+\.", matrix)] == [1, 10, 20, 9, 9, 2]
    assert done.text(done.find("hand_dists =")).splitlines() == [
        "k = 1: P and Q are [0, 1]",
        "k = 2: P and Q are [0, 1]",
        "k = 3: P and Q are [1, 1]",
    ]


def test_accuracies_are_as_its_text_says(solved: SolvedNotebook) -> None:
    done = solved.done
    shown = done.text(done.find("of the validation images are right"))
    percent = {int(k): float(one) for k, one in re.findall(r"k = +(\d+): ([\d.]+) %", shown)}
    assert percent.keys() == {1, 5, 50}
    assert percent[1] == max(percent.values()) > 90
    assert WHEN_RUN[0] in PROSE.text


def test_the_curve_of_cross_validation_rises_and_then_falls() -> None:
    assert "The curve rises and then falls." in PROSE.text
    knn, digits = load_reference(NAME), data.digits()
    cells = ("noise = torch.Generator()", "accuracies = knn.knn_cross_validate(")
    accuracies = PROSE.run(*cells, until="plots.", knn=knn, digits=digits)["accuracies"]
    means = {k: sum(found) / len(found) for k, found in accuracies.items()}
    assert min(means) < knn.knn_get_best_k(accuracies) < max(means)
    assert max(means.values()) > means[min(means)] + 3
    assert max(means.values()) > means[max(means)] + 3


def test_it_runs_with_the_stub_up_to_the_first_task(tmp_path: Path, public: Public) -> None:
    notebooks.check_stub(NAME, tmp_path, public, "distances_two_loops", "distances_two_loops")
