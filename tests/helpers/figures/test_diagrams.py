"""Diagrams show every node, value and gradient."""

from __future__ import annotations

import io
from collections.abc import Iterator

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure

from helpers.figures import diagrams
from helpers.figures.diagrams import Edge


@pytest.fixture(autouse=True)
def no_window() -> Iterator[None]:
    """Draw without a display."""
    import matplotlib.pyplot as plt

    before = plt.get_backend()
    plt.switch_backend("agg")
    yield
    assert plt.get_fignums() == []
    plt.switch_backend(before)


def words(figure: Figure) -> set[str]:
    """Return all texts of a figure, which is drawn first."""
    figure.savefig(io.BytesIO())
    return {artist.get_text() for artist in figure.findobj(mpl.text.Text)}


def test_a_graph_shows_values_and_gradients() -> None:
    edges = [Edge("a", "b", "2.5", "7"), Edge("c", "b", "3.5", "8")]
    figure = diagrams.computational_graph(
        {"a": (0, 0), "b": (1.5, 0), "c": (1.5, -1.2)}, edges, labels={"b": "times"}, title="A product"
    )
    assert {"a", "times", "c", "2.5", "7", "3.5", "8", "A product"} <= words(figure)
    assert "b" not in words(figure)


def test_scores_come_with_image_and_templates() -> None:
    figure = diagrams.linear_scores(
        torch.rand(1, 4, 4), torch.randn(2, 4, 4), [1.0, -0.5], names=["cat", "dog"], title="Two scores"
    )
    assert {"image", "cat", "dog", "scores", "Two scores"} <= words(figure)
    widths = [bar.get_width() for bar in figure.axes[-1].patches]
    assert widths == [1.0, -0.5]
