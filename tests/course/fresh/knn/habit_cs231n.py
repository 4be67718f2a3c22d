from builtins import range
from builtins import object
import numpy as np
import torch


def to_numpy(t):
    return t.detach().cpu().double().numpy().reshape(t.shape[0], -1)


def to_torch(a, like):
    return torch.from_numpy(a).to(like.device, like.dtype)


def compute_distances_two_loops(x_train, x_test):
    X_train, X = to_numpy(x_train), to_numpy(x_test)
    num_test = X.shape[0]
    num_train = X_train.shape[0]
    dists = np.zeros((num_test, num_train))
    for i in range(num_test):
        for j in range(num_train):
            # L2 distance between the ith test point and the jth training point
            dists[i, j] = np.sqrt(np.sum((X[i] - X_train[j]) ** 2))
    return to_torch(dists, x_train)


def compute_distances_one_loop(x_train, x_test):
    X_train, X = to_numpy(x_train), to_numpy(x_test)
    num_test = X.shape[0]
    num_train = X_train.shape[0]
    dists = np.zeros((num_test, num_train))
    for i in range(num_test):
        dists[i, :] = np.sqrt(np.sum((X_train - X[i]) ** 2, axis=1))
    return to_torch(dists, x_train)


def compute_distances_no_loops(x_train, x_test):
    X_train, X = to_numpy(x_train), to_numpy(x_test)
    center = X_train.mean(axis=0)
    X_train = X_train - center
    X = X - center
    dists = np.sum(X ** 2, axis=1, keepdims=True) + np.sum(X_train ** 2, axis=1) - 2 * X.dot(X_train.T)
    dists = np.sqrt(np.maximum(dists, 0))
    return to_torch(dists, x_train)


def predict_labels(dists, y_train, k=1):
    y = y_train.cpu().numpy()
    D = dists.cpu().double().numpy()
    num_test = D.shape[0]
    y_pred = np.zeros(num_test, dtype=np.int64)
    for i in range(num_test):
        closest_y = y[np.argsort(D[i])[:k]]
        # Break ties by choosing the smaller label.
        y_pred[i] = np.bincount(closest_y).argmax()
    return torch.from_numpy(y_pred).to(y_train.device)


class KnnClassifier:
    """ a kNN classifier with L2 distance """

    def __init__(self, x_train=None, y_train=None):
        if x_train is not None:
            self.train(x_train, y_train)

    def train(self, X, y):
        """ Train the classifier. For k-nearest neighbors this is just memorizing the training data. """
        self.X_train = X
        self.y_train = y

    def predict(self, X, k=1, num_loops=0):
        if num_loops == 0:
            dists = compute_distances_no_loops(self.X_train, X)
        elif num_loops == 1:
            dists = compute_distances_one_loop(self.X_train, X)
        elif num_loops == 2:
            dists = compute_distances_two_loops(self.X_train, X)
        else:
            raise ValueError('Invalid value %d for num_loops' % num_loops)
        return predict_labels(dists, self.y_train, k=k)

    def check_accuracy(self, x_test, y_test, k=1, quiet=False):
        num_correct = int((self.predict(x_test, k=k) == y_test).sum())
        num_test = len(y_test)
        accuracy = float(num_correct) / num_test
        if not quiet:
            print('Got %d / %d correct => accuracy: %f' % (num_correct, num_test, accuracy))
        return 100 * accuracy


KNearestNeighbor = KnnClassifier


def knn_cross_validate(x_train, y_train, num_folds=5, k_choices=None):
    if k_choices is None:
        k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    X_train_folds = np.array_split(x_train.cpu().double().numpy(), num_folds)
    y_train_folds = np.array_split(y_train.cpu().numpy(), num_folds)
    k_to_accuracies = {}
    for k in k_choices:
        k_to_accuracies[k] = []
        for i in range(num_folds):
            X_tr = np.concatenate(X_train_folds[:i] + X_train_folds[i + 1:])
            y_tr = np.concatenate(y_train_folds[:i] + y_train_folds[i + 1:])
            classifier = KNearestNeighbor()
            classifier.train(torch.from_numpy(X_tr), torch.from_numpy(y_tr))
            acc = classifier.check_accuracy(torch.from_numpy(X_train_folds[i]), torch.from_numpy(y_train_folds[i]), k=k, quiet=True)
            k_to_accuracies[k].append(acc)
    # for k in sorted(k_to_accuracies):
    #     for accuracy in k_to_accuracies[k]:
    #         print('k = %d, accuracy = %f' % (k, accuracy))
    return k_to_accuracies


def knn_get_best_k(k_to_accuracies):
    ks = sorted(k_to_accuracies)
    accuracies_mean = np.array([np.mean(k_to_accuracies[k]) for k in ks])
    return ks[int(np.argmax(accuracies_mean))]
