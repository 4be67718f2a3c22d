"""Fully connected networks: layers with forward and backward passes, update rules, dropout, regularizers.

Shapes: N examples, D inputs and M outputs of a layer, C classes. Everything works on any device and in any
floating-point dtype, and gives tensors in the dtype of its inputs. No function modifies its arguments, except
that update rules may write into `config`, and none loops over the entries or the rows of a tensor. Off limits
in all tasks: `torch.nn`, `torch.optim` and automatic differentiation (`torch.autograd`, `.backward` of a
tensor). Nor may you ask for a GPU (`.cuda()`, `device="cuda"`), for grading has none: new tensors belong
where the old ones are, or where `device` says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

Config = dict[str, Any]

REGULARIZATION = 1.0
"""Factor of the regularizer, which is REGULARIZATION * reg * (the sum of the squares of all weights)."""


class Linear:
    """A linear layer: out = x w + b."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        """Compute the outputs of a linear layer, without a loop.

        Parameters
        ----------
        x : Tensor of shape (N, d_1, ..., d_k)
            Inputs; each example is flattened to a row of D = d_1 * ... * d_k numbers.
        w : Tensor of shape (D, M)
            Weights.
        b : Tensor of shape (M,)
            Biases.

        Returns
        -------
        out : Tensor of shape (N, M)
            The outputs.
        cache : tuple
            (x, w, b), for the backward pass.
        """
        raise NotImplementedError("fully_connected_networks: Linear.forward")
        cache = (x, w, b)
        return out, cache

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Compute the gradients of the loss from the gradient with respect to the outputs, without a loop.

        Parameters
        ----------
        dout : Tensor of shape (N, M)
            Gradient of the loss with respect to out.
        cache : tuple
            (x, w, b), as the forward pass returned it.

        Returns
        -------
        dx : Tensor of shape (N, d_1, ..., d_k)
            Gradient with respect to x.
        dw : Tensor of shape (D, M)
            Gradient with respect to w.
        db : Tensor of shape (M,)
            Gradient with respect to b.
        """
        raise NotImplementedError("fully_connected_networks: Linear.backward")
        return dx, dw, db


class ReLU:
    """The rectified linear unit, max(0, x)."""

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Any]:
        """Return max(0, x) entry by entry, of any shape, and the cache x; without a loop."""
        raise NotImplementedError("fully_connected_networks: ReLU.forward")
        cache = x
        return out, cache

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        """Return the gradient with respect to x, given that with respect to out and the cache x; no loop."""
        x = cache
        raise NotImplementedError("fully_connected_networks: ReLU.backward")


class Linear_ReLU:
    """A linear layer with a ReLU behind it. This class is given; it calls yours."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        """Return the outputs of the ReLU and what `backward` needs."""
        a, linear_cache = Linear.forward(x, w, b)
        out, relu_cache = ReLU.forward(a)
        return out, (linear_cache, relu_cache)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients with respect to x, w and b."""
        linear_cache, relu_cache = cache
        da = ReLU.backward(dout, relu_cache)
        return Linear.backward(da, linear_cache)


class TwoLayerNet:
    """A network of two layers: linear, ReLU, linear; its loss is the softmax loss.

    Its parameters are in the dict `params`: W1 (D, H) and b1 (H,), W2 (H, C) and b2 (C,).
    """

    def __init__(
        self,
        input_dim: int = 3 * 32 * 32,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        """Draw weights from a normal distribution around 0, and set biases to 0.

        Parameters
        ----------
        input_dim, hidden_dim, num_classes : int
            D, H and C.
        weight_scale : float
            Standard deviation of the weights.
        reg : float
            Strength of the L2 regularization.
        dtype, device
            Of all parameters.
        """
        self.params: dict[str, Tensor] = {}
        self.reg = reg
        self.dtype = dtype
        raise NotImplementedError("fully_connected_networks: TwoLayerNet.__init__")

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        """Compute the scores, or the loss and its gradients.

        The loss is the mean softmax loss plus ``REGULARIZATION * reg * ((W1 ** 2).sum() + (W2 ** 2).sum())``,
        without the biases. REGULARIZATION stands at the top of this file. Use the layers above, and
        `softmax_loss`, which is given. ``softmax_loss(scores, y)`` returns two values: the loss, and its
        gradient with respect to the scores.

        Parameters
        ----------
        X : Tensor of shape (N, d_1, ..., d_k)
            Examples.
        y : Tensor of shape (N,), int64, optional
            Their labels.

        Returns
        -------
        scores : Tensor of shape (N, C)
            If there are no labels.
        loss : Tensor of shape () or float
            If there are labels, and with it
        grads : dict of str to Tensor
            the gradient of the loss for each parameter, by its name.
        """
        X = X.to(self.dtype)
        scores: Tensor
        raise NotImplementedError("fully_connected_networks: TwoLayerNet.loss")
        if y is None:
            return scores

        # The loss and the gradients, under the names of the parameters.
        grads: dict[str, Tensor] = {}
        pass  # here TwoLayerNet.loss goes on
        return loss, grads

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the parameters from a file that `save` wrote."""
        self.params = torch.load(path, map_location="cpu", weights_only=True)


class FullyConnectedNet:
    """A network of any depth: (linear, ReLU, dropout) for each hidden layer, then linear; softmax loss.

    With L layers, `params` holds W1, b1 to WL, bL; weights have the shape (inputs, outputs).
    """

    def __init__(
        self,
        hidden_dims: list[int],
        input_dim: int = 3 * 32 * 32,
        num_classes: int = 10,
        dropout: float = 0.0,
        reg: float = 0.0,
        weight_scale: float = 1e-2,
        seed: int | None = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        """Draw weights from a normal distribution around 0, and set biases to 0.

        Parameters
        ----------
        hidden_dims : list of int
            How many units each hidden layer has; one layer or more.
        input_dim, num_classes : int
            Numbers of inputs and of classes.
        dropout : float
            With which probability dropout drops a unit; with 0 there is no dropout.
        reg : float
            Strength of the L2 regularization.
        weight_scale : float
            Standard deviation of the weights.
        seed : int, optional
            Makes dropout drop the same units each time, for gradient checks.
        dtype, device
            Of all parameters.
        """
        self.use_dropout = dropout != 0
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params: dict[str, Tensor] = {}
        self.dropout_param: dict[str, Any] = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
            if seed is not None:
                self.dropout_param["seed"] = seed
        raise NotImplementedError("fully_connected_networks: FullyConnectedNet.__init__")

    def loss(self, X: Tensor, y: Tensor | None = None) -> Any:
        """Compute the scores, or the loss and its gradients; as in `TwoLayerNet`, for any depth.

        All weights are regularized, and no bias. Dropout follows each ReLU; with labels it is in the mode
        "train", without them in the mode "test".
        """
        X = X.to(self.dtype)
        if self.use_dropout:
            self.dropout_param["mode"] = "test" if y is None else "train"
        scores: Tensor
        raise NotImplementedError("fully_connected_networks: FullyConnectedNet.loss")
        if y is None:
            return scores

        # The loss and the gradients, under the names of the parameters.
        grads: dict[str, Tensor] = {}
        pass  # here FullyConnectedNet.loss goes on
        return loss, grads

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the parameters from a file that `save` wrote."""
        self.params = torch.load(path, map_location="cpu", weights_only=True)


def get_three_layer_network_params() -> tuple[float, float]:
    """Choose with what a network with two hidden layers of 100 units learns 50 pictures by heart.

    It is trained by `sgd` for 20 epochs on batches of 25, without regularization, and must get at least 48 of
    the 50 right after one of them; of up to 12 networks that grading trains, one has to. The pictures are
    standardized as in the notebook: their mean is 0 in each pixel, and the standard deviation of all their
    numbers is 1.

    Returns
    -------
    weight_scale : float
        Standard deviation of the weights at first.
    learning_rate : float
        The learning rate.
    """
    raise NotImplementedError("fully_connected_networks: get_three_layer_network_params")


def get_five_layer_network_params() -> tuple[float, float]:
    """Choose the same for a network with four hidden layers of 100 units."""
    raise NotImplementedError("fully_connected_networks: get_five_layer_network_params")


def create_solver_instance(data_dict: Mapping[str, Tensor], dtype: torch.dtype, device: str) -> Solver:
    """Make a solver that trains a `TwoLayerNet` to recognize pictures.

    Only make it; whoever called will train. Trained with your settings on 4,000 pictures of the notebook's
    kind, a network must learn to get 36 percent of new pictures right; guessing gives 10. As in the notebook,
    it ends with the parameters that were best on 1,000 validation pictures. One of three such networks has to
    get there. Take at most 400 hidden units and batches of at most 250 pictures. You may ask for any
    number of epochs, but training stops after 1,000 steps; with batches of 100, each epoch has 40 steps.

    Parameters
    ----------
    data_dict : dict of str to Tensor
        X_train (N, 3, 32, 32), y_train (N,), X_val and y_val; 10 classes.
    dtype, device
        For the network, and the device also for the solver.

    Returns
    -------
    Solver
        A `Solver` with a new `TwoLayerNet`, `data_dict`, an update rule and its settings.
    """
    raise NotImplementedError("fully_connected_networks: create_solver_instance")


def sgd(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of plain stochastic gradient descent. This function is given.

    Parameters
    ----------
    w : Tensor
        A parameter, of any shape.
    dw : Tensor
        The gradient of the loss with respect to it, of the same shape.
    config : dict, optional
        learning_rate, 1e-2 by default.

    Returns
    -------
    next_w : Tensor
        The parameter after the step; w stays as it is.
    config : dict
        The config for the next step.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    return w - config["learning_rate"] * dw, config


def sgd_momentum(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of stochastic gradient descent with momentum.

    The velocity v is what is remembered of earlier steps: v <- momentum * v - learning_rate * dw, and then
    w <- w + v. It is kept in ``config["velocity"]``, and is 0 at first. Parameters and results: as for `sgd`.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    raise NotImplementedError("fully_connected_networks: sgd_momentum")


def rmsprop(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of RMSProp (Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning").

    The cache is a running average of squared gradients, entry by entry:
    cache <- decay_rate * cache + (1 - decay_rate) * dw ** 2, and then
    w <- w - learning_rate * dw / (sqrt(cache) + epsilon). It is kept in ``config["cache"]``, and is 0 at
    first. Parameters and results: as for `sgd`.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", torch.zeros_like(w))
    raise NotImplementedError("fully_connected_networks: rmsprop")


def adam(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1).

    Count the step first, t <- t + 1. Then m <- beta1 * m + (1 - beta1) * dw and
    v <- beta2 * v + (1 - beta2) * dw ** 2. Both begin at 0 and are too small at first, which the factors
    1 / (1 - beta1 ** t) and 1 / (1 - beta2 ** t) correct. With the corrected values m' and v',
    w <- w - learning_rate * m' / (sqrt(v') + epsilon). Keep m, v (not corrected) and t in `config`.
    Parameters and results: as for `sgd`.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", torch.zeros_like(w))
    config.setdefault("v", torch.zeros_like(w))
    config.setdefault("t", 0)
    raise NotImplementedError("fully_connected_networks: adam")


class Dropout:
    """Inverted dropout (Srivastava et al., "Dropout", 2014): drop units at random while training."""

    @staticmethod
    def forward(x: Tensor, dropout_param: dict[str, Any]) -> tuple[Tensor, Any]:
        """Drop each entry with probability p, and scale the others so that the expected value stays; no loop.

        Parameters
        ----------
        x : Tensor
            Inputs, of any shape.
        dropout_param : dict
            p, the probability of dropping an entry, at least 0 and less than 1; mode, "train" or "test";
            and maybe seed, which makes the choice the same each time. In the mode "test" nothing is dropped.

        Returns
        -------
        out : Tensor of the shape of x
            The outputs.
        cache : tuple
            (dropout_param, mask); what a mask is, is up to you, and in the mode "test" there need be none.
        """
        p, mode = dropout_param["p"], dropout_param["mode"]
        if "seed" in dropout_param:
            torch.manual_seed(dropout_param["seed"])
        mask: Tensor | None = None
        raise NotImplementedError("fully_connected_networks: Dropout.forward")
        return out, (dropout_param, mask)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        """Return the gradient with respect to x, given that with respect to out and the cache; no loop."""
        dropout_param, mask = cache
        raise NotImplementedError("fully_connected_networks: Dropout.backward")


def l2_regularizer(w: Tensor, strength: float, half: bool = False) -> tuple[Tensor, Tensor]:
    """Return the L2 penalty, strength * sum(w ** 2), or half of it if asked, and its gradient, as w."""
    raise NotImplementedError("fully_connected_networks: l2_regularizer")


def l1_regularizer(w: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Return the L1 penalty, strength * sum(|w|), and its gradient, as w: 0 where w is 0."""
    raise NotImplementedError("fully_connected_networks: l1_regularizer")


def elastic_net(w: Tensor, l1_strength: float, l2_strength: float) -> tuple[Tensor, Tensor]:
    """Return l1_strength * sum(|w|) + l2_strength * sum(w ** 2), without a factor 1/2, and its gradient."""
    raise NotImplementedError("fully_connected_networks: elastic_net")


def max_norm(w: Tensor, c: float) -> Tensor:
    """Return the closest weights with sum(w ** 2) <= c: w or a copy if it obeys, else w made smaller."""
    raise NotImplementedError("fully_connected_networks: max_norm")


def sgd_weight_decay(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of `sgd` with weight decay, w <- w - a * s * w - a * dw.

    Here a is ``config["learning_rate"]`` and s is ``config["weight_decay"]``. Biases, which are parameters
    of one dimension, do not decay. Parameters and results: as for `sgd`.
    """
    config = {} if config is None else config
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("weight_decay", 1e-4)
    raise NotImplementedError("fully_connected_networks: sgd_weight_decay")
