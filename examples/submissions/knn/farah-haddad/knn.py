"""kNN assignment, Farah Haddad."""

import torch


def compute_distances_two_loops(x_train, x_test):
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = x_train.new_zeros(num_train, num_test)
    for i in range(num_train):
        for j in range(num_test):
            # Euclidean distance: root of the sum of squares
            dists[i, j] = torch.sqrt(torch.sum((x_train[i] - x_test[j]) ** 2))
    return dists


def compute_distances_one_loop(x_train, x_test):
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = x_train.new_zeros(num_train, num_test)
    test = x_test.reshape(num_test, -1)
    for i in range(num_train):
        dists[i] = torch.sum((test - x_train[i].reshape(1, -1)) ** 2, dim=1)
    return dists


def compute_distances_no_loops(x_train, x_test):
    train = x_train.reshape(x_train.shape[0], -1)
    test = x_test.reshape(x_test.shape[0], -1)
    # shifting everything does not change the distances
    mean = train.mean(dim=0)
    train = train - mean
    test = test - mean
    train_sq = torch.sum(train * train, dim=1).reshape(-1, 1)
    test_sq = torch.sum(test * test, dim=1).reshape(1, -1)
    dists = train_sq + test_sq - 2 * torch.mm(train, test.t())
    return torch.clamp(dists, min=0)


def predict_labels(dists, y_train, k=1):
    num_test = dists.shape[1]
    y_pred = torch.zeros(num_test, dtype=torch.int64)
    for j in range(num_test):
        _, nearest = torch.topk(dists[:, j], k, largest=False)
        counts = {}
        for label in y_train[nearest].tolist():
            counts[label] = counts.get(label, 0) + 1
        best = None
        for label in sorted(counts):
            if best is None or counts[label] > counts[best]:
                best = label
        y_pred[j] = best
    return y_pred


class KnnClassifier:
    def __init__(self, x_train, y_train):
        self.x_train = x_train
        self.y_train = y_train

    def predict(self, x_test, k=1):
        dists = compute_distances_no_loops(self.x_train, x_test)
        return predict_labels(dists, self.y_train, k)

    def check_accuracy(self, x_test, y_test, k=1, quiet=False):
        y_pred = self.predict(x_test, k)
        num_correct = (y_pred == y_test).sum().item()
        accuracy = 100.0 * num_correct / x_test.shape[0]
        if not quiet:
            print(f"Got {num_correct} / {x_test.shape[0]} correct: {accuracy:.2f}%")
        return accuracy


def knn_cross_validate(x_train, y_train, num_folds=5, k_choices=None):
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    x_folds = torch.chunk(x_train, num_folds)
    y_folds = torch.chunk(y_train, num_folds)
    k_to_accuracies = {}
    for k in k_choices:
        k_to_accuracies[k] = []
        for i in range(num_folds):
            x = torch.cat([x_folds[j] for j in range(num_folds) if j != i])
            y = torch.cat([y_folds[j] for j in range(num_folds) if j != i])
            classifier = KnnClassifier(x, y)
            accuracy = classifier.check_accuracy(x_folds[i], y_folds[i], k=k, quiet=True)
            k_to_accuracies[k].append(accuracy)
    return k_to_accuracies


def knn_get_best_k(k_to_accuracies):
    best_k = 0
    best_mean = -1.0
    for k in sorted(k_to_accuracies):
        mean = sum(k_to_accuracies[k]) / len(k_to_accuracies[k])
        if mean > best_mean:
            best_k = k
            best_mean = mean
    return best_k
