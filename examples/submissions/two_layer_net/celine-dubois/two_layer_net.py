"""Assignment "A two-layer network", by Celine Dubois: a function for each node of the graph."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


class TwoLayerNet:
    def __init__(self, input_size, hidden_size, output_size, dtype=torch.float32, device="cpu", std=1e-4):
        self.params = {}
        self.params["W1"] = std * torch.randn(input_size, hidden_size, dtype=dtype, device=device)
        self.params["b1"] = torch.zeros(hidden_size, dtype=dtype, device=device)
        self.params["W2"] = std * torch.randn(hidden_size, output_size, dtype=dtype, device=device)
        self.params["b2"] = torch.zeros(output_size, dtype=dtype, device=device)

    def loss(self, X, y=None, reg=0.0):
        return nn_forward_backward(self.params, X, y, reg)

    def train(
        self,
        X,
        y,
        X_val,
        y_val,
        learning_rate=1e-3,
        learning_rate_decay=0.95,
        reg=5e-6,
        num_iters=100,
        batch_size=200,
        verbose=False,
    ):
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

    def predict(self, X):
        return nn_predict(self.params, nn_forward_backward, X)

    def save(self, path):
        torch.save(self.params, path)

    def load(self, path):
        self.params = torch.load(path, map_location="cpu", weights_only=True)


def sample_batch(X, y, num_train, batch_size):
    shuffled = torch.randperm(num_train, device=X.device)
    return X[shuffled[:batch_size]], y[shuffled[:batch_size]]


# Each node has a forward and a backward function; all of them work on NumPy arrays.


def linear(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    return x.dot(w) + b[np.newaxis, :]


def linear_backward(upstream, x, w):
    return upstream.dot(w.transpose()), x.transpose().dot(upstream), upstream.sum(axis=0)


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def relu_backward(upstream: np.ndarray, out: np.ndarray) -> np.ndarray:
    return upstream * np.sign(out)


def softmax_loss(scores: np.ndarray, y: np.ndarray) -> tuple[np.float64, np.ndarray]:
    rows = np.arange(len(y))
    top = scores.max(axis=1, keepdims=True)
    p = np.exp(scores - top)
    totals = p.sum(axis=1, keepdims=True)
    losses = np.log(totals[:, 0]) + top[:, 0] - scores[rows, y]
    upstream = p / totals
    upstream[rows, y] -= 1
    return losses.mean(), upstream / len(y)


def nn_forward_pass(params: dict[str, Tensor], X: Tensor) -> tuple[Tensor, Tensor]:
    w1, b1 = params["W1"].numpy(), params["b1"].numpy()
    w2, b2 = params["W2"].numpy(), params["b2"].numpy()
    hidden = relu(linear(X.numpy(), w1, b1))
    return torch.from_numpy(linear(hidden, w2, b2)), torch.from_numpy(hidden)


def nn_forward_backward(params: dict[str, Tensor], X: Tensor, y: Tensor | None = None, reg: float = 0.0):
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores
    w1, w2 = params["W1"].numpy(), params["W2"].numpy()
    data_loss, upstream = softmax_loss(scores.numpy(), y.numpy())
    loss = data_loss + reg * (np.square(w1).sum() + np.square(w2).sum())
    down, dw2, db2 = linear_backward(upstream, hidden.numpy(), w2)
    _, dw1, db1 = linear_backward(relu_backward(down, hidden.numpy()), X.numpy(), w1)
    grads = {
        "W1": torch.from_numpy(dw1 + 2 * reg * w1),
        "b1": torch.from_numpy(db1),
        "W2": torch.from_numpy(dw2 + 2 * reg * w2),
        "b2": torch.from_numpy(db2),
    }
    return torch.tensor(loss, dtype=X.dtype), grads


def nn_train(
    params,
    loss_func,
    pred_func,
    X,
    y,
    X_val,
    y_val,
    learning_rate=1e-3,
    learning_rate_decay=0.95,
    reg=5e-6,
    num_iters=100,
    batch_size=200,
    verbose=False,
):
    num_train = len(X)
    iterations_per_epoch = max(num_train // batch_size, 1)
    loss_history: list[float] = []
    train_acc_history: list[float] = []
    val_acc_history: list[float] = []

    for it in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        loss_history.append(float(loss))
        # the rate is worked out anew in each iteration: one factor for each epoch that has begun before
        rate = learning_rate * learning_rate_decay ** -(-it // iterations_per_epoch)
        for name in ("W1", "b1", "W2", "b2"):
            params[name].sub_(grads[name], alpha=rate)
        if it % iterations_per_epoch == 0:
            for data, labels, history in (
                (X_batch, y_batch, train_acc_history),
                (X_val, y_val, val_acc_history),
            ):
                labels_found = pred_func(params, loss_func, data)
                history.append(sum(int(a == b) for a, b in zip(labels_found, labels)) / len(labels))

    return dict(
        loss_history=loss_history, train_acc_history=train_acc_history, val_acc_history=val_acc_history
    )


def nn_predict(params, loss_func, X):
    scores, _ = nn_forward_pass(params, X)
    return torch.max(scores, dim=1).indices


def nn_get_search_params():
    return (0.03, 0.1, 0.3), (64,), (0.0, 1e-4, 1e-3), (0.9, 0.95)


def find_best_net(data_dict, get_param_set_fn):
    nets, stats, accuracies = [], [], []
    learning_rates, sizes, strengths, decays = get_param_set_fn()
    x = data_dict["X_train"]
    for size in sizes:
        for strength in strengths:
            for decay in decays:
                for rate in learning_rates:
                    net = TwoLayerNet(x.shape[1], size, 1 + max(data_dict["y_train"].tolist()), x.dtype)
                    stats.append(
                        net.train(
                            **{key.replace("_train", ""): value for key, value in data_dict.items()},
                            learning_rate=rate,
                            learning_rate_decay=decay,
                            reg=strength,
                            num_iters=600,
                        )
                    )
                    nets.append(net)
                    right = net.predict(data_dict["X_val"]) == data_dict["y_val"]
                    accuracies.append(right.sum().item() / right.numel())
    best = int(np.argmax(accuracies))
    return nets[best], stats[best], accuracies[best]
