"""What `submit.build` says before the path of the zip: HTML for notebooks, text for terminals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from helpers.notebook import reload, report
from helpers.notebook.outcomes import Report
from helpers.notebook.work import Work
from helpers.submission.findings import Finding, Weight
from helpers.wording import number

_SYMBOLS: dict[Weight, str] = {"problem": "!", "open": "○", "note": "·"}
_HEADS: dict[Weight, str] = {
    "problem": "Look at this before you hand it in",
    "open": "Not done yet",
    "note": "Good to know",
}


def as_html(own: Work, done: Report, known: Sequence[Finding], target: Path) -> str:
    """Return the summary as HTML that stands on its own, and reads well without its style too."""
    parts = [f'<p class="cg-head"><strong>{escape(_headline(done))}</strong></p>']
    parts += [f'<p class="cg-small">{escape(_points(done))}</p>'] if done.problem is None else []
    for weight, group in _by_weight(known):
        items = "".join(f"<li>{escape(finding.text)}{_code(finding)}</li>" for finding in group)
        tone = {"problem": "cg-note", "open": "cg-open", "note": "cg-small"}[weight]
        parts.append(f'<div class="cg-list {tone}"><strong>{_HEADS[weight]}</strong><ul>{items}</ul></div>')
    rows = "".join(
        f"<tr><td{report.LEFT}><code>{escape(name)}</code></td>"
        f'<td class="cg-points">{_size(content)}</td><td{report.LEFT}>{escape(_origin(own, name))}</td></tr>'
        for name, content in own.files.items()
    )
    parts.append("<p><strong>In the zip</strong></p>")
    parts.append(f'<table class="cg-table cg-files"><tbody>{rows}</tbody></table>')
    parts.append(f"<p><strong>Hand in this file:</strong> <code>{escape(str(target))}</code></p>")
    return report.frame("".join(parts))


def as_text(own: Work, done: Report, known: Sequence[Finding], target: Path) -> str:
    """Return the summary as text of at most 96 columns, but for what the student's code says."""
    lines = [_headline(done), *(report.wrap(_points(done), "") if done.problem is None else [])]
    for weight, group in _by_weight(known):
        lines += ["", f"{_HEADS[weight]}:"]
        for finding in group:
            lines += report.wrap(f"  {_SYMBOLS[weight]} {finding.text}", "    ")
            lines += [f"        {finding.code}"] if finding.code else []
    lines += ["", "In the zip:"]
    width = max(map(len, own.files))
    for name, content in own.files.items():
        lines.append(f"  {name:<{width}} {_size(content):>8}  {_origin(own, name)}".rstrip())
    return "\n".join([*lines, "", f"Hand in this file: {target}"])


def _headline(done: Report) -> str:
    if done.problem is not None:
        return f"{done.handout.title}: no public check could run"
    count = len(done.outcomes)
    return f"{done.handout.title}: {done.passed} of {count} public check{'s' if count != 1 else ''} passed"


def _points(done: Report) -> str:
    whole = sum(task.points for task in done.handout.tasks)
    return (
        f"{number(done.points)} of the {number(done.max_points)} points that public checks give; "
        f"the other {number(whole - done.max_points)} of {number(whole)} points come from checks that run "
        "when your work is graded. These checks ran just now, on the files in the zip."
    )


def _by_weight(known: Sequence[Finding]) -> Iterator[tuple[Weight, list[Finding]]]:
    for weight in _HEADS:
        group = [finding for finding in known if finding.weight == weight]
        if group:
            yield weight, group


def _code(finding: Finding) -> str:
    return f"<br><code>{escape(finding.code)}</code>" if finding.code else ""


def _size(content: bytes) -> str:
    return f"{max(1, round(len(content) / 1000))} kB"


def _origin(own: Work, name: str) -> str:
    """Return what a student may ask about a file in the zip: whose it is, and of which moment."""
    if name in own.modules:
        saved = f"saved at {reload.format_time(own.handout.file(name.removesuffix('.py')).stat().st_mtime)}"
        return f"{saved}, as you received it" if own.is_untouched(name) else saved
    if name in own.siblings:
        return "imported by your code"
    if name in own.weights or own.document is None:
        return "saved weights"
    document = own.document
    if document.saved is None:
        return "as it is in your browser now"
    saved = f"saved at {reload.format_time(document.saved)}"
    renamed = document.file is not None and document.file.name != name
    return f"{saved}, from {document.file.name}" if renamed and document.file else saved
