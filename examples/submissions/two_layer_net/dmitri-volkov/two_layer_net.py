# Dmitri Volkov
# The bias is one more row of the weights, and one more column of ones.
import random

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


def append_ones(x):
    return torch.cat([x, x.new_ones(x.shape[0], 1)], dim=1)


def stacked(params, layer):
    return torch.cat([params[f"W{layer}"], params[f"b{layer}"].unsqueeze(0)])


def nn_forward_pass(params, X):
    z = append_ones(X).matmul(stacked(params, 1))
    hidden = torch.where(z > 0, z, torch.zeros_like(z))
    return append_ones(hidden).matmul(stacked(params, 2)), hidden


def nn_forward_backward(params, X, y=None, reg=0.0):
    scores, hidden = nn_forward_pass(params, X)
    if y is None:
        return scores
    rows = range(X.shape[0])
    log_z = torch.logsumexp(scores, 1)
    loss = torch.mean(log_z - scores[rows, y]).item()  # a plain number
    loss += reg * (params["W1"].norm() ** 2 + params["W2"].norm() ** 2).item()

    p = torch.exp(scores - log_z[:, None])
    p[rows, y] -= 1.0
    p = p / X.shape[0]
    both2 = torch.einsum("nh,nc->hc", append_ones(hidden), p)
    q = torch.einsum("nc,hc->nh", p, params["W2"])
    q = torch.where(hidden > 0, q, torch.zeros_like(q))
    both1 = torch.einsum("nd,nh->dh", append_ones(X), q)
    return loss, {
        "b1": both1[-1],
        "b2": both2[-1],
        "W1": both1[:-1] + 2 * reg * params["W1"],
        "W2": both2[:-1] + 2 * reg * params["W2"],
    }


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
    epoch = max(len(X) // batch_size, 1)
    losses, train_accs, val_accs = [], [], []
    it = 0
    while it < num_iters:
        X_batch, y_batch = sample_batch(X, y, len(X), batch_size)
        loss, grads = loss_func(params, X_batch, y_batch, reg)
        losses.append(float(loss))
        params.update({name: params[name].add(grads[name], alpha=-learning_rate) for name in params})
        if it % epoch == 0:
            hits = pred_func(params, loss_func, X_batch).eq(y_batch)
            train_accs.append(hits.sum().item() / hits.numel())
            hits = pred_func(params, loss_func, X_val).eq(y_val)
            val_accs.append(hits.sum().item() / hits.numel())
            learning_rate *= learning_rate_decay
            print("epoch", it // epoch, "loss", float(loss), "validation", val_accs[-1])
        it += 1
    return {"loss_history": losses, "train_acc_history": train_accs, "val_acc_history": val_accs}


def nn_predict(params, loss_func, X):
    scores = loss_func(params, X)
    return torch.tensor([row.index(max(row)) for row in scores.tolist()])


def nn_get_search_params():
    return [10**-0.5, 10**-1.0], [40, 80, 160], [0], [0.9, 1.0]


def find_best_net(data_dict, get_param_set_fn):
    rates, sizes, regs, decays = get_param_set_fn()
    combinations = [(r, s, g, d) for r in rates for s in sizes for g in regs for d in decays]
    random.shuffle(combinations)
    best_net, best_stat, best_val_acc = None, None, float("-inf")
    for rate, size, reg, decay in combinations:
        net = TwoLayerNet(
            input_size=data_dict["X_train"].shape[1],
            hidden_size=size,
            output_size=int(data_dict["y_train"].max()) + 1,
        )
        stat = net.train(
            data_dict["X_train"],
            data_dict["y_train"],
            data_dict["X_val"],
            data_dict["y_val"],
            rate,
            decay,
            reg,
            500,
            100,
        )
        if stat["val_acc_history"][-1] > best_val_acc:
            best_net, best_stat, best_val_acc = net, stat, stat["val_acc_history"][-1]
    return best_net, best_stat, best_val_acc
