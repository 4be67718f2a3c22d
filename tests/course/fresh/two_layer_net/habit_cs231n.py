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
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
        std: float = 1e-4,
    ) -> None:
        kind: dict[str, Any] = {"dtype": dtype, "device": device}
        self.params: Params = {
            "W1": std * torch.randn(input_size, hidden_size, **kind),
            "b1": torch.zeros(hidden_size, **kind),
            "W2": std * torch.randn(hidden_size, output_size, **kind),
            "b2": torch.zeros(output_size, **kind),
        }

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0) -> Any:
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
        return nn_predict(self.params, nn_forward_backward, X)

    def save(self, path: str | Path) -> None:
        torch.save(self.params, path)

    def load(self, path: str | Path) -> None:
        params = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(params, dict) or params.keys() != self.params.keys():
            raise ValueError(f"{path} does not hold the parameters of a two-layer network")
        device = self.params["W1"].device
        self.params = {name: value.to(device) for name, value in params.items()}


def progress(steps: Iterable[Any], *, show: bool = True) -> Iterable[Any]:
    return tqdm(steps, disable=not show, leave=False, file=sys.stdout)


def sample_batch(
    X: torch.Tensor, y: torch.Tensor, num_train: int, batch_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    shuffled = torch.randperm(num_train, device=X.device)
    return X[shuffled[:batch_size]], y[shuffled[:batch_size]]


# from .layers import *   (copied here)
def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1) @ w + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    return x.clamp(min=0), x


def relu_backward(dout, cache):
    return dout * (cache > 0)


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, relu_cache)


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    return affine_backward(relu_backward(dout, relu_cache), fc_cache)


def softmax_loss(x, y):
    shifted_logits = x - x.max(dim=1, keepdim=True)[0]
    Z = shifted_logits.exp().sum(dim=1, keepdim=True)
    log_probs = shifted_logits - Z.log()
    N = x.shape[0]
    loss = -log_probs[torch.arange(N), y].sum() / N
    dx = log_probs.exp()
    dx[torch.arange(N), y] -= 1
    dx /= N
    return loss, dx


def nn_forward_pass(params: Params, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    out, cache = affine_relu_forward(X, params['W1'], params['b1'])
    scores, _ = affine_forward(out, params['W2'], params['b2'])
    return scores, out


def nn_forward_backward(
    params: Params, X: torch.Tensor, y: torch.Tensor | None = None, reg: float = 0.0
) -> Any:
    W1, W2 = params['W1'], params['W2']
    hidden, cache1 = affine_relu_forward(X, params['W1'], params['b1'])
    scores, cache2 = affine_forward(hidden, params['W2'], params['b2'])
    # If y is None then we are in test mode so just return scores
    if y is None:
        return scores
    loss, grads = 0, {}
    loss, dscores = softmax_loss(scores, y)
    loss += 0.5 * reg * ((W1 * W1).sum() + (W2 * W2).sum())
    dhidden, grads['W2'], grads['b2'] = affine_backward(dscores, cache2)
    _, grads['W1'], grads['b1'] = affine_relu_backward(dhidden, cache1)
    grads['W2'] += reg * W2
    grads['W1'] += reg * W1
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
    num_train = len(X)
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history: list[float] = []
    train_acc_history: list[float] = []
    val_acc_history: list[float] = []

    for it in progress(range(num_iters), show=verbose):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        loss_history.append(float(loss))

        for p, w in params.items():
            params[p] = w - learning_rate * grads[p]

        # Every epoch, check train and val accuracy and decay learning rate.
        if it % iterations_per_epoch == 0:
            # Check accuracy
            train_acc = (pred_func(params, loss_func, X_batch) == y_batch).double().mean()
            val_acc = (pred_func(params, loss_func, X_val) == y_val).double().mean()
            train_acc_history.append(float(train_acc))
            val_acc_history.append(float(val_acc))
            # Decay learning rate
            learning_rate *= learning_rate_decay

    return {
        "loss_history": loss_history,
        "train_acc_history": train_acc_history,
        "val_acc_history": val_acc_history,
    }


def nn_predict(params: Params, loss_func: Callable[..., Any], X: torch.Tensor) -> torch.Tensor:
    return torch.argmax(loss_func(params, X), axis=1)


def nn_get_search_params() -> tuple[list[float], list[int], list[float], list[float]]:
    return [1e-1, 5e-2], [50, 100], [0.001, 0.01], [0.95]


def find_best_net(
    data_dict: dict[str, torch.Tensor], get_param_set_fn: Callable[[], Any]
) -> tuple[TwoLayerNet, dict[str, list[float]], float]:
    best_net, best_stat, best_val = None, None, -1
    results = {}
    learning_rates, hidden_sizes, regs, decays = get_param_set_fn()
    for lr, hs, reg, decay in itertools.product(learning_rates, hidden_sizes, regs, decays):
        net = TwoLayerNet(data_dict['X_train'].shape[1], hs, int(data_dict['y_train'].max()) + 1, dtype=data_dict['X_train'].dtype, device=data_dict['X_train'].device, std=1e-2)
        stats = net.train(data_dict['X_train'], data_dict['y_train'], data_dict['X_val'], data_dict['y_val'],
                          num_iters=500, batch_size=200, learning_rate=lr, learning_rate_decay=decay, reg=reg)
        val_acc = float((net.predict(data_dict['X_val']) == data_dict['y_val']).double().mean())
        results[(lr, hs, reg, decay)] = val_acc
        if val_acc > best_val:
            best_val, best_net, best_stat = val_acc, net, stats
    for key in sorted(results):
        print('lr %e hs %d reg %e decay %e val accuracy: %f' % (*key, results[key]))
    return best_net, best_stat, best_val
