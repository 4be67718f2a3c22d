"""Charts as inline SVG: their colors are those of the page, and their text stays text."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from autograder.untrusted import line
from helpers.wording import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = {"#010203": "--accent", "#020304": "--muted", "#030405": "--line", "#040506": "--ink"}
_BAR, _LABEL, _RULE, _TEXT = _COLORS
_SIZE = 9


def histogram(scores: Sequence[float], top: float) -> Markup:
    """Return a histogram of scores in ten bins from 0 to ``top`` points."""
    width = top / 10 or 1
    counts = [0] * 10
    for score in scores:
        counts[max(0, min(9, int(score / width)))] += 1
    centers = [width * (number + 0.5) for number in range(10)]
    bins = [f"{number(width * place)} to {number(width * (place + 1))} points" for place in range(9)]
    bins.append(f"{number(width * 9)} points or more")
    described = "; ".join(f"{name}: {count}" for name, count in zip(bins, counts, strict=True))

    def draw(axes: Axes) -> None:
        bars = axes.bar(centers, counts, width=0.92 * width, color=_BAR)
        labels = [str(count) if count else "" for count in counts]
        axes.bar_label(bars, labels=labels, color=_LABEL, fontsize=_SIZE)
        axes.set(xlim=(0, top or 1), xlabel="points", ylabel="students")
        axes.set_xticks([2 * width * number for number in range(6)])
        axes.locator_params(axis="y", integer=True)

    return _svg(draw, (7.2, 2.9), "Number of students by points", described)


def shares(names: Sequence[str], parts: Sequence[float]) -> Markup:
    """Return horizontal bars: for each name, a part from 0 to 1."""
    described = "; ".join(f"{line(name)}: {part:.0%}" for name, part in zip(names, parts, strict=True))

    def draw(axes: Axes) -> None:
        places = range(len(names))
        bars = axes.barh(places, [100 * part for part in parts], height=0.62, color=_BAR)
        labels = [f"{part:.0%}" for part in parts]
        axes.bar_label(bars, labels=labels, padding=3, color=_LABEL, fontsize=_SIZE)
        axes.set_yticks(places, [_short(line(name)) for name in names])
        axes.invert_yaxis()
        axes.set(xlim=(0, 108), xlabel="mean share of the task's points, in percent")

    return _svg(draw, (7.2, 0.8 + 0.36 * len(names)), "Success per task", described)


def _short(name: str) -> str:
    return name if len(name) <= 44 else f"{name[:43]}…"


def _svg(draw: Callable[[Axes], None], size: tuple[float, float], title: str, described: str) -> Markup:
    """Draw on axes, and return the SVG with a title and a description for those who do not see it."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: dict[Any, object] = {
        "svg.fonttype": "none",
        "svg.hashsalt": title,
        "font.size": _SIZE,
        "axes.edgecolor": _RULE,
        "axes.labelcolor": _LABEL,
        "xtick.color": _RULE,
        "ytick.color": _RULE,
        "xtick.labelcolor": _TEXT,
        "ytick.labelcolor": _TEXT,
        "text.color": _TEXT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.parse_math": False,
    }
    text = io.StringIO()
    with mpl.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        figure.patch.set_visible(False)
        with warnings.catch_warnings():  # the reader's fonts draw the text, not this machine's
            warnings.filterwarnings("ignore", "Glyph .* missing")
            draw(axes)
            figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return _for_page(text.getvalue(), title, described)


def _for_page(svg: str, title: str, described: str) -> Markup:
    """Take the drawing out of its file: no prolog, no fonts of this machine, colors by name."""
    inner = svg[svg.index("<svg") :]
    inner = re.sub(r"<metadata>.*?</metadata>", "", inner, flags=re.DOTALL)
    view = re.search(r'viewBox="([\d. -]+)"', inner)
    assert view is not None
    body = inner[inner.index(">") + 1 :]
    for color, variable in _COLORS.items():
        body = body.replace(color, f"var({variable})")
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body)
    head = (
        f'<svg class="chart" viewBox="{view[1]}" role="img" xmlns="http://www.w3.org/2000/svg" '
        f'xmlns:xlink="http://www.w3.org/1999/xlink"><title>{escape(title)}</title>'
        f"<desc>{escape(described)}</desc>"
    )
    return Markup(head + body)
