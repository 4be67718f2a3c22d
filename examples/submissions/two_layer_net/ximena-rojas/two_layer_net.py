# Ximena Rojas: two layers, short.
import itertools

import torch


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


def nn_forward_pass(params, X):
    hidden = torch.relu(X @ params["W1"] + params["b1"])
    return hidden @ params["W2"] + params["b2"], hidden


def nn_forward_backward(params, X, y=None, reg=0.0):
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores

    N = len(y)
    log_p = torch.log_softmax(scores, dim=1)
    loss = -log_p.gather(1, y[:, None]).mean()
    for_weights = params["W1"].pow(2).sum() + params["W2"].pow(2).sum()
    loss = loss + reg * for_weights

    one_hot = (y[:, None] == torch.arange(scores.shape[1], device=y.device)).to(X.dtype)
    delta2 = (log_p.exp() - one_hot) / N
    delta1 = (delta2 @ params["W2"].T) * (hidden > 0)
    grads = {
        "W1": X.T @ delta1 + 2 * reg * params["W1"],
        "b1": delta1.sum(0),
        "W2": hidden.T @ delta2 + 2 * reg * params["W2"],
        "b2": delta2.sum(1),
    }
    return loss, grads


def accuracy(y_pred, y):
    return (y_pred == y).double().mean().item()


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
    stats = {"loss_history": [], "train_acc_history": [], "val_acc_history": []}
    for it in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
        stats["loss_history"].append(float(loss))
        for name, grad in grads.items():
            params[name] = params[name] - learning_rate * grad
        if it % iterations_per_epoch == 0:
            stats["train_acc_history"].append(accuracy(pred_func(params, loss_func, X_batch), y_batch))
            stats["val_acc_history"].append(accuracy(pred_func(params, loss_func, X_val), y_val))
            learning_rate = learning_rate * learning_rate_decay
    return stats


def nn_predict(params, loss_func, X):
    return loss_func(params, X).argmax(1)


def nn_get_search_params():
    return [0.05, 0.2], [50, 100], [1e-4, 1e-2], [0.97]


def find_best_net(data_dict, get_param_set_fn):
    X, y, X_val, y_val = (data_dict[key] for key in ("X_train", "y_train", "X_val", "y_val"))
    best = None, None, -1.0
    for lr, size, reg, decay in itertools.product(*get_param_set_fn()):
        net = TwoLayerNet(X.shape[1], size, int(y.max()) + 1, X.dtype, X.device)
        stat = net.train(X, y, X_val, y_val, lr, decay, reg, num_iters=800, batch_size=250)
        val_acc = accuracy(net.predict(X_val), y_val)
        if val_acc > best[2]:
            best = net, stat, val_acc
    return best
