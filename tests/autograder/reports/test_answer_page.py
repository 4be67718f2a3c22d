"""The page of a question: complete, quiet whatever students write, and fast to use without a mouse."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from autograder.graded.answers import Image
from autograder.graded.records import WrittenAnswer
from autograder.reports import answer_page
from autograder.reports.answer_page import AnswerEntry, Asked
from tests.support import written_class as made

ASKED = Asked("why-sums", "Why <sums>", 4, "**Think** about $x$.", "Because.", ("One *item*.", "Another."))
CHROMIUM = Path("/usr/bin/chromium")


def entry(student: str, text: str, points: float | None = None, **fields: Any) -> AnswerEntry:
    answer = made.answer(text, **fields)
    scored = None if points is None else made.mark(points, answer, comment="Well.")
    return AnswerEntry(student, f"key-{student}", WrittenAnswer(answer, scored))


def render(*entries: AnswerEntry, folder: str = "graded/toy") -> str:
    return answer_page.render(ASKED, entries, title="A toy", course="Deep Learning", folder=folder)


class Page(HTMLParser):
    """The elements of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_question_rubric_reference_and_answers_are_there() -> None:
    html = render(entry("ada", "*Mine*."), entry("bob", ""), entry("eve", "Hers.", 3))
    for words in (
        "<h1>Why &lt;sums&gt;</h1>",
        "<strong>Think</strong> about",
        "<li><p>One <em>item</em>.</p>",
        "Because.",
        "<p><em>Mine</em>.</p>",
        "Not answered.",
        "3 points by Grace on 2026-03-01.",
        "0 points for all below that are not scored",
    ):
        assert words in html
    page = Page(html)
    assert [card["data-student"] for card in page.all("article")] == ["ada", "eve", "bob"]
    digests = [card["data-answer"] for card in page.all("article")]
    assert digests == [answer_page.label(made.answer(text).digest) for text in ("*Mine*.", "Hers.", "")]
    fields = [field["value"] for field in page.all("input") if "value" in field]
    assert fields == ["", "3", ""]


def test_a_changed_answer_asks_for_its_points_again() -> None:
    old, new = made.answer("Old."), made.answer("New.")
    html = render(AnswerEntry("ada", "k", WrittenAnswer(new, made.mark(3, old, comment="Well."))))
    assert "The answer changed since it was scored: 3 points by Grace on 2026-03-01." in html
    assert [field["value"] for field in Page(html).all("input") if "value" in field] == [""]
    assert ">Well.</textarea>" in html


def test_only_the_kits_own_script_may_run_and_nothing_is_loaded() -> None:
    hostile = (
        "</script><script>alert(1)</script><img src=x onerror=alert(1)> ![](http://example.org/x.png) "
        "[a](javascript:alert(1)) \x1b[31m \u202e</textarea><script>"
    )
    picture = Image(type="image/png", data=made.encoded(made.png()))
    note = made.mark(1, made.answer(hostile), comment=hostile, by=hostile[:30])
    html = render(
        entry(f'ada"{hostile}', hostile, note=hostile),
        entry("bob", f"![](attachment:p) {hostile}", images={"p": picture}),
        AnswerEntry("eve", "k", WrittenAnswer(made.answer(hostile), note)),
        folder=f"graded/{hostile}",
    )
    page = Page(html)
    assert [one for one, _ in page.elements].count("script") == 1
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = (
        one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{allowed}'; base-uri 'none'; form-action 'none'"
    )
    assert [one["src"] for one in page.all("img")] == [f"data:image/png;base64,{picture.data}"]
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert not page.all("a")
    assert "\x1b" not in html
    assert "\u202e" not in html


def test_two_hundred_long_answers_make_a_page_in_no_time() -> None:
    text = "Because *sums* grow. " * 200
    html = render(*(entry(f"s{n}", text) for n in range(200)))
    assert len(html) < 2_000_000
    assert html.count("<article") == 200


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.full
def test_ten_answers_are_scored_with_the_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)> ![](http://example.org/x.png)"
    path.write_text(render(*(entry(f"s{n}", f"Answer {n}. {hostile}") for n in range(10)), entry("t", "")))
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.keyboard.type("4c")
    page.keyboard.type('Good, "really".')
    page.keyboard.press("Control+Enter")
    page.keyboard.type("2.5r")
    for points in ("3", "0", "1", "2", "3", "4", "4"):
        page.keyboard.press("Enter")
        page.keyboard.type(points)
    page.keyboard.press("ArrowDown")
    page.keyboard.type("7")
    assert page.inner_text("#progress") == "9 of 11 scored, 1 to correct"
    page.keyboard.press("Backspace")
    page.keyboard.type("1")
    page.reload()  # what was written is still there
    assert page.inner_text("#progress") == "10 of 11 scored"
    with page.expect_download() as download:
        page.keyboard.press("s")
    rows = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert [row["points"] for row in rows] == ["4", "2.5", "3", "0", "1", "2", "3", "4", "4", "1"]
    assert [row["comment"] for row in rows[:3]] == ['Good, "really".', 'Good, "really".', ""]
    assert {row["question"] for row in rows} == {"why-sums"}
    assert download.value.suggested_filename == "scores-why-sums.csv"
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {path.as_uri()}
    context.close()
