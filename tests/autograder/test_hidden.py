"""Tests of autograder.hidden."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from autograder.course import hidden_generators
from autograder.hidden import altered, hidden_generator, hidden_labels, hidden_normal, hidden_seed


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hidden_generators, "_current", b"key of an assignment")
    return


def test_normal_numbers_are_the_same_for_the_same_names_and_key() -> None:
    one, again, other = (hidden_normal(*names, shape=(30, 40)) for names in (["a"], ["a"], ["a", "b"]))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    hidden_generators.use_key(b"another key")
    assert not torch.equal(one, hidden_normal("a", shape=(30, 40)))


def test_normal_numbers_have_mean_0_and_deviation_1() -> None:
    found = hidden_normal("many", shape=(100, 100))
    assert found.dtype == torch.float64
    assert abs(float(found.mean())) < 0.06
    assert abs(float(found.std()) - 1) < 0.05


def test_float32_holds_the_same_numbers_rounded() -> None:
    exact = hidden_normal("x", shape=(5,))
    assert torch.equal(hidden_normal("x", shape=(5,), dtype=torch.float32), exact.float())


def test_labels_are_integers_below_the_number_of_classes() -> None:
    found = hidden_labels("y", classes=4, count=500)
    assert found.shape == (500,)
    assert found.unique().tolist() == [0, 1, 2, 3]


def test_a_seed_is_that_of_the_generator() -> None:
    assert hidden_seed("pictures") == hidden_generator("pictures").initial_seed()


def test_altered_pictures_keep_their_labels_and_little_else() -> None:
    images = torch.zeros(50, 1, 8, 8)
    images[torch.arange(50), 0, torch.arange(50) % 8, 3] = 1.0
    labels = torch.arange(50)
    found, theirs = altered(images, labels, "digits", shift=0.3, contrast=0.2)
    assert found.shape == images.shape
    assert sorted(theirs.tolist()) == labels.tolist()
    assert not torch.equal(theirs, labels)
    assert 0 <= float(found.min()) < float(found.max()) <= 1
    brightest = found.flatten(1).argmax(dim=1)
    assert brightest.tolist() == images[theirs].flatten(1).argmax(dim=1).tolist()
    assert float((found - images[theirs]).abs().amax()) > 0.1
