"""What is shown suits the notebook or terminal that shows it."""

from __future__ import annotations

import io
import sys
from types import ModuleType, SimpleNamespace

import pytest

from helpers.notebook import frontend


def test_no_shell_without_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert frontend.shell() is None
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert frontend.shell() is None


def test_symbols_that_a_terminal_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    frontend.say("✓ passed")
    sys.stdout.flush()
    assert raw.getvalue().split() == [b"?", b"passed"]


def test_colab_is_known_by_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not frontend.in_colab()
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    assert frontend.in_colab()
