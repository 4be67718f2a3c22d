"""Markdown of others is shown, and does nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.graded.answers import Image
from autograder.reports.markup import MAX_MARKDOWN, render_markdown
from tests.support import written_class as made

BLOCKS = {"p", "br", "hr", "pre", "blockquote", "ul", "ol", "li", "div", "h1", "h2", "h3", "h4", "h5", "h6"}
TABLES = {"table", "thead", "tbody", "tr", "th", "td"}
MATH = {"math", "mrow", "mi", "mn", "mo", "mtext", "munder", "msub", "msup", "msubsup", "mover", "mspace"}
TAGS = BLOCKS | TABLES | MATH | {"em", "strong", "s", "code", "span", "img"}
ATTRIBUTES = {"display", "stretchy", "mathvariant", "width", "class", "title", "alt", "src", "start", "style"}
PICTURE = Image(type="image/png", data=made.encoded(made.png()))


class Page(HTMLParser):
    """Refuses what is not on the lists."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.feed("".join(html))  # a plain string, which escapes nothing
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        self.tags.append(tag)
        for name, value in attrs:
            assert name in ATTRIBUTES
            assert name != "src" or (value or "").startswith("data:image/png;base64,")
            assert name != "style" or value in ("text-align:left", "text-align:right", "text-align:center")

    def handle_comment(self, data: str) -> None:
        raise AssertionError("a comment")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_what_students_use() -> None:
    html = render_markdown(
        "# A\n\n1. *b* and **c**\n   - `d`\n\n> e\n\n```python\nf < 1\n```\n\n| g | h |\n|---|--:|\n| i | j |"
    )
    assert {"h1", "ol", "em", "strong", "ul", "code", "blockquote", "pre", "table", "td"} <= set(
        Page(html).tags
    )
    assert "f < 1" in Page(html).text


def test_formulas_are_drawn_and_are_no_markdown() -> None:
    page = Page(render_markdown("So $a_1 * b_1 < c_1 * d_1$ and\n\n$$\n\\sum_i x_i\n$$\n\nfor $5 and $6."))
    assert page.tags.count("math") == 2
    assert "for $5 and $6." in page.text
    assert "em" not in page.tags


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '<img src="http://example.org/x.png">',
        "<style>*{display:none}</style>",
        "<svg onload=alert(1)>",
        "<!-- a comment -->",
        "<details open ontoggle=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](java\nscript:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "[a](data:text/html,<script>alert(1)</script>)",
        "[a](vbscript:x)",
        '[a](http://example.org "t\\" onmouseover=alert(1) x=\\"")',
        '[a](http://example.org/"onmouseover="alert(1))',
        "[a]: javascript:alert(1)\n\n[a]",
        "<javascript:alert(1)>",
        "<http://example.org>",
        "![a](http://example.org/x.png)",
        '![" onerror="alert(1)](attachment:one)',
        "![a](attachment:none)",
        "![a](data:image/svg+xml;base64,PHN2Zz4=)",
        "![a](data:image/png;base64,xx)",
        "![a](file:///etc/passwd)",
        '```" onmouseover="alert(1)\nx\n```',
        "$<script>alert(1)</script>$",
        "$$\n<img src=x onerror=alert(1)>\n$$",
        "| a |\n|:-:|\n| <script>alert(1)</script> |",
        "\x1b[31mred\x1b]0;title\x07",
        "\u202ecod.exe\u202c \u200b\ufeff",
        "\x00\ufffd\ud800",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_hostile_text_does_nothing(text: str) -> None:
    html = render_markdown(text, {"one": PICTURE})
    page = Page(html)
    assert not any(character in html for character in "\x1b\x07\u202e\u200b\ufeff\x00\ud800")
    assert "script" not in page.tags


@given(st.text(st.sampled_from("ab <>\"'&[]()!*_`~$|:-#\n\\/=javscript:0\u202e\x1b"), max_size=200))
def test_no_text_gets_through(text: str) -> None:
    Page(render_markdown(text, {"one": PICTURE}))


def test_links_are_words_that_lead_nowhere() -> None:
    html = render_markdown("[here](https://example.org/a?b=1&c=2)")
    assert html == '<p><span class="link" title="https://example.org/a?b=1&amp;c=2">here</span></p>\n'


def test_pictures_that_were_handed_in_are_embedded() -> None:
    html = render_markdown("![a <plot>](attachment:one) ![b](attachment:two)", {"one": PICTURE})
    assert f'<img alt="a &lt;plot&gt;" src="data:image/png;base64,{PICTURE.data}">' in html
    assert "[picture not shown: b]" in html


@pytest.mark.parametrize("text", [">" * 30 + " deep", "> - " * 200 + "deep", "> " * 5000 + "deep"])
def test_deep_nesting_hides_nothing(text: str) -> None:
    page = Page(render_markdown(text))
    assert page.text.endswith("deep")
    assert page.tags == ["pre"]


@pytest.mark.parametrize(
    "piece", ["[", "![", "*a ", "`a", "_a_b", "$a", "<a ", "[a](", "|a", "~~a~", "\\", "&#"]
)
def test_long_text_stays_plain(piece: str) -> None:
    text = piece * (MAX_MARKDOWN // len(piece) + 1)
    assert Page(render_markdown(text)).text == text


def test_scripts_that_need_joiners_keep_them() -> None:
    text = "می\u200cخواهم 👨\u200d👩\u200d👧"  # noqa: RUF001
    assert text in render_markdown(text)
