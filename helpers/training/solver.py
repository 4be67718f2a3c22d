"""A solver: trains a model by any update rule, and keeps the weights that did best on validation data."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from helpers.training import layers

Config = dict[str, Any]
"""What an update rule knows of one parameter: settings such as learning_rate, and what it has to remember."""

UpdateRule = Callable[[Tensor, Tensor, Config], tuple[Tensor, Config]]
"""Takes a parameter, its gradient and its config; returns the new parameter and its new config."""

REMEMBERED = ("running_mean", "running_var")
"""What batch normalization knows of the training data and no parameter holds."""


class Model(Protocol):
    """What a solver can train. A list or dict `bn_params` of running statistics is optional."""

    params: dict[str, Tensor]

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        """Return the scores (N, C) of X, or with labels y the loss and a dict of gradients."""


class Solver:
    """Train a model on minibatches, and keep the weights with the best validation accuracy.

    Parameters
    ----------
    model : Model
        The model, with `params`, a dict of tensors, and `loss(X, y)`. Its parameters are replaced.
    data : mapping of str to Tensor
        X_train (N, ...), y_train (N,), X_val (M, ...) and y_val (M,); labels int64.
    update_rule : callable
        ``update_rule(w, dw, config)`` returns the next w and config. It is called for each parameter. The
        default is `Solver.sgd`.
    optim_config : dict, optional
        What each parameter's config is at first, such as ``{"learning_rate": 1e-2}``; never modified.
    lr_decay : float
        By what the learning rate is multiplied after each epoch.
    batch_size : int
        Examples per step, drawn without repetition; all of them if there are fewer.
    num_epochs : int
        For how many epochs to train; an epoch has ``max(N // batch_size, 1)`` steps.
    num_train_samples, num_val_samples : int, optional
        On how many random examples accuracies are measured; None stands for all.
    max_steps : int, optional
        How many steps to take at most, however many epochs there are.
    print_every : int
        Every how many steps to show the loss, if `verbose`.
    print_acc_every : int
        Every how many epochs to print accuracies, if `verbose`.
    verbose : bool
        Whether to show how it goes.
    checkpoint_name : str or path, optional
        Write a checkpoint after each epoch, to this name with ``_epoch_3.pt`` appended after the third.
    device : str or device
        Where batches go before the model gets them.

    Attributes
    ----------
    loss_history : list of float
        The loss at each step, before that step.
    train_acc_history, val_acc_history : list of float
        Accuracies, from 0 to 1, after the first step and each epoch.
    best_val_acc : float
        The best validation accuracy.
    best_params : dict of str to Tensor
        Copies of the parameters that reached it; empty before training.
    """

    def __init__(
        self,
        model: Model,
        data: Mapping[str, Tensor],
        *,
        update_rule: UpdateRule | None = None,
        optim_config: Mapping[str, Any] | None = None,
        lr_decay: float = 1.0,
        batch_size: int = 100,
        num_epochs: int = 10,
        num_train_samples: int | None = 1000,
        num_val_samples: int | None = None,
        max_steps: int | None = None,
        print_every: int = 10,
        print_acc_every: int = 1,
        verbose: bool = True,
        checkpoint_name: str | os.PathLike[str] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        if update_rule is None:
            update_rule = self.sgd
        if not callable(update_rule):
            raise TypeError(
                f"update_rule must be a function, such as sgd, not {type(update_rule).__name__}: "
                "write update_rule=sgd without quotation marks"
            )
        self.model = model
        self.X_train, self.y_train = data["X_train"], data["y_train"]
        self.X_val, self.y_val = data["X_val"], data["y_val"]
        self.update_rule = update_rule
        self.optim_config = dict(optim_config or {})
        self.lr_decay = lr_decay
        self.batch_size = batch_size
        self.num_epochs = num_epochs
        self.num_train_samples = num_train_samples
        self.num_val_samples = num_val_samples
        self.max_steps = max_steps
        self.print_every = print_every
        self.print_acc_every = print_acc_every
        self.verbose = verbose
        self.checkpoint_name = checkpoint_name
        self.device = torch.device(device)
        self.optim_configs = {name: dict(self.optim_config) for name in model.params}
        self.epoch = 0
        self.best_val_acc = 0.0
        self.best_params: dict[str, Tensor] = {}
        self._best_statistics: list[dict[str, Tensor]] = []
        self.loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []

    sgd = staticmethod(layers.sgd)
    """Gradient descent: the update rule unless another one is given."""

    def train(self, time_limit: float | None = None, return_best_params: bool = True) -> None:
        """Train the model, starting from its current state.

        Training ends early, with a word about it if `verbose`, after `time_limit`, and before a step whose
        loss is not finite: from there, no step leads back.

        Parameters
        ----------
        time_limit : float, optional
            Seconds after which no step begins.
        return_best_params : bool
            Whether the model gets the parameters with the best validation accuracy in the end, and the
            running statistics of batch normalization that belong to them; otherwise it keeps the last ones.
        """
        start = time.monotonic()
        per_epoch = max(len(self.X_train) // self.batch_size, 1)
        steps = self.num_epochs * per_epoch
        if self.max_steps is not None:
            steps = min(steps, self.max_steps)
        with tqdm(total=steps, disable=not self.verbose, unit="step", leave=False, file=sys.stdout) as bar:
            for step in range(steps):
                if time_limit is not None and time.monotonic() - start > time_limit:
                    self._say(bar, f"stopped after {step} of {steps} steps: the time limit is reached")
                    break
                if not self._step():
                    self._say(bar, f"stopped at step {step + 1}: the loss is {self.loss_history[-1]}")
                    break
                bar.update()
                if step % self.print_every == 0:
                    bar.set_postfix(loss=f"{self.loss_history[-1]:.4f}")
                ends_epoch = (step + 1) % per_epoch == 0
                if ends_epoch:
                    self._end_epoch()
                if step == 0 or step == steps - 1 or ends_epoch:
                    self._measure(bar, show=self.epoch % self.print_acc_every == 0 or step == steps - 1)
                if ends_epoch and self.checkpoint_name is not None:
                    self.save_checkpoint(f"{os.fspath(self.checkpoint_name)}_epoch_{self.epoch}.pt")
        if return_best_params and self.best_params:
            self.model.params.update(_copies(self.best_params))
            self._restore_statistics(self._best_statistics)

    def check_accuracy(
        self, X: Tensor, y: Tensor, num_samples: int | None = None, batch_size: int = 100
    ) -> float:
        """Return which part of the examples the model classifies right, from 0 to 1.

        Parameters
        ----------
        X : Tensor of shape (N, ...)
            Examples.
        y : Tensor of shape (N,), int64
            Their labels.
        num_samples : int, optional
            Measure on so many random examples.
        batch_size : int
            How many examples the model gets at a time.
        """
        if num_samples is not None and num_samples < len(X):
            chosen = torch.randperm(len(X))[:num_samples].to(X.device)
            X, y = X[chosen], y[chosen]
        right = 0
        for part, labels in zip(torch.split(X, batch_size), torch.split(y, batch_size), strict=True):
            predicted = self.model.loss(part.to(self.device)).argmax(dim=1)
            right += int((predicted == labels.to(predicted.device)).sum())
        return right / len(X)

    def save_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Write parameters, running statistics, what the update rule remembers, and histories to a file."""
        torch.save(
            {
                "params": self.model.params,
                "statistics": self._statistics(),
                "optim_configs": self.optim_configs,
                "epoch": self.epoch,
                "best_val_acc": self.best_val_acc,
                "best_params": self.best_params,
                "best_statistics": self._best_statistics,
                "loss_history": self.loss_history,
                "train_acc_history": self.train_acc_history,
                "val_acc_history": self.val_acc_history,
            },
            Path(path),
        )

    def load_checkpoint(self, path: str | os.PathLike[str]) -> None:
        """Restore model and solver from a checkpoint; reads tensors and plain values only.

        No assignment calls it. It is the way back from what `checkpoint_name` writes, an option that the
        solvers of EECS 498/598 and CS231n have as well, for training that outlasts a session on Colab.

        Raises
        ------
        ValueError
            If the checkpoint is of a model with other parameters.
        """
        kept = torch.load(Path(path), map_location=self.device, weights_only=True)
        forms = {name: value.shape for name, value in kept["params"].items()}
        if forms != {name: value.shape for name, value in self.model.params.items()}:
            raise ValueError(f"{path} is a checkpoint of a model with other parameters: {sorted(forms)}")
        self.model.params.update(kept["params"])
        self._restore_statistics(kept["statistics"])
        self._best_statistics = kept["best_statistics"]
        for name in ("optim_configs", "epoch", "best_val_acc", "best_params"):
            setattr(self, name, kept[name])
        for name in ("loss_history", "train_acc_history", "val_acc_history"):
            setattr(self, name, kept[name])

    def _step(self) -> bool:
        """Take one step on one batch; return False, with parameters untouched, if the loss is not finite."""
        chosen = torch.randperm(len(self.X_train))[: self.batch_size].to(self.X_train.device)
        loss, grads = self.model.loss(
            self.X_train[chosen].to(self.device), self.y_train[chosen].to(self.device)
        )
        self.loss_history.append(float(loss))
        if not math.isfinite(self.loss_history[-1]):
            return False
        params = self.model.params
        for name, w in params.items():
            params[name], self.optim_configs[name] = self.update_rule(
                w, grads[name], self.optim_configs[name]
            )
        return True

    def _end_epoch(self) -> None:
        """Count the epoch, and let the learning rates decay."""
        self.epoch += 1
        for config in self.optim_configs.values():
            if "learning_rate" in config:
                config["learning_rate"] *= self.lr_decay

    def _measure(self, bar: tqdm[Any], *, show: bool) -> None:
        """Record both accuracies, and keep the parameters if they are the best so far."""
        train = self.check_accuracy(self.X_train, self.y_train, self.num_train_samples)
        val = self.check_accuracy(self.X_val, self.y_val, self.num_val_samples)
        self.train_acc_history.append(train)
        self.val_acc_history.append(val)
        if show:
            loss = self.loss_history[-1]
            self._say(bar, f"epoch {self.epoch}: loss {loss:.4f}, training {train:.1%}, validation {val:.1%}")
        if not self.best_params or val > self.best_val_acc:
            self.best_val_acc = val
            self.best_params = _copies(self.model.params)
            self._best_statistics = self._statistics()

    def _say(self, bar: tqdm[Any], text: str) -> None:
        if self.verbose:
            bar.write(text)

    def _layers(self) -> list[dict[str, Any]]:
        """Return the parameters of the batch normalization layers, in order."""
        layers = getattr(self.model, "bn_params", None) or []
        return list(layers.values()) if isinstance(layers, Mapping) else list(layers)

    def _statistics(self) -> list[dict[str, Tensor]]:
        """Return copies of the running statistics of all batch normalization layers."""
        return [
            {name: layer[name].clone() for name in REMEMBERED if isinstance(layer.get(name), Tensor)}
            for layer in self._layers()
        ]

    def _restore_statistics(self, statistics: list[dict[str, Tensor]]) -> None:
        for layer, kept in zip(self._layers(), statistics, strict=True):
            layer.update(_copies(kept))


def _copies(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies that later changes do not reach."""
    return {name: value.detach().clone() for name, value in tensors.items()}
