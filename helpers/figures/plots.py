"""Figures of the notebooks, in one style: titles, named axes, colors that color-blind readers tell apart.

Every function returns a matplotlib `Figure` and does nothing else: as the last line of a cell it is shown
once, and ``figure.savefig("name.png")`` keeps it. ``figure.axes`` gives its axes for changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Okabe and Ito, "Color Universal Design", 2008; for at most seven classes, beside markers."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
INK, GRAY = "#222222", "#777777"
STYLE: Any = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 11.5,
    "axes.titlepad": 8,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRAY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "image.cmap": "viridis",
    "legend.frameon": False,
}
"""Settings of matplotlib for all figures of the notebooks, those of other modules included."""


def new_figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, list[Axes]]:
    """Return a figure that pyplot does not show by itself, and its axes in reading order."""
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    plt.close(figure)
    return figure, list(axes.flat)


def as_rgb(image: torch.Tensor) -> torch.Tensor:
    """Return an image (C, H, W) as (H, W, 3), a gray one dark on white."""
    values = image.detach().cpu().to(torch.float32).clamp(0, 1)
    return (1 - values if len(values) == 1 else values).permute(1, 2, 0).expand(-1, -1, 3)


def sample_grid(
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    per_class: int = 10,
    names: Sequence[str] | None = None,
    title: str = "Examples of each class",
) -> Figure:
    """Show the first images of each class, a row per class.

    Parameters
    ----------
    images : Tensor of shape (N, 1, H, W) or (N, 3, H, W)
        Values from 0 to 1; gray images are drawn dark on white.
    labels : Tensor of shape (N,), int64
        Their classes.
    per_class : int
        Images in a row; a class that has fewer leaves white space.
    names : sequence of str, optional
        Names of the classes 0, 1, ...; by default their numbers.
    """
    classes = [int(label) for label in torch.unique(labels)]
    height, width = images.shape[-2:]
    sheet = torch.ones(len(classes) * (height + 1), per_class * (width + 1), 3)
    for row, label in enumerate(classes):
        for column, image in enumerate(images[labels == label][:per_class]):
            top, left = row * (height + 1), column * (width + 1)
            sheet[top : top + height, left : left + width] = as_rgb(image)
    with mpl.rc_context(STYLE):
        shape = (0.52 * per_class + 1, 0.52 * len(classes) + 0.9)
        figure, (axes,) = new_figure(1, 1, shape)
        axes.imshow(sheet.numpy(), interpolation="nearest")
        axes.set_yticks([row * (height + 1) + height / 2 for row in range(len(classes))])
        axes.set_yticklabels([_name(label, names) for label in classes])
        axes.set_xticks([])
        axes.set(title=title, xlabel=f"first {per_class} examples", ylabel="class")
        _without_frame(axes)
    return figure


def distance_map(
    dists: torch.Tensor,
    *,
    y_train: torch.Tensor | None = None,
    y_test: torch.Tensor | None = None,
    title: str = "Squared distances",
) -> Figure:
    """Show distances as a map, dark where two points are close.

    Parameters
    ----------
    dists : Tensor of shape (num_train, num_test)
        Distances.
    y_train, y_test : Tensor of shape (num_train,) or (num_test,), optional
        Classes; points are then sorted by class, and lines separate the classes.
    """
    with mpl.rc_context(STYLE):
        height = min(max(6.4 * dists.shape[0] / dists.shape[1], 2.4), 6.0)
        figure, (axes,) = new_figure(1, 1, (7.2, height + 0.6))
        rows, columns = _order(y_train, dists.shape[0]), _order(y_test, dists.shape[1])
        sorted_dists = dists.detach().cpu()[rows][:, columns]
        drawn = axes.imshow(sorted_dists.numpy(), aspect="auto", interpolation="nearest")
        figure.colorbar(drawn, ax=axes, label="squared distance", pad=0.02)
        sorting = "" if y_train is None and y_test is None else ", sorted by class"
        axes.set(title=title, xlabel=f"test point{sorting}", ylabel=f"training point{sorting}")
        if y_train is not None:
            _mark_classes(axes, y_train, vertical=True)
        if y_test is not None:
            _mark_classes(axes, y_test, vertical=False)
    return figure


def decision_regions(
    predictors: Mapping[str, Callable[[torch.Tensor], torch.Tensor]],
    points: torch.Tensor,
    labels: torch.Tensor,
    *,
    names: Sequence[str] | None = None,
    resolution: int = 150,
) -> Figure:
    """Show which class is predicted at each place of the plane, one panel per predictor.

    Parameters
    ----------
    predictors : mapping of str to callable
        Title of a panel to a function from points (M, 2) to their predicted classes (M,).
    points : Tensor of shape (N, 2)
        Training points.
    labels : Tensor of shape (N,), int64
        Their classes, 0 to at most 6.
    names : sequence of str, optional
        Names of the classes.
    resolution : int
        Places along each axis at which a predictor is asked.
    """
    classes = int(labels.max()) + 1
    if classes > len(COLORS):
        raise ValueError(f"there are {classes} classes; at most {len(COLORS)} can be told apart")
    low, high = points.amin(0), points.amax(0)
    margin = 0.08 * (high - low)
    ticks = [
        torch.linspace(float(a), float(b), resolution, dtype=points.dtype)
        for a, b in zip(low - margin, high + margin, strict=True)
    ]
    places = torch.cartesian_prod(*ticks)
    with mpl.rc_context(STYLE):
        figure, panels = new_figure(1, len(predictors), (4.1 * len(predictors), 4.5))
        for axes, (title, predict) in zip(panels, predictors.items(), strict=True):
            regions = predict(places).reshape(resolution, resolution).T
            _draw_regions(axes, ticks, regions, classes)
            _draw_points(axes, points, labels, names)
            axes.set(title=title, xlabel="first feature", ylabel="second feature")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=classes)
    return figure


def nearest_neighbors(
    queries: torch.Tensor,
    query_labels: torch.Tensor,
    images: torch.Tensor,
    labels: torch.Tensor,
    dists: torch.Tensor,
    *,
    k: int = 5,
    title: str = "Queries and their nearest training images",
) -> Figure:
    """Show queries, a row each, and beside each its nearest training images, nearest first.

    Parameters
    ----------
    queries : Tensor of shape (Q, 1, H, W) or (Q, 3, H, W)
        The images that were asked about.
    query_labels : Tensor of shape (Q,), int64
        Their true classes.
    images, labels : Tensor of shape (num_train, ...) and (num_train,)
        Training images and their classes.
    dists : Tensor of shape (num_train, Q)
        Distances of all training images to the queries.
    k : int
        Neighbors to show. One of another class than its query gets a dashed frame and a cross.
    """
    nearest = dists.topk(k, dim=0, largest=False)
    with mpl.rc_context(STYLE):
        figure, cells = new_figure(len(queries), k + 1, (1.25 * (k + 1), 1.62 * len(queries) + 0.7))
        for row, (query, truth) in enumerate(zip(queries, query_labels, strict=True)):
            line = cells[row * (k + 1) : (row + 1) * (k + 1)]
            _draw_image(line[0], query, f"query: a {int(truth)}", frame=INK)
            for rank, axes in enumerate(line[1:]):
                place = int(nearest.indices[rank, row])
                wrong = int(labels[place]) != int(truth)
                caption = (
                    f"{'✗ ' if wrong else ''}{int(labels[place])}, at {float(nearest.values[rank, row]):.3g}"
                )
                _draw_image(axes, images[place], caption, frame=COLORS[5] if wrong else None)
        figure.suptitle(title, fontsize=11.5)
        figure.supxlabel("below each image: its class, and its squared distance to the query", fontsize=9)
    return figure


def cross_validation(
    k_to_accuracies: Mapping[int, Sequence[float]],
    *,
    best_k: int | None = None,
    title: str = "Cross-validation",
) -> Figure:
    """Show the accuracy of each fold, and mean and standard deviation over the folds, for each k.

    Parameters
    ----------
    k_to_accuracies : mapping of int to sequence of float
        Accuracies in percent for each k.
    best_k : int, optional
        The choice to point out.
    """
    ks = sorted(k_to_accuracies)
    folds = [torch.tensor(k_to_accuracies[k], dtype=torch.float64) for k in ks]
    means = [float(fold.mean()) for fold in folds]
    spread = [float(fold.std(correction=0)) for fold in folds]
    with mpl.rc_context(STYLE):
        figure, (axes,) = new_figure(1, 1, (7.2, 4.5))
        for k, fold in zip(ks, folds, strict=True):
            axes.plot([k] * len(fold), fold.tolist(), "o", color=GRAY, alpha=0.45, ms=4, zorder=1)
        axes.plot([], [], "o", color=GRAY, alpha=0.45, ms=4, label="one fold")
        label = "mean and standard deviation over the folds"
        axes.errorbar(ks, means, yerr=spread, fmt="-s", ms=5, lw=1.6, color=COLORS[0], capsize=4, label=label)
        if best_k is not None:
            best = means[ks.index(best_k)]
            axes.plot(best_k, best, "*", ms=17, mfc=COLORS[1], mec=INK, zorder=5, label=f"best: k = {best_k}")
        axes.set_xscale("log")
        axes.set_xticks(ks, [str(k) for k in ks])
        axes.minorticks_off()
        axes.grid(axis="y", color="#dddddd", lw=0.8)
        axes.set_axisbelow(True)
        axes.set(title=title, xlabel="k, the number of neighbors that vote", ylabel="accuracy in percent")
        figure.legend(loc="outside lower center", ncols=3)
    return figure


def _draw_image(axes: Axes, image: torch.Tensor, caption: str, frame: str | None) -> None:
    axes.imshow(as_rgb(image).numpy(), interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(caption, fontsize=9)
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=frame or "#cccccc", linewidth=2 if frame else 0.8)
        spine.set_linestyle("--" if frame == COLORS[5] else "-")


def _without_frame(axes: Axes) -> None:
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _order(labels: torch.Tensor | None, count: int) -> torch.Tensor:
    return torch.arange(count) if labels is None else labels.cpu().argsort(stable=True)


def _mark_classes(axes: Axes, labels: torch.Tensor, *, vertical: bool) -> None:
    """Draw lines between the classes of one axis, and put their numbers in the middle."""
    classes, counts = torch.unique(labels.cpu(), return_counts=True)
    ends = counts.cumsum(0)
    middles = (ends - counts / 2 - 0.5).tolist()
    texts = [str(int(label)) for label in classes]
    (axes.set_yticks if vertical else axes.set_xticks)(middles, texts)
    axes.tick_params(axis="y" if vertical else "x", length=0)
    for end in ends[:-1].tolist():
        (axes.axhline if vertical else axes.axvline)(end - 0.5, color="white", lw=0.8)


def _draw_regions(axes: Axes, ticks: Sequence[torch.Tensor], regions: torch.Tensor, classes: int) -> None:
    colors = ListedColormap(COLORS[:classes])
    extent = (float(ticks[0][0]), float(ticks[0][-1]), float(ticks[1][0]), float(ticks[1][-1]))
    axes.imshow(
        regions.numpy(),
        cmap=colors,
        vmin=-0.5,
        vmax=classes - 0.5,
        alpha=0.3,
        extent=extent,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )


def _draw_points(axes: Axes, points: torch.Tensor, labels: torch.Tensor, names: Sequence[str] | None) -> None:
    for label in range(int(labels.max()) + 1):
        x, y = points[labels == label].T
        axes.scatter(
            x.tolist(),
            y.tolist(),
            s=34,
            color=COLORS[label],
            marker=MARKERS[label],
            edgecolors=INK,
            linewidths=0.7,
            label=_name(label, names),
        )


def _name(label: int, names: Sequence[str] | None) -> str:
    return str(label) if names is None else names[label]
