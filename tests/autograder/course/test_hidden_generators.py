"""Hidden generators repeat for whoever holds the key of an assignment, and for nobody else."""

from __future__ import annotations

import pytest
import torch

from autograder.course import hidden_generators
from autograder.errors import ConfigError
from helpers import seeds


def test_hidden_numbers_need_the_key_of_an_assignment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_generators, "_current", None)
    with pytest.raises(ConfigError, match="hidden numbers are drawn outside of grading"):
        hidden_generators.hidden_generator("knn")
    hidden_generators.use_key(b"key")
    own = hidden_generators.hidden_generator("knn")
    assert torch.equal(torch.rand(3, generator=own), torch.rand(3, generator=seeds.generator(b"key", "knn")))


def test_hidden_generators_follow_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = []
    for key in (b"one", b"two", b"one"):
        monkeypatch.setattr(hidden_generators, "_key", lambda key=key: key)
        draws.append(torch.rand(3, generator=hidden_generators.hidden_generator("knn", "ties")))
    assert torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], draws[1])
