"""Records of decisions have one form and consecutive numbers, and ARCHITECTURE.md lists them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").is_file())
RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_numbers_are_consecutive() -> None:
    assert [int(path.name.partition("-")[0]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_has_the_form_of_the_others(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(rf"# {int(path.name[:4])}\. .+[^.]", lines[0])
    headings = [line for line in lines[1:] if line.startswith("#")]
    assert headings == ["## Context", "## Decision", "## Consequences"]
    assert 10 <= len(lines) <= 25


def test_architecture_lists_every_record_by_its_title() -> None:
    listed = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n## Design decisions\n")[2]
    found = re.findall(r"^- \[(\d{4})\]\(docs/decisions/(\S+)\) (.+)$", listed, re.MULTILINE)
    expected = []
    for path in RECORDS:
        title = path.read_text(encoding="utf-8").partition("\n")[0].partition(". ")[2]
        expected.append((path.name[:4], path.name, title))
    assert found == expected
