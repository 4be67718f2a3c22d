# Noor Rahman
import torch

from my_distance_helpers import flatten_all


def compute_distances_two_loops(x_train, x_test):
    a, b = flatten_all(x_train), flatten_all(x_test)
    dists = torch.empty(len(a), len(b), dtype=a.dtype, device=a.device)
    for i in range(len(a)):
        for j in range(len(b)):
            d = a[i] - b[j]
            dists[i, j] = torch.einsum("d,d->", d, d)
    return dists


def compute_distances_one_loop(x_train, x_test):
    a, b = x_train.flatten(1), x_test.flatten(1)
    rows = []
    for point in a:
        d = b - point
        rows.append(torch.einsum("md,md->m", d, d))
    return torch.stack(rows)


def compute_distances_no_loops(x_train, x_test):
    # float64 inside: in float32 the three terms cancel
    a, b = x_train.flatten(1).double(), x_test.flatten(1).double()
    aa = torch.einsum("nd,nd->n", a, a)
    bb = torch.einsum("md,md->m", b, b)
    ab = torch.einsum("nd,md->nm", a, b)
    return torch.relu(aa[:, None] - 2 * ab + bb[None, :]).to(x_train.dtype)


def predict_labels(dists, y_train, k=1):
    order = torch.argsort(dists, dim=0)[:k]
    classes = torch.unique(y_train)  # sorted, so argmax finds the smallest first
    votes = (y_train[order][..., None] == classes).sum(dim=0)
    return classes[votes.argmax(dim=1)]


class KnnClassifier:
    def __init__(self, x_train, y_train):
        self.x, self.y = x_train, y_train

    def predict(self, x_test, k=1):
        return predict_labels(compute_distances_no_loops(self.x, x_test), self.y, k=k)

    def check_accuracy(self, x_test, y_test, k=1, quiet=False):
        accuracy = (self.predict(x_test, k=k) == y_test).double().mean().item() * 100
        if not quiet:
            print("accuracy", accuracy)
        return accuracy


def knn_cross_validate(x_train, y_train, num_folds=5, k_choices=None):
    ks = k_choices or [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    xs, ys = x_train.tensor_split(num_folds), y_train.tensor_split(num_folds)

    def one(k, i):
        rest = KnnClassifier(torch.cat(xs[:i] + xs[i + 1 :]), torch.cat(ys[:i] + ys[i + 1 :]))
        return rest.check_accuracy(xs[i], ys[i], k=k, quiet=True)

    return {k: [one(k, i) for i in range(num_folds)] for k in ks}


def knn_get_best_k(k_to_accuracies):
    return min(k_to_accuracies, key=lambda k: (-sum(k_to_accuracies[k]), k))
