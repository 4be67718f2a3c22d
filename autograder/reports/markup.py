"""Markdown written by others, as inert HTML: no scripts, no links, nothing that is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from mdit_py_plugins.dollarmath import dollarmath_plugin

from autograder.graded.answers import Image
from autograder.reports.formulas import formula
from autograder.untrusted import printable

MAX_MARKDOWN = 20_000
"""Longer text is shown as it is, since some texts take time that grows with the square of their length."""
MAX_NESTING = 20
ATTACHMENT = "attachment:"
_JOINERS = re.compile("([\u200c\u200d]+)")
"""Characters without a width that Persian and emoji need; alone they hide nothing."""


def render_markdown(text: str, images: Mapping[str, Image] | None = None) -> Markup:
    """Return Markdown as HTML.

    HTML in it is shown as text. Links are words with their address as a title, and lead nowhere. Formulas
    become MathML. Of pictures, those in `images` are embedded; every other one is named, and not loaded.

    Parameters
    ----------
    images : mapping of str to Image, optional
        Pictures by the name that the text gives them, after ``attachment:``.
    """
    shown = "".join(part if _JOINERS.match(part) else printable(part) for part in _JOINERS.split(text))
    if len(shown) > MAX_MARKDOWN:
        return Markup("<pre>{}</pre>").format(shown)
    environment = {"images": images or {}}
    tokens = _parser().parse(shown, environment)
    if _depth(tokens) >= MAX_NESTING - 1:  # beyond that, the parser drops what it reads
        return Markup("<pre>{}</pre>").format(shown)
    return Markup(_parser().renderer.render(tokens, _parser().options, environment))


def _depth(tokens: Sequence[Token]) -> int:
    return max((max(token.level, _depth(token.children or ())) for token in tokens), default=0)


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough"])
    dialect = {"allow_labels": False, "allow_digits": False, "double_inline": True}
    parser.use(dollarmath_plugin, renderer=_formula, **dialect)
    rules: dict[str, Callable[..., str]]
    rules = {"link_open": _link_open, "link_close": _link_close, "image": _image}
    for kind, rule in rules.items():
        parser.add_render_rule(kind, rule)
    return parser


def _formula(content: str, options: Mapping[str, Any]) -> str:
    return formula(content, display=bool(options["display_mode"]))


def _link_open(_: object, tokens: Sequence[Token], index: int, *rest: object) -> str:
    return f'<span class="link" title="{escape(str(tokens[index].attrGet("href") or ""))}">'


def _link_close(*_: object) -> str:
    return "</span>"


def _image(
    _: object, tokens: Sequence[Token], index: int, options: object, environment: Mapping[str, Any]
) -> str:
    token = tokens[index]
    address = str(token.attrGet("src") or "")
    picture = environment["images"].get(address.removeprefix(ATTACHMENT))
    if picture is not None and address.startswith(ATTACHMENT):
        data = f"data:{picture.type};base64,{picture.data}"
        return f'<img alt="{escape(token.content)}" src="{escape(data)}">'
    what = f"picture not shown: {token.content}" if token.content else "picture not shown"
    return f'<span class="left-out" title="{escape(address)}">[{escape(what)}]</span>'
