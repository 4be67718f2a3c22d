"""A network of two fully connected layers, with gradients worked out by hand.

Shapes: N examples, D features, H hidden units, C classes. The parameters of a network are a dict of four
tensors: "W1" of shape (D, H), "b1" (H,), "W2" (H, C) and "b2" (C,). Every function works on any device and in
any floating-point dtype, and gives results in the dtype of its inputs.

You may use neither `torch.nn` nor `torch.optim`, nor let PyTorch work out gradients (`torch.autograd`,
`.backward()`), nor move tensors (`.cuda()`): new tensors belong where the old ones are. What `helpers` gives
to later assignments is off limits, too.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

Params = dict[str, torch.Tensor]


class TwoLayerNet:
    """A network of two layers: linear, ReLU, linear. It is given; the functions below do its work."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        std: float = 1e-4,
    ) -> None:
        """Make a network with small random weights and biases of zero.

        Parameters
        ----------
        input_size, hidden_size, output_size : int
            D, H and C.
        dtype : torch.dtype
            Of all parameters.
        device : str or torch.device
            Of all parameters.
        std : float
            Standard deviation of the weights.
        """
        kind: dict[str, Any] = {"dtype": dtype, "device": device}
        self.params: Params = {
            "W1": std * torch.randn(input_size, hidden_size, **kind),
            "b1": torch.zeros(hidden_size, **kind),
            "W2": std * torch.randn(hidden_size, output_size, **kind),
            "b2": torch.zeros(output_size, **kind),
        }

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0) -> Any:
        """Return what `nn_forward_backward` returns."""
        return nn_forward_backward(self.params, X, y, reg)

    def train(
        self,
        X: torch.Tensor,
        y: torch.Tensor,
        X_val: torch.Tensor,
        y_val: torch.Tensor,
        learning_rate: float = 1e-3,
        learning_rate_decay: float = 0.95,
        reg: float = 5e-6,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> dict[str, list[float]]:
        """Train with `nn_train` and return its statistics."""
        return nn_train(
            self.params,
            nn_forward_backward,
            nn_predict,
            X,
            y,
            X_val,
            y_val,
            learning_rate,
            learning_rate_decay,
            reg,
            num_iters,
            batch_size,
            verbose,
        )

    def predict(self, X: torch.Tensor) -> torch.Tensor:
        """Predict labels with `nn_predict`."""
        return nn_predict(self.params, nn_forward_backward, X)

    def save(self, path: str | Path) -> None:
        """Write the parameters to a file."""
        torch.save(self.params, path)

    def load(self, path: str | Path) -> None:
        """Read the parameters from a file that `save` wrote.

        Raises
        ------
        ValueError
            If the file holds something else.
        """
        params = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(params, dict) or params.keys() != self.params.keys():
            raise ValueError(f"{path} does not hold the parameters of a two-layer network")
        device = self.params["W1"].device
        self.params = {name: value.to(device) for name, value in params.items()}


def progress(steps: Iterable[Any], *, show: bool = True) -> Iterable[Any]:
    """Return what a loop runs over, with a bar that shows how far it has come. This function is given."""
    return tqdm(steps, disable=not show, leave=False, file=sys.stdout)


def sample_batch(
    X: torch.Tensor, y: torch.Tensor, num_train: int, batch_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw a batch of the first `num_train` examples, none of them twice. This function is given.

    Returns
    -------
    X_batch : Tensor of shape (batch_size, D)
        Examples; fewer if there are not as many.
    y_batch : Tensor of shape (batch_size,), int64
        Their labels.
    """
    shuffled = torch.randperm(num_train, device=X.device)
    return X[shuffled[:batch_size]], y[shuffled[:batch_size]]


def nn_forward_pass(params: Params, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the scores of all classes: a linear layer, ReLU, and another linear layer.

    Use no loop (a comprehension counts as one). Neither `params` nor `X` may be modified.

    Parameters
    ----------
    params : dict of str to Tensor
        The parameters W1, b1, W2, b2.
    X : Tensor of shape (N, D)
        Examples.

    Returns
    -------
    scores : Tensor of shape (N, C)
        Entry [i, c] is the score of class c for example i.
    hidden : Tensor of shape (N, H)
        The values of the hidden units, after the ReLU.
    """
    W1 = params["W1"]
    b1 = params["b1"]
    W2 = params["W2"]
    b2 = params["b2"]
    z = torch.mm(X, W1) + b1.reshape(1, -1)
    # relu
    mask = z > 0
    hidden = torch.zeros(z.shape)
    hidden[mask] = z[mask]
    scores = torch.mm(hidden, W2) + b2.reshape(1, -1)
    # print(scores.shape)
    return scores, hidden


def nn_forward_backward(
    params: Params, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0
) -> Any:
    """Compute the loss and its gradients, or only the scores where there are no labels.

    The loss is the mean over the examples of -log p(y), where p is the softmax of the scores, plus
    ``reg * ((W1 ** 2).sum() + (W2 ** 2).sum())``. Mind three things: there is no factor of one half; the
    biases are not regularized; and scores may be as large as 10,000, whose exponential is infinite. What
    happens to p when the same number is subtracted from all scores of an example?

    Use no loop (a comprehension counts as one). Neither `params` nor `X` nor `y` may be modified.

    Parameters
    ----------
    params : dict of str to Tensor
        The parameters W1, b1, W2, b2.
    X : Tensor of shape (N, D)
        Examples.
    y : Tensor of shape (N,), int64, optional
        Their labels, from 0 to C - 1.
    reg : float
        Strength of the regularization.

    Returns
    -------
    scores : Tensor of shape (N, C)
        If `y` is None; nothing else is returned then.
    loss : Tensor of shape (), or float
        The loss, if there are labels.
    grads : dict of str to Tensor
        The gradient of the loss with respect to each parameter, by its name and of its shape.
    """
    W1 = params["W1"]
    b1 = params["b1"]
    W2 = params["W2"]
    b2 = params["b2"]
    N, D = X.shape
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores

    # loss
    C = scores.shape[1]
    onehot = torch.eye(C)[y]
    biggest = torch.max(scores, dim=1)[0].reshape(N, 1)
    e = torch.exp(scores - biggest)
    s = torch.sum(e, dim=1).reshape(N, 1)
    correct = torch.sum(scores * onehot, dim=1).reshape(N, 1)
    losses = torch.log(s) + biggest - correct
    loss = torch.sum(losses) / N
    loss = loss + reg * torch.sum(W1 * W1)
    loss = loss + reg * torch.sum(W2 * W2)

    # gradients, one small step after the other
    grads: Params = {}
    dscores = (e / s - onehot) / N                    # N x C
    grads["b2"] = torch.ones(N) @ dscores
    grads["W2"] = torch.transpose(hidden, 0, 1) @ dscores
    dhidden = dscores @ torch.transpose(W2, 0, 1)     # N x H
    dz = torch.where(hidden > 0, dhidden, torch.zeros_like(dhidden))
    grads["b1"] = torch.ones(N) @ dz
    grads["W1"] = torch.transpose(X, 0, 1) @ dz
    grads["W1"] = grads["W1"] + 2 * reg * W1
    grads["W2"] = grads["W2"] + 2 * reg * W2
    assert grads["W1"].shape == W1.shape
    assert grads["b1"].shape == b1.shape
    assert grads["W2"].shape == W2.shape
    assert grads["b2"].shape == b2.shape
    return loss, grads


def nn_train(
    params: Params,
    loss_func: Callable[..., Any],
    pred_func: Callable[..., torch.Tensor],
    X: torch.Tensor,
    y: torch.Tensor,
    X_val: torch.Tensor,
    y_val: torch.Tensor,
    learning_rate: float = 1e-3,
    learning_rate_decay: float = 0.95,
    reg: float = 5e-6,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
) -> dict[str, list[float]]:
    """Train a network by stochastic gradient descent. The values in `params` change; they are the result.

    In every iteration: draw a batch, compute loss and gradients, and take a step against the gradient,
    W - learning_rate * dW for each parameter W.

    An epoch is as many iterations as it takes to see as many examples as there are, rounded down, and at
    least one. In the iterations 0, E, 2E and so on, where E is the number of iterations of an epoch, do three
    things after the step: append the accuracy on the batch to `train_acc_history`, append that on the
    validation set to `val_acc_history`, and multiply the learning rate by `learning_rate_decay`. An
    accuracy is a plain number from 0 to 1; predict labels by ``pred_func(params, loss_func, ...)``.

    Parameters
    ----------
    params : dict of str to Tensor
        The parameters to begin with.
    loss_func : callable
        Returns loss and gradients for ``(params, X, y=y, reg=reg)``, as `nn_forward_backward` does.
    pred_func : callable
        Returns labels for ``(params, loss_func, X)``, as `nn_predict` does.
    X, y : Tensor of shape (num_train, D) and (num_train,)
        Training examples and their labels.
    X_val, y_val : Tensor of shape (num_val, D) and (num_val,)
        Validation examples and their labels.
    learning_rate : float
        Length of a step, relative to the gradient, during the first epoch.
    learning_rate_decay : float
        Factor of the learning rate after an epoch.
    reg : float
        Strength of the regularization.
    num_iters : int
        How many steps to take.
    batch_size : int
        How many examples to draw for a step.
    verbose : bool
        Show a progress bar.

    Returns
    -------
    dict of str to list of float
        ``loss_history`` with an entry for each iteration, and ``train_acc_history`` and ``val_acc_history``
        with one for each epoch begun.
    """
    num_train = len(X)
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history: list[float] = []
    train_acc_history: list[float] = []
    val_acc_history: list[float] = []

    for it in progress(range(num_iters), show=verbose):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        loss_history.append(float(loss))

        # sgd step
        params["W1"] -= learning_rate * grads["W1"]
        params["b1"] -= learning_rate * grads["b1"]
        params["W2"] -= learning_rate * grads["W2"]
        params["b2"] -= learning_rate * grads["b2"]

        #if verbose and it % 100 == 0:
        #    print("iteration", it, "loss", float(loss))

        if it % iterations_per_epoch == 0:
            y_batch_pred = pred_func(params, loss_func, X_batch)
            right = 0
            for i in range(len(y_batch)):
                if y_batch_pred[i] == y_batch[i]:
                    right += 1
            train_acc_history.append(right / len(y_batch))
            y_val_pred = pred_func(params, loss_func, X_val)
            val_acc_history.append((y_val_pred == y_val).float().mean().item())
            learning_rate = learning_rate * learning_rate_decay

    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params: Params, loss_func: Callable[..., Any], X: torch.Tensor) -> torch.Tensor:
    """Predict for each example the class with the highest score.

    Parameters
    ----------
    params : dict of str to Tensor
        The parameters W1, b1, W2, b2.
    loss_func : callable
        Returns the scores, (N, C), for ``(params, X)``, as `nn_forward_backward` does.
    X : Tensor of shape (N, D)
        Examples.

    Returns
    -------
    Tensor of shape (N,), int64
        The predicted labels.
    """
    scores = loss_func(params, X)
    y_pred = torch.argmax(scores, dim=1)
    return y_pred


def nn_get_search_params() -> tuple[list[float], list[int], list[float], list[float]]:
    """Name the settings that `find_best_net` tries, in all combinations.

    Returns
    -------
    learning_rates : list of float
        Positive numbers.
    hidden_sizes : list of int
        How many hidden units, 1 or more.
    regularization_strengths : list of float
        Numbers from 0 on.
    learning_rate_decays : list of float
        Numbers above 0, at most 1.

    No list is empty, no value is in a list twice, and together there are at least 4 and at most 256
    combinations.
    """
    learning_rates = [0.05, 0.1]
    hidden_sizes = [16, 64]
    regularization_strengths = [0.001, 0.01]
    learning_rate_decays = [0.95]
    return learning_rates, hidden_sizes, regularization_strengths, learning_rate_decays


def find_best_net(
    data_dict: dict[str, torch.Tensor], get_param_set_fn: Callable[[], Any]
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
    """Train a `TwoLayerNet` for every combination of settings, and keep the best.

    The best is the network with the highest accuracy on the validation set after its training; of equally
    good ones, any. How long to train is up to you; mind that there are many combinations. Loop over
    ``progress(...)`` of a list to see how far it has come.

    Parameters
    ----------
    data_dict : dict of str to Tensor
        ``X_train`` (num_train, D), ``y_train`` (num_train,), ``X_val`` (num_val, D) and ``y_val`` (num_val,).
        There are as many classes as the largest training label says, plus one for label 0.
    get_param_set_fn : callable
        Returns the settings, as `nn_get_search_params` does.

    Returns
    -------
    best_net : TwoLayerNet
        The best network, trained.
    best_stat : dict of str to list of float
        What its training returned.
    best_val_acc : float
        Its accuracy on the validation set, from 0 to 1.
    """
    best_net = None
    best_stat = None
    best_val_acc = 0.0
    learning_rates, hidden_sizes, regularization_strengths, learning_rate_decays = get_param_set_fn()
    X_train = data_dict["X_train"]
    y_train = data_dict["y_train"]
    X_val = data_dict["X_val"]
    y_val = data_dict["y_val"]
    input_size = X_train.shape[1]
    num_classes = torch.max(y_train).item() + 1
    for lr in learning_rates:
        for hidden_size in hidden_sizes:
            for reg in regularization_strengths:
                for decay in learning_rate_decays:
                    net = TwoLayerNet(input_size, hidden_size, num_classes, dtype=X_train.dtype, device=X_train.device, std=0.01)
                    stat = net.train(X_train, y_train, X_val, y_val, learning_rate=lr, learning_rate_decay=decay, reg=reg, num_iters=500, batch_size=100, verbose=False)
                    y_val_pred = net.predict(X_val)
                    val_acc = torch.sum(y_val_pred == y_val).item() / y_val.shape[0]
                    print("lr", lr, "hidden", hidden_size, "reg", reg, "decay", decay, "val acc", val_acc)
                    if best_net is None or val_acc > best_val_acc:
                        best_net = net
                        best_stat = stat
                        best_val_acc = val_acc
    print("best", best_val_acc)
    return best_net, best_stat, best_val_acc


if __name__ == "__main__":
    torch.manual_seed(0)
    net = TwoLayerNet(4, 10, 3, std=0.1)
    X = torch.randn(5, 4)
    y = torch.tensor([0, 1, 2, 2, 1])
    loss, grads = net.loss(X, y, reg=0.05)
    print(loss)
    for k in grads:
        print(k, grads[k].shape)
