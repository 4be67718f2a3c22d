"""
Implements linear classifeirs in PyTorch.
WARNING: you SHOULD NOT use ".to()" or ".cuda()" in each implementation block.
"""
import torch
import random
import statistics
from abc import abstractmethod


def hello_linear_classifier():
  print('Hello from linear_classifier.py!')


class LinearClassifier:
  """ An abstarct class for the linear classifiers """
  def __init__(self):
    random.seed(0)
    torch.manual_seed(0)
    self.W = None

  def train(self, X_train, y_train, learning_rate=1e-3, reg=1e-5, num_iters=100,
            batch_size=200, verbose=False):
    train_args = (self.loss, self.W, X_train, y_train, learning_rate, reg,
                  num_iters, batch_size, verbose)
    self.W, loss_history = train_linear_classifier(*train_args)
    return loss_history

  def predict(self, X):
    return predict_linear_classifier(self.W, X)

  @abstractmethod
  def loss(self, W, X_batch, y_batch, reg):
    raise NotImplementedError

  def _loss(self, X_batch, y_batch, reg):
    self.loss(self.W, X_batch, y_batch, reg)

  def save(self, path):
    torch.save({'W': self.W}, path)
    print("Saved in {}".format(path))

  def load(self, path):
    W_dict = torch.load(path, map_location='cpu')
    self.W = W_dict['W']
    if self.W is None:
      raise Exception("Failed to load your checkpoint")


class LinearSVM(LinearClassifier):
  """ A subclass that uses the Multiclass SVM loss function """
  def loss(self, W, X_batch, y_batch, reg):
    return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
  """ A subclass that uses the Softmax + Cross-entropy loss function """
  def loss(self, W, X_batch, y_batch, reg):
    return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def svm_loss_naive(W, X, y, reg):
    dW = torch.zeros_like(W) # initialize the gradient as zero

    # compute the loss and the gradient
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
      scores = W.t().mv(X[i])
      correct_class_score = scores[y[i]]
      for j in range(num_classes):
        if j == y[i]:
          continue
        margin = scores[j] - correct_class_score + 1 # note delta = 1
        if margin > 0:
          loss += margin
          dW[:, j] += X[i]
          dW[:, y[i]] -= X[i]

    # Right now the loss is a sum over all training examples, but we want it
    # to be an average instead so we divide by num_train.
    loss /= num_train
    dW /= num_train

    # Add regularization to the loss.
    loss += reg * torch.sum(W * W)
    dW += 2 * reg * W
    return loss, dW


def svm_loss_vectorized(W, X, y, reg):
    loss = 0.0
    dW = torch.zeros_like(W) # initialize the gradient as zero
    num_train = X.shape[0]
    scores = X.mm(W)
    correct_class_score = scores[range(num_train), y].reshape(-1, 1)
    margin = torch.max(scores - correct_class_score + 1, torch.zeros_like(scores))
    margin[range(num_train), y] = 0
    loss = margin.sum() / num_train + reg * torch.sum(W * W)
    margin[margin > 0] = 1
    margin[range(num_train), y] -= margin.sum(dim=1)
    dW = X.t().mm(margin) / num_train + 2 * reg * W
    return loss, dW


def softmax_loss_naive(W, X, y, reg):
    loss = 0.0
    dW = torch.zeros_like(W)
    num_train = X.shape[0]
    num_classes = W.shape[1]
    for i in range(num_train):
      scores = W.t().mv(X[i])
      # numeric stability
      scores -= scores.max()
      exp_scores = torch.exp(scores)
      sum_exp = exp_scores.sum()
      loss += torch.log(sum_exp) - scores[y[i]]
      for j in range(num_classes):
        dW[:, j] += X[i] * (exp_scores[j] / sum_exp)
        if j == y[i]:
          dW[:, j] -= X[i]
    loss /= num_train
    dW /= num_train
    loss += reg * torch.sum(W * W)
    dW += 2 * reg * W
    return loss, dW


def softmax_loss_vectorized(W, X, y, reg):
    loss = 0.0
    dW = torch.zeros_like(W)
    num_train = X.shape[0]
    scores = X.mm(W)
    scores -= scores.max(dim=1, keepdim=True)[0]
    exp_scores = torch.exp(scores)
    sum_exp = exp_scores.sum(dim=1, keepdim=True)
    loss = (torch.log(sum_exp).squeeze(1) - scores[range(num_train), y]).sum()
    probs = exp_scores / sum_exp
    probs[range(num_train), y] -= 1
    dW = X.t().mm(probs)
    loss = loss / num_train + reg * torch.sum(W * W)
    dW = dW / num_train + 2 * reg * W
    return loss, dW


def sample_batch(X, y, num_train, batch_size):
    X_batch = None
    y_batch = None
    indices = torch.randint(0, num_train, (batch_size,))
    X_batch = X[indices]
    y_batch = y[indices]
    return X_batch, y_batch


def train_linear_classifier(loss_func, W, X, y, learning_rate=0.001, reg=1e-05, num_iters=100, batch_size=200, verbose=False):
    # assume y takes values 0...K-1 where K is number of classes
    num_train, dim = X.shape
    if W is None:
      # lazily initialize W
      num_classes = torch.max(y) + 1
      W = 0.000001 * torch.randn(dim, num_classes, device=X.device, dtype=X.dtype)
    else:
      num_classes = W.shape[1]

    # Run stochastic gradient descent to optimize W
    loss_history = []
    for it in range(num_iters):
      X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
      # evaluate loss and gradient
      loss, grad = loss_func(W, X_batch, y_batch, reg)
      loss_history.append(loss.item())
      # perform parameter update
      W -= learning_rate * grad
      if verbose and it % 100 == 0:
        print('iteration %d / %d: loss %f' % (it, num_iters, loss))
    return W, loss_history


def predict_linear_classifier(W, X):
    y_pred = torch.zeros(X.shape[0], dtype=torch.int64)
    y_pred = X.mm(W).argmax(dim=1)
    return y_pred


def svm_get_search_params():
    learning_rates = [1e-3, 3e-3, 1e-2, 3e-2, 5e-2]
    regularization_strengths = [1e-4, 1e-3, 1e-2, 1e-1, 1]
    return learning_rates, regularization_strengths


def softmax_get_search_params():
    learning_rates = [1e-3, 1e-2, 1e-1, 5e-1]
    regularization_strengths = [1e-4, 1e-3, 1e-2, 1e-1]
    return learning_rates, regularization_strengths


def test_one_param_set(cls, data_dict, lr, reg, num_iters=2000):
    train_acc = 0.0 # The accuracy is simply the fraction of data points
    val_acc = 0.0 # that are correctly classified.
    cls.train(data_dict['X_train'], data_dict['y_train'], lr, reg, num_iters, batch_size=200, verbose=False)
    y_train_pred = cls.predict(data_dict['X_train'])
    train_acc = 100.0 * (data_dict['y_train'] == y_train_pred).double().mean().item()
    y_val_pred = cls.predict(data_dict['X_val'])
    val_acc = 100.0 * (data_dict['y_val'] == y_val_pred).double().mean().item()
    return cls, train_acc, val_acc


test_one_param_set.__test__ = False  # pytest: no test, despite its name
