"""Chiara Rossi - k nearest neighbors with broadcasting."""
import torch

CHUNK = 16


def compute_distances_two_loops(x_train, x_test):
    # outer loop: chunks of training points, inner loop: test points
    dists = torch.zeros(x_train.size(0), x_test.size(0)).type_as(x_train)
    for start in range(0, x_train.size(0), CHUNK):
        for j in range(x_test.size(0)):
            diff = x_train[start : start + CHUNK] - x_test[j].unsqueeze(0)
            dists[start : start + CHUNK, j] = diff.pow(2).flatten(start_dim=1).sum(dim=1)
    return dists


def compute_distances_one_loop(x_train, x_test):
    # a chunk of training points against all test points at once
    parts = []
    start = 0
    while start < x_train.size(0):
        chunk = x_train[start : start + CHUNK].unsqueeze(1)
        diff = chunk - x_test.unsqueeze(0)
        parts.append(diff.square().flatten(start_dim=2).sum(dim=2))
        start += CHUNK
    return torch.cat(parts, dim=0)


def compute_distances_no_loops(x_train, x_test):
    train = x_train.flatten(start_dim=1)
    test = x_test.flatten(start_dim=1)
    center = torch.cat([train, test]).mean(dim=0, keepdim=True)
    train = train - center
    test = test - center
    # (a - b)^2 as one product: [a^2, 1, -2a] times [1, b^2, b]
    one = torch.ones(1).type_as(train)
    left = torch.cat([train.square().sum(1, keepdim=True), one.expand(len(train), 1), -2 * train], dim=1)
    right = torch.cat([one.expand(len(test), 1), test.square().sum(1, keepdim=True), test], dim=1)
    return torch.maximum(left @ right.T, torch.zeros_like(one))


def predict_labels(dists, y_train, k=1):
    _, index = dists.sort(dim=0)
    labels = y_train[index[:k]]
    # count how often each neighbor's label occurs among the k: a k x k comparison for each test point
    count = (labels.unsqueeze(0) == labels.unsqueeze(1)).sum(dim=1)
    winners = count == count.max(dim=0).values
    big = y_train.max() + 1
    return torch.where(winners, labels, big).min(dim=0).values


class KnnClassifier(object):
    def __init__(self, x_train, y_train):
        self.data = (x_train, y_train)

    def predict(self, x_test, k=1):
        x, y = self.data
        return predict_labels(compute_distances_no_loops(x, x_test), y, k)

    def check_accuracy(self, x_test, y_test, k=1, quiet=False):
        right = int((self.predict(x_test, k) == y_test).sum())
        if not quiet:
            print("%d of %d" % (right, len(y_test)))
        return right / len(y_test) * 100


def knn_cross_validate(x_train, y_train, num_folds=5, k_choices=None):
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    fold = torch.arange(len(x_train)).tensor_split(num_folds)
    result = {k: [] for k in k_choices}
    for held in fold:
        keep = torch.ones(len(x_train), dtype=torch.bool)
        keep[held] = False
        model = KnnClassifier(x_train[keep], y_train[keep])
        for k in k_choices:
            result[k] += [model.check_accuracy(x_train[held], y_train[held], k, True)]
    return result


def knn_get_best_k(k_to_accuracies):
    ks = sorted(k_to_accuracies.keys())
    means = torch.tensor([k_to_accuracies[k] for k in ks]).mean(dim=1)
    return ks[int(means.argmax())]
