"""Figures of training: how the loss falls, which settings are good, and what weights have learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import torch
from matplotlib.figure import Figure

from helpers.figures.plots import COLORS, GRAY, INK, STYLE, new_figure


def loss_curves(
    histories: Mapping[str, Sequence[float]],
    *,
    smooth: int = 20,
    log: bool = False,
    title: str = "Loss while training",
) -> Figure:
    """Show losses by iteration, pale as they are and strong as a running mean.

    Parameters
    ----------
    histories : mapping of str to sequence of float
        Name of a curve to the loss at each iteration; at most seven curves.
    smooth : int
        Over how many iterations the running mean goes.
    log : bool
        Whether the axis of the loss is logarithmic.
    """
    with mpl.rc_context(STYLE):
        figure, (axes,) = new_figure(1, 1, (7.2, 4.2))
        for color, (name, losses) in zip(COLORS, histories.items(), strict=False):
            axes.plot(losses, color=color, alpha=0.25, lw=0.8)
            width = max(1, min(smooth, len(losses)))
            mean = torch.tensor(losses, dtype=torch.float64).unfold(0, width, 1).mean(dim=1)
            axes.plot(range(width - 1, len(losses)), mean.tolist(), color=color, lw=1.8, label=name)
        if log:
            axes.set_yscale("log")
        axes.grid(axis="y", color="#dddddd", lw=0.8)
        axes.set(title=title, xlabel="iteration", ylabel="loss on the minibatch")
        figure.legend(loc="outside lower center", ncols=min(4, len(histories)))
    return figure


def settings_map(
    accuracies: Mapping[tuple[float, float], float],
    *,
    names: tuple[str, str] = ("learning rate", "regularization strength"),
    title: str = "Validation accuracy in percent",
) -> Figure:
    """Show how good each pair of settings is, as a map with numbers; the best has a frame.

    Parameters
    ----------
    accuracies : mapping of (float, float) to float
        Pair of settings to the accuracy in percent. Pairs that are missing stay white.
    names : pair of str
        What the settings are.
    """
    columns, rows = (sorted({pair[place] for pair in accuracies}) for place in (0, 1))
    grid = torch.full((len(rows), len(columns)), float("nan"))
    for (column, row), accuracy in accuracies.items():
        grid[rows.index(row), columns.index(column)] = accuracy
    best = max(accuracies, key=lambda pair: accuracies[pair])
    with mpl.rc_context(STYLE):
        figure, (axes,) = new_figure(1, 1, (1.1 * len(columns) + 2.4, 0.75 * len(rows) + 1.6))
        drawn = axes.imshow(grid.numpy(), aspect="auto", origin="lower")
        figure.colorbar(drawn, ax=axes, label="percent", pad=0.02)
        middle = (min(accuracies.values()) + max(accuracies.values())) / 2
        for (column, row), accuracy in accuracies.items():
            place = columns.index(column), rows.index(row)
            ink = INK if accuracy > middle else "white"
            axes.text(*place, f"{accuracy:.1f}", ha="center", va="center", color=ink)
        corner = columns.index(best[0]) - 0.5, rows.index(best[1]) - 0.5
        axes.add_patch(mpl.patches.Rectangle(corner, 1, 1, fill=False, ec=COLORS[5], lw=3))
        axes.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
        axes.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
        axes.set(title=title, xlabel=names[0], ylabel=names[1])
    return figure


def class_templates(
    weights: torch.Tensor,
    shape: Sequence[int],
    *,
    names: Sequence[str] | None = None,
    title: str = "What each class looks for",
) -> Figure:
    """Show the weights of each class as an image.

    Gray images are drawn in two colors: where ink speaks for the class, and where it speaks against it.
    Images with three channels are drawn in color, with the smallest weight black and the largest white.

    Parameters
    ----------
    weights : Tensor of shape (D, C) or (D + 1, C)
        A column per class; the last row, if it is one more than an image has numbers, is left out.
    shape : sequence of int
        Of an image: (1, H, W) or (3, H, W).
    names : sequence of str, optional
        Names of the classes; by default their numbers.
    """
    size = int(torch.tensor(shape).prod())
    images = weights.detach().cpu()[:size].T.reshape(-1, *shape).double()
    count = len(images)
    rows = 1 if count <= 5 else 2
    columns = -(-count // rows)
    with mpl.rc_context(STYLE):
        figure, cells = new_figure(rows, columns, (1.5 * columns, 1.75 * rows + 0.6))
        limit = float(images.abs().max())
        for label, axes in enumerate(cells):
            axes.set_axis_off()
            if label >= count:
                continue
            image = images[label]
            if shape[0] == 1:
                axes.imshow(image[0].numpy(), cmap="RdBu_r", vmin=-limit, vmax=limit)
            else:
                low, high = image.min(), image.max()
                axes.imshow(((image - low) / (high - low + 1e-12)).permute(1, 2, 0).numpy())
            axes.set_title(str(label) if names is None else names[label], fontsize=10)
        figure.suptitle(title, fontsize=11.5)
        if shape[0] == 1:
            figure.supxlabel("red: ink speaks for the class; blue: against it", fontsize=9, color=GRAY)
    return figure
