"""Figures of convolutional networks show what they were given."""

from __future__ import annotations

import io
from collections.abc import Callable

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.figure import Figure

from helpers.figures import feature_maps

MAP = torch.tensor([[1.0, -2.0], [0.0, 0.5]])
FIGURES: dict[str, Callable[[], Figure]] = {
    "a picture and maps": lambda: feature_maps.panels({"x": torch.zeros(3, 4, 5), "y": MAP}, title="both"),
    "several rows": lambda: feature_maps.panels({str(n): MAP * n for n in range(5)}, columns=2),
    "numbers": lambda: feature_maps.panels({"y": MAP}, numbers=True),
    "filters": lambda: feature_maps.color_filters(torch.linspace(-1, 1, 54).reshape(2, 3, 3, 3)),
    "equal filters": lambda: feature_maps.color_filters(torch.ones(2, 3, 3, 3)),
    "receptive field": lambda: feature_maps.receptive_field([(3, 1), (2, 2), (3, 1)]),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_can_be_drawn_and_is_not_kept_by_pyplot(name: str) -> None:
    figure = FIGURES[name]()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    assert buffer.getvalue().startswith(b"\x89PNG")
    assert plt.get_fignums() == []


def test_numbers_stand_in_their_cells() -> None:
    texts = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in figure_texts()}
    assert texts == {(0, 0): "1", (0, 1): "-2", (1, 0): "0", (1, 1): "0.5"}


def test_cells_with_numbers_are_of_one_size() -> None:
    figure = feature_maps.panels(
        {"image": torch.ones(3, 4), "filter": MAP, "row": torch.ones(1, 2)}, numbers=True
    )
    for axes in figure.axes:
        left, right = axes.get_xlim()
        low, high = axes.get_ylim()
        assert (right - left, low - high) == (4, 3)
    assert figure.axes[1].get_xlim() == (-1.5, 2.5)
    assert figure.axes[1].get_ylim() == (2.0, -1.0)


def figure_texts() -> list[plt.Text]:
    return list(feature_maps.panels({"y": MAP}, numbers=True).axes[0].texts)


@pytest.mark.parametrize(
    ("layers", "inputs"),
    [([(3, 1)], 3), ([(3, 1)] * 3, 7), ([(3, 1), (2, 2), (3, 1)], 8), ([(5, 1), (2, 2), (5, 1), (2, 2)], 16)],
)
def test_receptive_fields_are_as_wide_as_the_formula_says(layers: list[tuple[int, int]], inputs: int) -> None:
    wide, step = 1, 1
    for size, stride in layers:
        wide, step = wide + (size - 1) * step, step * stride
    assert wide == inputs
    assert f"{inputs} inputs" in feature_maps.receptive_field(layers).axes[0].get_title()
