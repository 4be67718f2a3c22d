"""The changelog keeps the format of Keep a Changelog, and its latest version is the project's."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from itertools import pairwise
from pathlib import Path

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").is_file())
TEXT = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
KINDS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def releases() -> list[tuple[str, date]]:
    """Return versions and dates of the releases, in the order of the page."""
    headings = re.findall(r"^## (.+)$", TEXT, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    found = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})", heading) for heading in headings[1:]]
    return [(match[1], date.fromisoformat(match[2])) for match in found if match] if all(found) else []


def test_every_release_has_a_version_and_a_date_the_latest_first() -> None:
    found = releases()
    assert found, "expected headings such as `## [0.1.0] - 2026-11-29`"
    for (newer, later), (older, earlier) in pairwise(found):
        assert [int(part) for part in newer.split(".")] > [int(part) for part in older.split(".")]
        assert later >= earlier


def test_the_latest_release_is_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert releases()[0][0] == project["version"]


def test_kinds_of_changes_are_those_of_keep_a_changelog() -> None:
    for section in TEXT.split("\n## ")[1:]:
        kinds = re.findall(r"^### (.+)$", section, re.MULTILINE)
        assert len(kinds) == len(set(kinds)), section.partition("\n")[0]
        assert set(kinds) <= KINDS
