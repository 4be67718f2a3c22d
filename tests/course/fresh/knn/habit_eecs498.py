"""
Implements a K-Nearest Neighbor classifier in PyTorch.
"""
import torch
import statistics


def hello():
  """
  This is a sample function that we will try to import and run to ensure that
  our environment is correctly set up on Google Colab.
  """
  print('Hello from knn.py!')


def compute_distances_two_loops(x_train, x_test):
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = x_train.new_zeros(num_train, num_test)
    train_flat = x_train.view(num_train, -1)
    test_flat = x_test.view(num_test, -1)
    for i in range(num_train):
      for j in range(num_test):
        dists[i, j] = torch.sum((train_flat[i] - test_flat[j]) ** 2)
    return dists


def compute_distances_one_loop(x_train, x_test):
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = x_train.new_zeros(num_train, num_test)
    train_flat = x_train.view(num_train, -1)
    test_flat = x_test.view(num_test, -1)
    for i in range(num_train):
      dists[i] = ((train_flat[i] - test_flat) ** 2).sum(dim=1)
    return dists


def compute_distances_no_loops(x_train, x_test):
    num_train = x_train.shape[0]
    num_test = x_test.shape[0]
    dists = x_train.new_zeros(num_train, num_test)
    train_flat = x_train.view(num_train, -1)
    test_flat = x_test.view(num_test, -1)
    dists = (train_flat ** 2).sum(dim=1).view(-1, 1) + (test_flat ** 2).sum(dim=1).view(1, -1) - 2 * train_flat.mm(test_flat.t())
    return dists


def predict_labels(dists, y_train, k=1):
    num_train, num_test = dists.shape
    y_pred = torch.zeros(num_test, dtype=torch.int64)
    _, index = torch.topk(dists, k, dim=0, largest=False)
    near_labels = y_train[index]
    y_pred = torch.mode(near_labels, dim=0)[0]
    return y_pred


class KnnClassifier:
    def __init__(self, x_train, y_train):
        self.x_train = x_train
        self.y_train = y_train

    def predict(self, x_test, k=1):
        y_test_pred = None
        dists = compute_distances_no_loops(self.x_train, x_test)
        y_test_pred = predict_labels(dists, self.y_train, k=k)
        return y_test_pred

    def check_accuracy(self, x_test, y_test, k=1, quiet=False):
        y_test_pred = self.predict(x_test, k=k)
        num_samples = x_test.shape[0]
        num_correct = (y_test == y_test_pred).sum().item()
        accuracy = 100.0 * num_correct / num_samples
        msg = (f'Got {num_correct} / {num_samples} correct; '
               f'accuracy is {accuracy:.2f}%')
        if not quiet:
          print(msg)
        return accuracy


def knn_cross_validate(x_train, y_train, num_folds=5, k_choices=None):
    if k_choices is None:
      # Use default values
      k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]
    # First we divide the training data into num_folds equally-sized folds.
    x_train_folds = torch.chunk(x_train, num_folds)
    y_train_folds = torch.chunk(y_train, num_folds)
    k_to_accuracies = {}
    for k in k_choices:
      list_of_acc = []
      for num_fold in range(num_folds):
        x_train_fold = torch.cat(x_train_folds[:num_fold] + x_train_folds[num_fold + 1:])
        y_train_fold = torch.cat(y_train_folds[:num_fold] + y_train_folds[num_fold + 1:])
        classifier = KnnClassifier(x_train_fold, y_train_fold)
        list_of_acc.append(classifier.check_accuracy(x_train_folds[num_fold], y_train_folds[num_fold], k=k, quiet=True))
      k_to_accuracies[k] = list_of_acc
    return k_to_accuracies


def knn_get_best_k(k_to_accuracies):
    best_k = 0
    new_dict = {}
    for k, accs in sorted(k_to_accuracies.items()):
      new_dict[k] = sum(accs) / len(accs)
    max_value = max(new_dict.values())
    best_k = [k for k, v in new_dict.items() if v == max_value][0]
    return best_k
