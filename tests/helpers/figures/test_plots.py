"""Figures have titles and named axes, are shown by nobody but the notebook, and leave pyplot as it was."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import matplotlib as mpl
import pytest
import torch
from matplotlib.figure import Figure

from helpers.figures import plots

IMAGES = torch.linspace(0, 1, 6 * 16).reshape(6, 1, 4, 4)
LABELS = torch.tensor([2, 0, 2, 0, 0, 1])
POINTS = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 3.0]])
DISTS = torch.tensor([[0.0, 4.0], [1.0, 2.0], [3.0, 3.0], [0.5, 6.0], [5.0, 5.0], [9.0, 1.0]])


def first_feature(points: torch.Tensor) -> torch.Tensor:
    return (points[:, 0] > 1).long()


def regions() -> Figure:
    labels = torch.tensor([0, 1, 2])
    predictors = {"one": first_feature, "two": lambda points: first_feature(-points)}
    return plots.decision_regions(predictors, POINTS, labels, names=["a", "b", "c"], resolution=5)


def neighbors() -> Figure:
    return plots.nearest_neighbors(IMAGES[:2], torch.tensor([2, 0]), IMAGES, LABELS, DISTS, k=3)


FIGURES: dict[str, Callable[[], Figure]] = {
    "sample grid": lambda: plots.sample_grid(IMAGES, LABELS, per_class=2),
    "distance map": lambda: plots.distance_map(DISTS),
    "sorted distance map": lambda: plots.distance_map(DISTS, y_train=LABELS, y_test=torch.tensor([1, 0])),
    "decision regions": regions,
    "nearest neighbors": neighbors,
    "cross-validation": lambda: plots.cross_validation({3: [50.0, 60.0], 1: [70.0, 80.0]}, best_k=1),
}


@pytest.fixture(autouse=True)
def no_window(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Draw without a display, and have `show` fail."""
    import matplotlib.pyplot as plt

    before = plt.get_backend()
    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", lambda *args, **kwargs: pytest.fail("a plot showed itself"))
    yield
    plt.switch_backend(before)


def words(figure: Figure) -> str:
    """Return all text of a figure."""
    found = figure.findobj(lambda artist: isinstance(artist, mpl.text.Text))
    return "\n".join(text.get_text() for text in found if isinstance(text, mpl.text.Text))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_complete_and_alone(name: str) -> None:
    import matplotlib.pyplot as plt

    settings = dict(mpl.rcParams)
    figure = FIGURES[name]()
    assert isinstance(figure, Figure)
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == settings
    figure.savefig(io.BytesIO())
    if name == "nearest neighbors":
        assert figure.get_suptitle()
        assert figure.get_supxlabel()
        assert all(axes.get_xlabel() for axes in figure.axes)
    else:
        drawn = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
        assert drawn
        assert all(axes.get_title() and axes.get_xlabel() and axes.get_ylabel() for axes in drawn)


def test_the_sheet_of_samples_leaves_white_where_there_is_none() -> None:
    figure = plots.sample_grid(IMAGES, LABELS, per_class=2, names=["none", "one", "two"])
    (axes,) = figure.axes
    sheet = axes.images[0].get_array()
    assert sheet is not None
    assert sheet.shape == (15, 10, 3)
    assert (sheet[5:9, 5:9] == 1).all()
    assert sheet[0, 0, 0] == pytest.approx(1 - float(IMAGES[1, 0, 0, 0]))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["none", "one", "two"]


def test_color_images_keep_their_colors() -> None:
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1
    sheet = plots.sample_grid(red, torch.tensor([0]), per_class=1).axes[0].images[0].get_array()
    assert sheet is not None
    assert sheet[0, 0].tolist() == [1, 0, 0]


def test_distances_are_sorted_by_class() -> None:
    figure = plots.distance_map(DISTS, y_train=LABELS)
    drawn = figure.axes[0].images[0].get_array()
    assert drawn is not None
    assert drawn[:, 0].tolist() == [1.0, 0.5, 5.0, 9.0, 0.0, 3.0]
    assert "training point, sorted by class" in words(figure)


def test_regions_are_where_they_belong() -> None:
    figure = regions()
    one, two = figure.axes
    drawn = one.images[0].get_array()
    assert drawn is not None
    assert drawn[0].tolist() == [0, 0, 0, 1, 1], "columns follow the first feature"
    assert two.get_title() == "two"
    assert all(name in words(figure) for name in "abc")


def test_too_many_classes_for_the_colors() -> None:
    with pytest.raises(ValueError, match="at most 7"):
        plots.decision_regions({"one": first_feature}, torch.rand(9, 2), torch.arange(9))


def test_neighbors_of_another_class_are_marked_by_more_than_color() -> None:
    captions = [axes.get_xlabel() for axes in neighbors().axes]
    assert captions[:4] == ["query: a 2", "2, at 0", "✗ 0, at 0.5", "✗ 0, at 1"]
    assert captions[4:6] == ["query: a 0", "✗ 1, at 1"]


def test_the_best_k_is_pointed_out() -> None:
    assert "best: k = 1" in words(FIGURES["cross-validation"]())
    assert "best" not in words(plots.cross_validation({3: [50.0], 1: [70.0]}))
