"""Figures of training are complete, and say what they were given."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure

from helpers.figures import curves

WEIGHTS = torch.linspace(-1, 1, 13 * 3).reshape(13, 3)
FIGURES: dict[str, Callable[[], Figure]] = {
    "one loss": lambda: curves.loss_curves({"SVM": [9.0, 4.0, 2.0]}),
    "losses": lambda: curves.loss_curves({"a": [3.0] * 30, "b": [2.0] * 40}, smooth=5, log=True),
    "settings": lambda: curves.settings_map({(0.1, 1.0): 50.0, (0.2, 1.0): 75.5, (0.2, 3.0): 10.0}),
    "gray templates": lambda: curves.class_templates(WEIGHTS, (1, 3, 4), names=["x", "y", "z"]),
    "color templates": lambda: curves.class_templates(WEIGHTS[:12], (3, 2, 2)),
    "many templates": lambda: curves.class_templates(torch.zeros(4, 7), (1, 2, 2)),
}


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    """Draw without a display."""
    import matplotlib.pyplot as plt

    before = plt.get_backend()
    plt.switch_backend("agg")
    yield
    plt.switch_backend(before)


def words(figure: Figure) -> list[str]:
    """Return all texts of a figure."""
    return [artist.get_text() for artist in figure.findobj(mpl.text.Text)]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_complete_and_alone(name: str) -> None:
    import matplotlib.pyplot as plt

    settings = dict(mpl.rcParams)
    figure = FIGURES[name]()
    figure.savefig(io.BytesIO())
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == settings
    assert figure.get_suptitle() or figure.axes[0].get_title()


def test_the_running_mean_starts_where_there_are_enough_losses() -> None:
    figure = curves.loss_curves({"a": [4.0, 2.0, 0.0, 2.0]}, smooth=2)
    line = figure.axes[0].get_lines()[1]
    assert list(line.get_xdata()) == [1, 2, 3]
    assert list(line.get_ydata()) == [3.0, 1.0, 1.0]


def test_the_map_frames_the_best_settings_and_leaves_missing_ones_white() -> None:
    figure = FIGURES["settings"]()
    (frame,) = figure.axes[0].patches
    assert frame.get_xy() == (0.5, -0.5)
    assert {"50.0", "75.5", "10.0"} <= set(words(figure))
    assert figure.axes[0].images[0].get_array().mask.sum() == 1


def test_the_weight_of_the_bias_is_left_out() -> None:
    figure = FIGURES["gray templates"]()
    shown = figure.axes[2].images[0].get_array()
    assert shown.shape == (3, 4)
    assert shown.flatten().tolist() == pytest.approx(WEIGHTS[:12, 2].tolist())
