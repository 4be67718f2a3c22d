"""How pytest runs a suite."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from helpers.testing import collection
from tests.support.waiting import PATIENCE

RUN = """
import sys
from pathlib import Path
import pytest
from helpers.testing import collection

class Plugin:
    passed = 0
    def pytest_configure(self, config):
        collection.configure(config, tracebacks="no")
    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed

plugin = Plugin()
folder = Path(sys.argv[1])
pytest.main([*collection.pytest_arguments(folder), str(folder / "test_it.py")], plugins=[plugin])
sys.exit(plugin.passed)
"""
SUITE = "import pytest\n\n@pytest.mark.{mark}\ndef test_it(): pass\n"


def passed(folder: Path, mark: str) -> int:
    (folder / "test_it.py").write_text(SUITE.format(mark=mark))
    return subprocess.run([sys.executable, "-c", RUN, str(folder)], timeout=PATIENCE, check=False).returncode


def test_nothing_around_a_suite_takes_part(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("raise SystemExit(9)")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    assert passed(tmp_path, 'task("sums", weight=2)') == 1
    assert passed(tmp_path, "constraint") == 1
    assert passed(tmp_path, "slow") == 0, "a mark that nobody knows is a mistake"


def test_every_marker_is_explained() -> None:
    assert [line.partition(":")[0].partition("(")[0] for line in collection.MARKERS] == [
        "task",
        "constraint",
        "limits",
    ]
