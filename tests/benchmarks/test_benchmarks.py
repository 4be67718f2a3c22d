"""The benchmarks measure the kit as it is now."""

from __future__ import annotations

import torch

from benchmarks.__main__ import connect


def test_a_call_into_a_confined_worker_can_be_measured() -> None:
    with connect() as (module, _):
        assert module.f(1) == 1
        assert module.length(torch.zeros(3)) == 3
