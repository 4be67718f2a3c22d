"""Figures of convolutional networks: what filters look like, what they respond to, and what they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.plots import COLORS, GRAY, INK, STYLE, new_figure


def panels(
    images: Mapping[str, torch.Tensor], *, columns: int = 4, title: str = "", numbers: bool = False
) -> Figure:
    """Show images and feature maps side by side, each with a caption.

    Parameters
    ----------
    images : mapping of str to Tensor
        Caption to a color image (3, H, W) in [0, 1], or to a map (H, W) of any numbers: blue below zero,
        white at zero, red above.
    columns : int
        How many stand in a row.
    title : str
        Above all of them.
    numbers : bool
        Write the numbers of a map into its cells, which are then of one size in all panels.
    """
    rows = -(-len(images) // columns)
    largest = [max((image.shape[axis] for image in images.values()), default=1) for axis in (-2, -1)]
    with mpl.rc_context(STYLE):
        size = (2.1 * min(columns, len(images)), 2.3 * rows + (0.4 if title else 0))
        figure, places = new_figure(rows, min(columns, len(images)), size)
        for axes in places:
            axes.set_axis_off()
        for axes, (caption, image) in zip(places, images.items(), strict=False):
            values = image.detach().cpu().float()
            if values.dim() == 3:
                axes.imshow(values.clamp(0, 1).permute(1, 2, 0).numpy(), interpolation="nearest")
            else:
                bound = float(values.abs().amax()) or 1.0
                axes.imshow(values.numpy(), cmap="RdBu_r", vmin=-bound, vmax=bound, interpolation="nearest")
            if numbers and values.dim() == 2:
                for (i, j), value in _cells(values):
                    strong = abs(value) > 0.6 * float(values.abs().amax())
                    color = "white" if strong else INK
                    axes.text(j, i, f"{value:g}", ha="center", va="center", color=color)
            if numbers:
                _center(axes, values.shape[-2:], largest)
            axes.set_title(caption, fontsize=9.5)
        if title:
            figure.suptitle(title, fontsize=11.5)
    return figure


def _center(axes: Axes, size: Sequence[int], largest: Sequence[int]) -> None:
    """Show an image of height and width `size` in the middle of the place that the largest one takes."""
    (height, width), (most_rows, most_columns) = size, largest
    axes.set_xlim((width - most_columns - 1) / 2, (width + most_columns - 1) / 2)
    axes.set_ylim((height + most_rows - 1) / 2, (height - most_rows - 1) / 2)


def color_filters(w: torch.Tensor, *, columns: int = 8, title: str = "Filters of the first layer") -> Figure:
    """Show filters that look at color images, each stretched to the full range of colors.

    Parameters
    ----------
    w : Tensor of shape (F, 3, HH, WW)
        The filters.
    """
    low, high = w.amin(dim=(1, 2, 3), keepdim=True), w.amax(dim=(1, 2, 3), keepdim=True)
    shown = (w - low) / (high - low).clamp(min=1e-12)
    return panels({f"filter {n}": one for n, one in enumerate(shown)}, columns=columns, title=title)


def receptive_field(layers: Sequence[tuple[int, int]], *, title: str = "What one number sees") -> Figure:
    """Draw, in one dimension, which inputs one number behind several layers depends on.

    Parameters
    ----------
    layers : sequence of (int, int)
        Size of the filter and stride of each layer, the first one first.
    """
    seen = [range(1)]
    for size, stride in reversed(layers):
        seen.append(range(seen[-1][0] * stride, seen[-1][-1] * stride + size))
    seen.reverse()
    steps = [1]
    for _, stride in layers:
        steps.append(steps[-1] * stride)
    middle = (len(seen[0]) - 1) / 2
    with mpl.rc_context(STYLE):
        figure, (axes,) = new_figure(1, 1, (7.2, 1.1 * len(seen) + 0.8))
        places = [
            [middle + (n - (len(row) - 1) / 2) * step for n in range(len(row))]
            for row, step in zip(seen, steps, strict=True)
        ]
        for level, (size, stride) in enumerate(layers):
            for n, upper in enumerate(places[level + 1]):
                for lower in places[level][n * stride : n * stride + size]:
                    axes.plot([lower, upper], [level, level + 1], color=GRAY, lw=0.6, zorder=1)
        for level, row in enumerate(places):
            color = COLORS[level % len(COLORS)]
            axes.scatter(row, [level] * len(row), s=70, color=color, edgecolors=INK, zorder=2)
        names = ["input", *(f"layer {n}: {k} wide, stride {s}" for n, (k, s) in enumerate(layers, start=1))]
        axes.set_yticks(
            range(len(seen)), [f"{name} ({len(row)})" for name, row in zip(names, seen, strict=True)]
        )
        axes.set_xticks([])
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(length=0)
        axes.set(title=f"{title}: {len(seen[0])} inputs", ylim=(-0.5, len(seen) - 0.5))
    return figure


def _cells(values: torch.Tensor) -> list[tuple[tuple[int, int], float]]:
    return [(divmod(n, values.shape[1]), float(value)) for n, value in enumerate(values.flatten())]
