"""The solver that notebooks and suites train with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from helpers.training.solver import Config, Model, Solver


class Linear:
    """A linear softmax classifier whose gradients come from autograd: nothing of an assignment."""

    def __init__(self, features: int = 3, classes: int = 4) -> None:
        self.params = {"W": torch.zeros(features, classes, dtype=torch.float64)}
        self.batches: list[Tensor] = []

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        if y is None:
            return X @ self.params["W"]
        self.batches.append(X)
        w = self.params["W"].clone().requires_grad_()
        loss = torch.nn.functional.cross_entropy(X @ w, y)
        loss.backward()
        return loss.detach(), {"W": w.grad}


class Scripted:
    """A model that says at the n-th training batch what a script says, and labels everything 0 or 1."""

    def __init__(self, losses: list[float]) -> None:
        self.params = {"w": torch.zeros(1)}
        self.losses = losses
        self.bn_params = [{"mode": "train", "running_mean": torch.zeros(1), "running_var": torch.ones(1)}]

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        if y is None:
            return torch.tensor([[0.0, 1.0]] * len(X)) if self.params["w"] < 3 else torch.zeros(len(X), 2)
        self.bn_params[0]["running_mean"] = self.params["w"] + 10
        return self.losses[int(self.params["w"])], {"w": torch.tensor([-1.0])}


def sgd(w: Tensor, dw: Tensor, config: Config) -> tuple[Tensor, Config]:
    config["steps"] = config.get("steps", 0) + 1
    return w - config["learning_rate"] * dw, config


def data(n: int = 60) -> dict[str, Tensor]:
    torch.manual_seed(0)
    x = torch.randn(n + 20, 3, dtype=torch.float64)
    y = (x @ torch.randn(3, 4, dtype=torch.float64)).argmax(dim=1)
    return {"X_train": x[:n], "y_train": y[:n], "X_val": x[n:], "y_val": y[n:]}


def ones(n: int) -> dict[str, Tensor]:
    x, y = torch.zeros(n, 1), torch.ones(n, dtype=torch.int64)
    return {"X_train": x, "y_train": y, "X_val": x, "y_val": y}


def solver(model: Model, parts: dict[str, Tensor], **settings: Any) -> Solver:
    chosen = {"update_rule": sgd, "optim_config": {"learning_rate": 1.0}, "verbose": False, **settings}
    return Solver(model, parts, **chosen)


def test_it_learns() -> None:
    model = Linear()
    found = solver(model, data(), num_epochs=40, batch_size=20)
    found.train()
    assert len(found.loss_history) == 120
    assert len(found.train_acc_history) == len(found.val_acc_history) == 41
    assert found.loss_history[0] == pytest.approx(torch.tensor(4.0).log().item())
    assert found.loss_history[-1] < 0.5 * found.loss_history[0]
    assert found.best_val_acc == max(found.val_acc_history) >= 0.8
    assert torch.equal(model.params["W"], found.best_params["W"])


def test_a_batch_holds_no_example_twice_and_the_last_one_may_be_small() -> None:
    model = Linear()
    solver(model, data(7), num_epochs=2, batch_size=5).train()
    assert [len({tuple(x.tolist()) for x in batch}) for batch in model.batches] == [5, 5]
    model = Linear()
    solver(model, data(7), num_epochs=2, batch_size=50).train()
    assert [len(batch) for batch in model.batches] == [7, 7]


@pytest.mark.parametrize(("settings", "steps"), [({}, 12), ({"max_steps": 5}, 5), ({"max_steps": 500}, 12)])
def test_steps_and_epochs_are_limits(settings: dict[str, int], steps: int) -> None:
    found = solver(Linear(), data(60), num_epochs=4, batch_size=20, **settings)
    found.train()
    assert len(found.loss_history) == steps
    assert found.optim_configs["W"]["steps"] == steps


def test_no_time_no_step(capsys: pytest.CaptureFixture[str]) -> None:
    found = solver(Linear(), data(), verbose=True)
    found.train(time_limit=-1)
    assert found.loss_history == []
    assert "time limit" in capsys.readouterr().out


def test_learning_rates_decay_and_settings_are_not_shared() -> None:
    settings = {"learning_rate": 1.0}
    found = solver(Linear(), data(), optim_config=settings, lr_decay=0.5, num_epochs=3, batch_size=60)
    found.train()
    assert found.optim_configs["W"]["learning_rate"] == 0.125
    assert settings == {"learning_rate": 1.0}


def test_best_weights_come_back_with_their_running_statistics() -> None:
    model = Scripted([0.0] * 6)
    found = solver(model, ones(4), num_epochs=6, batch_size=4)
    found.train()
    assert found.val_acc_history == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert model.params["w"].tolist() == [1.0]
    assert model.bn_params[0]["running_mean"].tolist() == [10.0]
    assert model.bn_params[0]["mode"] == "train"
    model = Scripted([0.0] * 6)
    solver(model, ones(4), num_epochs=6, batch_size=4).train(return_best_params=False)
    assert model.params["w"].tolist() == [6.0]
    assert model.bn_params[0]["running_mean"].tolist() == [15.0]


def test_best_weights_are_copies() -> None:
    def in_place(w: Tensor, dw: Tensor, config: Config) -> tuple[Tensor, Config]:
        return w.sub_(dw), config

    found = solver(Scripted([0.0] * 6), ones(4), update_rule=in_place, num_epochs=6, batch_size=4)
    found.train()
    assert found.best_params["w"].tolist() == [1.0]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_it_stops_before_a_step_that_leads_nowhere(loss: float, capsys: pytest.CaptureFixture[str]) -> None:
    model = Scripted([0.5, 0.25, loss, 0.0])
    found = solver(model, ones(4), num_epochs=4, batch_size=4, verbose=True)
    found.train(return_best_params=False)
    assert len(found.loss_history) == 3
    assert model.params["w"].tolist() == [2.0]
    assert f"stopped at step 3: the loss is {loss}" in capsys.readouterr().out


def test_accuracy_of_some_and_of_all() -> None:
    model = Linear(features=1, classes=2)
    model.params["W"] = torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    x = torch.tensor([[1.0], [1.0], [-1.0], [1.0]], dtype=torch.float64)
    found = solver(model, data())
    assert found.check_accuracy(x, torch.tensor([0, 0, 0, 0]), batch_size=3) == 0.75
    assert found.check_accuracy(x, torch.tensor([0, 0, 1, 0]), num_samples=2) == 1.0
    assert found.check_accuracy(x, torch.tensor([0, 0, 0, 0]), num_samples=99) == 0.75


def test_a_checkpoint_goes_on_where_it_was_written(tmp_path: Path) -> None:
    settings = {"num_epochs": 2, "batch_size": 60, "checkpoint_name": tmp_path / "net"}
    first = solver(Linear(), data(), **settings)
    first.train(return_best_params=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net_epoch_1.pt", "net_epoch_2.pt"]
    model = Linear()
    second = solver(model, data(), **settings)
    second.load_checkpoint(tmp_path / "net_epoch_2.pt")
    assert torch.equal(model.params["W"], first.model.params["W"])
    assert second.optim_configs == first.optim_configs
    assert (second.loss_history, second.epoch) == (first.loss_history, 2)
    second.train()
    assert len(second.loss_history) == 4
    with pytest.raises(ValueError, match="other parameters"):
        solver(Linear(features=5), data()).load_checkpoint(tmp_path / "net_epoch_2.pt")


def test_without_settings_it_takes_steps_of_sgd_with_the_usual_rate() -> None:
    model, parts = Linear(), data()
    found = Solver(model, parts)
    assert (found.lr_decay, found.batch_size, found.num_epochs, found.print_every) == (1.0, 100, 10, 10)
    assert (found.num_train_samples, found.num_val_samples, found.print_acc_every) == (1000, None, 1)
    assert (found.checkpoint_name, found.verbose, found.optim_config) == (None, True, {})
    found.num_epochs, found.verbose = 1, False
    before = model.params["W"].clone()
    found.train(return_best_params=False)
    (batch,) = model.batches
    assert len(batch) == 60
    model.params["W"], after = before, model.params["W"]
    _, grads = model.loss(parts["X_train"], parts["y_train"])
    torch.testing.assert_close(after, before - 1e-2 * grads["W"])


def test_sgd_is_there_as_an_update_rule() -> None:
    w, dw, config = torch.tensor([1.0]), torch.tensor([2.0]), {"learning_rate": 0.5}
    assert Solver.sgd(w, dw, config) == (torch.zeros(1), config)
    assert w == 1.0
    found = solver(Linear(), data(), update_rule=Solver.sgd)
    assert found.update_rule is Solver.sgd


def test_an_update_rule_by_its_name_is_refused() -> None:
    with pytest.raises(TypeError, match="without quotation marks"):
        solver(Linear(), data(), update_rule="sgd")


def test_it_shows_how_it_goes_or_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    solver(Linear(), data(), num_epochs=4, print_acc_every=2, verbose=True).train()
    shown = capsys.readouterr()
    assert "epoch 4: loss" in shown.out
    assert "epoch 3" not in shown.out
    assert "step/s" in shown.out
    assert shown.err == ""
    solver(Linear(), data(), num_epochs=1).train()
    assert capsys.readouterr() == ("", "")
