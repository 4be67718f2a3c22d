"""Training a network that was only to be made ends at once, and is noted."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from helpers.testing import Untrained
from helpers.training.layers import adam
from helpers.training.solver import Solver


@pytest.mark.parametrize("rule", [None, adam])
def test_a_solver_stops_after_one_step_and_reports_it(rule: object) -> None:
    params = {"W1": torch.ones(3, 2)}
    untrained = Untrained(params)
    data = {"X_train": torch.ones(20, 3), "y_train": torch.arange(20) % 10}
    data |= {"X_val": torch.ones(10, 3), "y_val": torch.arange(10)}
    model = SimpleNamespace(params=dict(params), loss=untrained.loss)
    solver = Solver(model, data, update_rule=rule, verbose=False)  # type: ignore[arg-type]
    assert untrained.steps == 0
    assert solver.check_accuracy(data["X_val"], data["y_val"]) == 0.1
    solver.train()
    assert untrained.steps == 2
    assert torch.equal(model.params["W1"], params["W1"])
    assert solver.loss_history[0] == 0
    assert math.isnan(solver.loss_history[1])
    assert (solver.val_acc_history, solver.best_val_acc) == ([0.1], 0.1)


def test_who_goes_on_is_stopped() -> None:
    untrained = Untrained({})
    for _ in range(20):
        untrained.loss(torch.ones(1, 2), torch.zeros(1))
    with pytest.raises(RuntimeError, match="only makes the Solver"):
        untrained.loss(torch.ones(1, 2), torch.zeros(1))
