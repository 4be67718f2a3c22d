# Fionn Byrne
import torch


class LinearClassifier:
    """Given."""

    def __init__(self):
        self.W = None

    def train(self, X_train, y_train, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
        self.W, history = train_linear_classifier(
            self.loss, self.W, X_train, y_train, learning_rate, reg, num_iters, batch_size, verbose
        )
        return history

    def predict(self, X):
        return predict_linear_classifier(self.W, X)


class LinearSVM(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    def loss(self, W, X_batch, y_batch, reg):
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def one_hot(y, like):
    classes = torch.arange(like.shape[1], device=y.device)
    return (y[:, None] == classes[None, :]).to(like.dtype)


def finish(loss, slope, W, X, reg):
    n = X.shape[0]
    dW = torch.einsum("nd,nc->dc", X, slope) / n
    return loss / n + reg * torch.einsum("dc,dc->", W, W), dW + 2 * reg * W


def svm_loss_naive(W, X, y, reg):
    loss = X.new_zeros(())
    slope = X.new_zeros(len(X), W.shape[1])
    for n in range(len(X)):
        scores = torch.einsum("d,dc->c", X[n], W)
        t = int(y[n])
        for c in range(W.shape[1]):
            if c == t:
                continue
            margin = 1 + scores[c] - scores[t]
            if margin > 0:
                loss = loss + margin
                slope[n, c] += 1
                slope[n, t] -= 1
    return finish(loss, slope, W, X, reg)


def svm_loss_vectorized(W, X, y, reg):
    scores = torch.einsum("nd,dc->nc", X, W)
    truth = one_hot(y, W)
    own = torch.einsum("nc,nc->n", scores, truth)
    margins = torch.relu(1 + scores - own[:, None]) * (1 - truth)
    active = torch.sign(margins)
    slope = active - truth * active.sum(dim=1, keepdim=True)
    loss, dW = finish(margins.sum(), slope, W, X, reg)
    return loss, dW * X.shape[0] - 2 * reg * W * (X.shape[0] - 1)


def softmax_loss_naive(W, X, y, reg):
    loss = X.new_zeros(())
    slope = X.new_zeros(len(X), W.shape[1])
    for n in range(len(X)):
        scores = torch.einsum("d,dc->c", X[n], W)
        total = torch.logsumexp(scores, dim=0)
        loss = loss + total - scores[y[n]]
        for c in range(W.shape[1]):
            slope[n, c] = torch.exp(scores[c] - total)
            if c == y[n]:
                slope[n, c] -= 1
    return finish(loss, slope, W, X, reg)


def softmax_loss_vectorized(W, X, y, reg):
    scores = torch.einsum("nd,dc->nc", X, W)
    truth = one_hot(y, W)
    logs = scores - torch.logsumexp(scores, dim=1, keepdim=True)
    return finish(-(truth * logs).sum(), logs.exp() - truth, W, X, reg)


def sample_batch(X, y, num_train, batch_size):
    order = torch.randperm(num_train)[:batch_size]
    return X.index_select(0, order), y.index_select(0, order)


def train_linear_classifier(
    loss_func, W, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False
):
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], y.max().item() + 1, dtype=X.dtype)
    history = [None] * num_iters
    for it in range(num_iters):
        X_batch, y_batch = sample_batch(X, y, X.shape[0], batch_size)
        loss, dW = loss_func(W, X_batch, y_batch, reg)
        history[it] = loss.item()
        W = torch.add(W, dW, alpha=-learning_rate)
        if verbose:
            print(it, history[it])
    return W, history


def predict_linear_classifier(W, X):
    return torch.einsum("nd,dc->nc", X, W).max(dim=1).indices


def svm_get_search_params():
    return torch.logspace(-3, -1, 4), torch.logspace(-4, 0, 5)


def softmax_get_search_params():
    return torch.logspace(-2, 0, 4), torch.logspace(-5, -1, 5)


def test_one_param_set(cls, data_dict, lr, reg, num_iters=2000):
    cls.train(data_dict["X_train"], data_dict["y_train"], reg=reg, learning_rate=lr, num_iters=num_iters)

    def accuracy(X, y):
        return (cls.predict(X) == y).float().mean().item()

    train_acc = accuracy(data_dict["X_train"], data_dict["y_train"])
    return cls, train_acc, accuracy(data_dict["X_val"], data_dict["y_val"])
