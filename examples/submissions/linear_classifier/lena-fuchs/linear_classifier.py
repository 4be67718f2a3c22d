# Lena Fuchs: NumPy wherever possible.
import random

import numpy as np
import torch


class LinearClassifier:
    def __init__(self):
        self.W = None

    def train(self, X_train, y_train, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
        self.W, losses = train_linear_classifier(
            self.loss, self.W, X_train, y_train, learning_rate, reg, num_iters, batch_size, verbose
        )
        return losses

    def predict(self, X):
        return predict_linear_classifier(self.W, X)


class LinearSVM(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def to_numpy(W, X, y=None):
    if y is None:
        return W.detach().numpy(), X.detach().numpy()
    return W.detach().numpy(), X.detach().numpy(), y.numpy()


def to_torch(loss, dw, like):
    return torch.tensor(loss, dtype=like.dtype), torch.from_numpy(dw).to(like.dtype)


def svm_loss_naive(W, X, y, reg):
    w, x, labels = to_numpy(W, X, y)
    n, (d, c) = len(x), w.shape
    loss, dw = 0.0, np.zeros((d, c))
    for i in range(n):
        scores = [sum(x[i, k] * w[k, j] for k in range(d)) for j in range(c)]
        for j in range(c):
            m = scores[j] - scores[labels[i]] + 1
            if j != labels[i] and m > 0:
                loss += float(m)
                for k in range(d):
                    dw[k, j] += x[i, k]
                    dw[k, labels[i]] -= x[i, k]
    return to_torch(loss / n + reg * float((w**2).sum()), dw / n + 2 * reg * w, W)


def svm_loss_vectorized(W, X, y, reg):
    w, x, labels = to_numpy(W, X, y)
    n = len(x)
    s = x @ w
    m = np.maximum(0, s - s[np.arange(n), labels][:, np.newaxis] + 1)
    m[np.arange(n), labels] = 0
    g = np.where(m > 0, 1.0, 0.0)
    g[np.arange(n), labels] = -np.sum(g, axis=1)
    return to_torch(float(m.sum()) / n + reg * float((w**2).sum()), x.T.dot(g) / n + 2 * reg * w, W)


def softmax_loss_naive(W, X, y, reg):
    w, x, labels = to_numpy(W, X, y)
    n = len(x)
    loss, dw = 0.0, np.zeros(w.shape)
    for i in range(n):
        s = x[i].dot(w)
        top = s.max()
        total = np.sum(np.exp(s - top))
        loss += float(np.log(total) + top - s[labels[i]])
        for j in range(w.shape[1]):
            p = np.exp(s[j] - top) / total
            dw[:, j] += (p - (1 if j == labels[i] else 0)) * x[i]
    return to_torch(loss / n + reg * float((w**2).sum()), dw / n + 2 * reg * w, W)


def softmax_loss_vectorized(W, X, y, reg):
    w, x, labels = to_numpy(W, X, y)
    n = len(x)
    s = x @ w
    s = s - s.max(axis=1, keepdims=True)
    e = np.exp(s)
    p = e / e.sum(axis=1, keepdims=True)
    loss = float(np.mean(np.log(e.sum(axis=1)) - s[np.arange(n), labels]))
    g = p.copy()
    g[np.arange(n), labels] -= 1
    return to_torch(loss + reg * float((w**2).sum()), x.T.dot(g) / n + 2 * reg * w, W)


def sample_batch(X, y, num_train, batch_size):
    chosen = random.sample(range(num_train), batch_size)
    return X[chosen], y[chosen]


def train_linear_classifier(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 1e-5 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype)
    losses = []
    while len(losses) < num_iters:
        loss, dw = loss_func(W, *sample_batch(X, y, X.shape[0], batch_size), reg)
        losses.append(float(loss))
        W = W - learning_rate * dw
    return W, losses


def predict_linear_classifier(W, X):
    w, x = to_numpy(W, X)
    return torch.from_numpy(np.argmax(x @ w, axis=0))


def svm_get_search_params():
    return list(np.geomspace(1e-3, 1e-1, 5).tolist()), [1e-4, 1e-3, 1e-2, 1e-1, 1.0]


def softmax_get_search_params():
    return np.geomspace(1e-2, 1.0, 5).tolist(), [0.0, 1e-4, 1e-3, 1e-2]


def test_one_param_set(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], learning_rate=lr, reg=reg, num_iters=num_iters)
    accs = []
    for part in ("train", "val"):
        right = cls.predict(data_dict["X_" + part]) == data_dict["y_" + part]
        accs.append(float(np.mean(right.numpy())))
    return cls, accs[0], accs[1]
