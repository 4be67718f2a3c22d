"""Seeds and public generators are the same everywhere and for good."""

from __future__ import annotations

import torch

from helpers import seeds


def test_seeds_depend_on_key_and_names_and_fit_63_bits() -> None:
    found = {
        seeds.seed(key, *names) for key in (b"a", b"b") for names in (("x",), ("x", ""), ("", "x"), ("xy",))
    }
    assert len(found) == 8
    assert all(0 <= value < 2**63 for value in found)


def test_a_seed_never_changes() -> None:
    assert seeds.seed(b"public", "knn") == 4269955476250433003


def test_public_generators_repeat() -> None:
    first, again, other = (torch.rand(3, generator=seeds.public_generator(name)) for name in "aab")
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
