"""Figures of accuracy on training and validation data, side by side: how well models fit, and generalize."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.figure import Figure

from helpers.figures.plots import COLORS, STYLE, new_figure


def accuracy_curves(
    histories: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    steps: Sequence[float] | None = None,
    xlabel: str = "epoch",
    log: bool = False,
    title: str = "Accuracy on training and validation data",
) -> Figure:
    """Show accuracies on training and validation data against epochs or a setting, one panel per model.

    Parameters
    ----------
    histories : mapping of str to pair of sequences of float
        Title of a panel to the accuracies on training and on validation data, from 0 to 1.
    steps : sequence of float, optional
        Where on the horizontal axis they belong; by default they are numbered from 0.
    xlabel : str
        What the horizontal axis shows.
    log : bool
        Whether the horizontal axis is logarithmic, with a tick at each of `steps`.
    """
    with mpl.rc_context(STYLE):
        figure, panels = new_figure(1, len(histories), (max(6.4, 3.7 * len(histories)), 4.0))
        for axes, (name, (training, validation)) in zip(panels, histories.items(), strict=True):
            places = list(range(len(training))) if steps is None else list(steps)
            mark = "o" if len(places) <= 12 else None
            axes.plot(places, training, "-", marker=mark, ms=5, color=COLORS[0], label="training")
            axes.plot(places, validation, "--", marker=mark, ms=5, color=COLORS[5], label="validation")
            if log:
                axes.set_xscale("log")
                axes.set_xticks(places, [f"{place:g}" for place in places])
                axes.minorticks_off()
            axes.set_ylim(0, 1.03)
            axes.grid(axis="y", color="#dddddd", lw=0.8)
            axes.set(title=name, xlabel=xlabel, ylabel="accuracy")
        figure.suptitle(title, fontsize=11.5)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
