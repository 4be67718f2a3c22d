"""Curves of accuracy: a panel per model, two lines in each."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt

from helpers.figures import accuracies

HISTORIES = {"small": ([0.1, 0.5, 0.6], [0.1, 0.4, 0.5]), "large": ([0.2, 0.9, 1.0], [0.2, 0.5, 0.4])}


def test_each_model_has_a_panel_with_both_curves() -> None:
    figure = accuracies.accuracy_curves(HISTORIES)
    figure.savefig(io.BytesIO(), format="png")
    assert [axes.get_title() for axes in figure.axes] == ["small", "large"]
    for axes, histories in zip(figure.axes, HISTORIES.values(), strict=True):
        assert [list(line.get_ydata()) for line in axes.lines] == list(histories)
        assert axes.get_xlabel() == "epoch"
        assert axes.get_ylabel() == "accuracy"
    assert not plt.get_fignums()


def test_a_setting_may_take_the_place_of_epochs() -> None:
    figure = accuracies.accuracy_curves(
        {"": HISTORIES["small"]}, steps=[1, 8, 64], xlabel="hidden units", log=True
    )
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "8", "64"]
