"""Diagrams that explain: the scores of an image, and computational graphs with their gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from helpers.figures.plots import COLORS, GRAY, INK, STYLE, as_rgb, new_figure


@dataclass(frozen=True)
class Edge:
    """A value on its way from one node of a computational graph to another.

    Attributes
    ----------
    start, end : str
        Names of the nodes.
    value : str
        What flows forward.
    gradient : str
        What flows back: the derivative of the output with respect to that value.
    """

    start: str
    end: str
    value: str = ""
    gradient: str = ""


def computational_graph(
    places: Mapping[str, tuple[float, float]],
    edges: Sequence[Edge],
    *,
    labels: Mapping[str, str] | None = None,
    title: str = "A computational graph",
) -> Figure:
    """Draw a computational graph: values above the arrows, gradients below them.

    Parameters
    ----------
    places : mapping of str to (float, float)
        Name of a node to where it is, one unit apart at least.
    edges : sequence of Edge
        The arrows.
    labels : mapping of str to str, optional
        What stands in a node, by default its name.
    """
    across, up = ([place[axis] for place in places.values()] for axis in (0, 1))
    size = (1.25 * (max(across) - min(across)) + 1.6, 1.25 * (max(up) - min(up)) + 1.7)
    with mpl.rc_context(STYLE):
        figure, (axes,) = new_figure(1, 1, size)
        shown_as = {name: (labels or {}).get(name, name) for name in places}
        for edge in edges:
            ends = (places[edge.start], places[edge.end])
            lengths = (len(shown_as[edge.start]), len(shown_as[edge.end]))
            _draw_edge(axes, ends, lengths, edge)
        for name, place in places.items():
            box = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": INK, "lw": 1.2}
            axes.text(*place, shown_as[name], ha="center", va="center", bbox=box, zorder=3)
        axes.plot([], [], color=COLORS[0], lw=4, label="value, forward")
        axes.plot([], [], color=COLORS[5], lw=4, label="gradient, backward")
        axes.set(xlim=(min(across) - 0.6, max(across) + 0.6), ylim=(min(up) - 0.6, max(up) + 0.6))
        axes.set_axis_off()
        axes.set_title(title)
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def linear_scores(
    image: torch.Tensor,
    templates: torch.Tensor,
    scores: Sequence[float],
    *,
    names: Sequence[str],
    title: str = "An image, a template per class, and the scores",
) -> Figure:
    """Show how a linear classifier scores an image: one template per class, and a bar for each score.

    Parameters
    ----------
    image : Tensor of shape (1, H, W)
        Values from 0 to 1.
    templates : Tensor of shape (C, H, W)
        The weights of each class.
    scores : sequence of float
        The score of each class.
    names : sequence of str
        Names of the classes.
    """
    limit = float(templates.abs().max())
    with mpl.rc_context(STYLE):
        count = len(templates)
        figure, cells = new_figure(1, count + 2, (1.35 * (count + 1) + 3, 2.4))
        cells[0].imshow(as_rgb(image).numpy(), interpolation="nearest")
        cells[0].set_title("image")
        for axes, template, name in zip(cells[1:-1], templates, names, strict=True):
            axes.imshow(template.detach().cpu().numpy(), cmap="RdBu_r", vmin=-limit, vmax=limit)
            axes.set_title(name)
        for axes in cells[:-1]:
            axes.set_xticks([])
            axes.set_yticks([])
            for spine in axes.spines.values():
                spine.set(visible=True, edgecolor="#cccccc")
        best = max(range(count), key=lambda place: scores[place])
        colors = [COLORS[1] if place == best else GRAY for place in range(count)]
        cells[-1].barh(list(names), list(scores), color=colors)
        cells[-1].invert_yaxis()
        cells[-1].axvline(0, color=INK, lw=0.8)
        cells[-1].set_title("scores")
        figure.suptitle(title, fontsize=11.5)
    return figure


def _draw_edge(
    axes: Axes, ends: tuple[tuple[float, float], tuple[float, float]], lengths: tuple[int, int], edge: Edge
) -> None:
    """Draw an arrow between nodes with labels of these lengths, with its value and gradient beside it."""
    (x0, y0), (x1, y1) = ends
    upright = abs(x1 - x0) < 0.1
    gaps = [14 if upright else 13 + 2.6 * length for length in lengths]  # points; labels are wide, not high
    arrow = {"arrowstyle": "-|>", "color": GRAY, "lw": 1.4, "shrinkA": gaps[0], "shrinkB": gaps[1]}
    axes.annotate("", ends[1], ends[0], arrowprops=arrow, zorder=1)
    for text, color, side in ((edge.value, COLORS[0], 1), (edge.gradient, COLORS[5], -1)):
        axes.annotate(
            text,
            ((x0 + x1) / 2, (y0 + y1) / 2),
            (-6 * side, 0) if upright else (0, 6 * side),
            textcoords="offset points",
            ha=("right" if side > 0 else "left") if upright else "center",
            va="center" if upright else ("bottom" if side > 0 else "top"),
            color=color,
            fontsize=9.5,
        )
