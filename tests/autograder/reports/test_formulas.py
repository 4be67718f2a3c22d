"""Formulas are drawn as their author meant, and nothing in them does or hides anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.reports.formulas import MAX_FORMULA, formula

COMMANDS = [
    *(r"\frac", r"\sqrt", r"\text", r"\href", r"\style", r"\class", r"\color", r"\left(", r"\right)"),
    *(r"\begin{matrix}", r"\phantom", r"\sum", r"\rm"),
]


class Drawn(HTMLParser):
    """What a browser would see, after a check that it is harmless."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags = "", []
        self.feed("".join(html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"span", "code"} or re.fullmatch("m[a-z]+", tag)
        names = {name for name, _ in attrs}
        assert not names & {"href", "src", "style", "id", "mathcolor", "mathbackground"}
        assert not any(name.startswith("on") for name in names)
        assert "class" not in names or ("class", "math") in attrs
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    ("latex", "tags", "text"),
    [
        (
            r"\frac{\partial L}{\partial W} = X^\top (p - y)",
            {"mfrac", "msup"},
            "\u2202L\u2202W=X\u22a4(p\u2212y)",
        ),
        (r"\sum_{i=1}^{N} \max(0, s_j - s_{y_i} + 1)", {"msubsup", "msub"}, "\u2211i=1Nmax(0,sj\u2212syi+1)"),
        (r"\begin{pmatrix}1 & 2\\3 & 4\end{pmatrix}", {"mtable", "mtr", "mtd"}, "(1234)"),
        (
            r"W \in \mathbb{R}^{N \times D}, \lVert W \rVert_F",
            {"msup"},
            "W\u2208\u211dN\u00d7D,\u2016W\u2016F",
        ),
        ("a < b & c", {"mo"}, "a<b&c"),
    ],
)
def test_a_formula_is_drawn(latex: str, tags: set[str], text: str) -> None:
    html = formula(latex, display=False)
    drawn = Drawn(html)
    assert tags | {"math"} <= set(drawn.tags)
    assert drawn.text == text
    assert 'class="math" title="' in html


def test_a_formula_with_lines_of_its_own_is_a_block() -> None:
    assert 'display="block"' in formula("x", display=True)
    assert 'display="inline"' in formula("x", display=False)


@pytest.mark.parametrize(
    "latex",
    [r"\frac{", r"x^2^3", "{" * 1500, "x" * (MAX_FORMULA + 1), r"\phantom{hidden}", "a\u202eb"],
)
def test_what_cannot_be_drawn_stays_as_it_was_written(latex: str) -> None:
    assert Drawn(formula(latex, display=False)).text == f"${latex}$"


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<script>alert(1)</script>}",
        r"\href{javascript:alert(1)}{x}",
        r"\style{position:fixed}{x}",
        r"\class{danger}{x}",
        r"\color{white}{x}",
        r"\text{&#x3c;img src=x onerror=alert(1)>}",
        r'x" onclick="alert(1)',
        r"\hspace{9999em}",
    ],
)
def test_nothing_in_a_formula_acts(latex: str) -> None:
    html = formula(latex, display=True)
    Drawn(html)
    assert "<script" not in html
    assert "<img" not in html
    assert "9999em" not in re.sub('title="[^"]*"', "", html)


@given(st.lists(st.sampled_from([*COMMANDS, *"{}<>&^_$ x1\"'", "\\"]) | st.characters(), max_size=30))
def test_anything_is_harmless(pieces: list[str]) -> None:
    Drawn(formula("".join(pieces), display=False))
