"""Elif Kaya, linear classifiers."""

import torch


class LinearClassifier:
    def __init__(self):
        torch.manual_seed(0)
        self.W = None

    def train(self, X_train, y_train, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
        args = (self.loss, self.W, X_train, y_train, learning_rate, reg, num_iters, batch_size, verbose)
        self.W, loss_history = train_linear_classifier(*args)
        return loss_history

    def predict(self, X):
        return predict_linear_classifier(self.W, X)

    def loss(self, W, X_batch, y_batch, reg):
        raise NotImplementedError

    def save(self, path):
        torch.save({"W": self.W}, path)

    def load(self, path):
        self.W = torch.load(path)["W"]


class LinearSVM(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def svm_loss_naive(W, X, y, reg):
    dW = torch.zeros_like(W)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = W.t().mv(X[i])
        correct_class_score = scores[y[i]]
        for j in range(num_classes):
            margin = scores[j] - correct_class_score + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss /= num_train
    dW /= num_train
    loss += reg * torch.sum(W * W)
    dW += 2 * reg * W
    return loss, dW


def svm_loss_vectorized(W, X, y, reg):
    num_train = X.shape[0]
    scores = X.mm(W)
    correct = scores[torch.arange(num_train), y].view(-1, 1)
    margins = torch.max(scores - correct + 1, torch.zeros_like(scores))
    margins[torch.arange(num_train), y] = 0
    loss = margins.sum() / num_train + reg * torch.sum(W * W)
    mask = (margins > 0).to(X.dtype)
    mask[torch.arange(num_train), y] = -mask.sum(dim=1)
    dW = X.t().mm(mask) / num_train + 2 * reg * W
    return loss, dW


def softmax_loss_naive(W, X, y, reg):
    dW = torch.zeros_like(W)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = W.t().mv(X[i])
        scores = scores - scores.max()
        p = torch.exp(scores) / torch.exp(scores).sum()
        loss -= torch.log(p[y[i]])
        for j in range(num_classes):
            dW[:, j] += p[j] * X[i]
        dW[:, y[i]] -= X[i]
    loss /= num_train
    dW /= num_train
    loss += reg * torch.sum(W * W)
    dW += 2 * reg * W
    return loss, dW


def softmax_loss_vectorized(W, X, y, reg):
    num_train = X.shape[0]
    scores = X.mm(W)
    scores = scores - scores.max(dim=1, keepdim=True).values
    p = torch.exp(scores)
    p = p / p.sum(dim=1, keepdim=True)
    loss = -torch.log(p[torch.arange(num_train), y]).sum() / num_train + reg * torch.sum(W * W)
    p[torch.arange(num_train), y] -= 1
    dW = X.t().mm(p) / num_train + 2 * reg * W
    return loss, dW


def sample_batch(X, y, num_train, batch_size):
    idx = torch.randint(0, num_train, (batch_size,))
    return X[idx], y[idx]


def train_linear_classifier(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    num_train, dim = X.shape
    if W is None:
        num_classes = torch.max(y) + 1
        W = 0.000001 * torch.randn(dim, num_classes, device=X.device, dtype=X.dtype)
    loss_history = []
    for it in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
        loss, grad = loss_func(W, X_batch, y_batch, reg)
        loss_history.append(loss.item())
        W -= learning_rate * grad
        if verbose and it % 100 == 0:
            print("iteration %d / %d: loss %f" % (it, num_iters, loss))
    return W, loss_history


def predict_linear_classifier(W, X):
    return X.mm(W).argmax(dim=1)


def svm_get_search_params():
    return [1e-3, 1e-2, 1e-1], [1e-3, 1e-2, 1e-1]


def softmax_get_search_params():
    return [1e-2, 1e-1, 5e-1], [1e-4, 1e-3, 1e-2]


def test_one_param_set(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], lr, reg, num_iters, batch_size=200, verbose=False)
    train_acc = 100.0 * (cls.predict(data_dict["X_train"]) == data_dict["y_train"]).double().mean().item()
    val_acc = 100.0 * (cls.predict(data_dict["X_val"]) == data_dict["y_val"]).double().mean().item()
    return cls, train_acc, val_acc
