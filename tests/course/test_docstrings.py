"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.support.imports import modules

ROOT = Path(__file__).parents[2]
WITH_EXAMPLES = sorted(
    name
    for name, path in modules(ROOT).items()
    if path.parts[0] != "tests" and ">>> " in (ROOT / path).read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted
    assert not result.failed, capsys.readouterr().out
