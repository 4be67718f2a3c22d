"""Linear classifiers: a score per class, two losses, and gradient descent on minibatches.

Shapes: N examples, D features per example, C classes. The scores of a batch are `X @ W`, of shape (N, C).
There is no bias: an extra feature that is always 1 does its work. Every function works on any device and in
any floating-point dtype, and gives tensors in the dtype of its inputs. The losses do not modify their
arguments. No function asks for a GPU (`.cuda()`, `device="cuda"`): grading has none, and new tensors belong
where the old ones are.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

REGULARIZATION = 1.0
"""Factor of the regularizer, which is REGULARIZATION * reg * (the sum of the squares of all weights)."""

Loss = Callable[[Tensor, Tensor, Tensor, float], tuple[Tensor | float, Tensor]]
"""Takes W (D, C), X (N, D), y (N,) and reg; returns the loss and its gradient with respect to W, (D, C)."""


class LinearClassifier(ABC):
    """A linear classifier: weights `W` of shape (D, C), None before training. Subclasses choose the loss.

    This class and the two below are complete. They call the functions that you write.
    """

    def __init__(self) -> None:
        """Make a classifier without weights."""
        self.W: Tensor | None = None

    def train(
        self,
        X_train: Tensor,
        y_train: Tensor,
        learning_rate: float = 1e-3,
        reg: float = 1e-5,
        num_iters: int = 100,
        batch_size: int = 200,
        verbose: bool = False,
    ) -> list[float]:
        """Train on X_train (N, D) and y_train (N,), and return the loss at each iteration."""
        self.W, loss_history = train_linear_classifier(
            self.loss, self.W, X_train, y_train, learning_rate, reg, num_iters, batch_size, verbose
        )
        return loss_history

    def predict(self, X: Tensor) -> Tensor:
        """Return the predicted labels (N,) of X (N, D)."""
        if self.W is None:
            raise RuntimeError("there are no weights yet; call train or load first")
        return predict_linear_classifier(self.W, X)

    @abstractmethod
    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        """Return the loss on a batch, and its gradient with respect to W."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to a file."""
        torch.save({"W": self.W}, path)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read the weights from a file that `save` wrote."""
        self.W = torch.load(path, map_location="cpu", weights_only=True)["W"]


class LinearSVM(LinearClassifier):
    """A linear classifier trained with the multiclass SVM loss."""

    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        """Return the SVM loss on a batch, and its gradient with respect to W."""
        return svm_loss_vectorized(W, X_batch, y_batch, reg)


class Softmax(LinearClassifier):
    """A linear classifier trained with the softmax loss."""

    def loss(self, W: Tensor, X_batch: Tensor, y_batch: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
        """Return the softmax loss on a batch, and its gradient with respect to W."""
        return softmax_loss_vectorized(W, X_batch, y_batch, reg)


def svm_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the multiclass SVM loss and its gradient, one example and one class at a time.

    With scores s of an example whose true class is t, each other class j adds max(0, s_j - s_t + 1). The data
    loss is the mean over the examples. The regularizer, REGULARIZATION * reg * (the sum of the squares of all
    weights), is added to it once. All scores of an example may be computed at once.

    Off limits in all four losses: `torch.nn`, automatic differentiation (`torch.autograd`, `backward`), and
    ready-made `torch.softmax` and `torch.log_softmax`, also those that `helpers` builds on them. You may use
    `torch.logsumexp`.

    Parameters
    ----------
    W : Tensor of shape (D, C)
        Weights.
    X : Tensor of shape (N, D)
        A batch of examples.
    y : Tensor of shape (N,), int64
        Their true classes, 0 to C - 1.
    reg : float
        Strength of the regularization.

    Returns
    -------
    loss : Tensor of shape () or float
        The loss, in any dtype.
    dW : Tensor of shape (D, C)
        Its gradient with respect to W; dtype as `W`.
    """
    raise NotImplementedError("linear_classifier: svm_loss_naive")


def svm_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the same SVM loss and gradient without any explicit loop.

    A comprehension, `map` and the like count as loops. Parameters, results and what is off limits: as for
    `svm_loss_naive`.

    Hint: the gradient needs only to know, for each example, which margins are above 0, and how many.
    """
    raise NotImplementedError("linear_classifier: svm_loss_vectorized")


def softmax_loss_naive(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the softmax (cross-entropy) loss and its gradient, one example and one class at a time.

    With scores s of an example whose true class is t, its probabilities are p_j = exp(s_j) / sum_k exp(s_k),
    and its loss is -log p_t. The data loss is the mean over the examples; the regularizer is that of
    `svm_loss_naive`, and the same functions are off limits.

    The scores of an example may all be around 10,000 or around -10,000, where `exp` gives infinity or 0. The
    results must be right all the same. Which change of all scores of an example leaves its probabilities as
    they are?

    Parameters
    ----------
    W : Tensor of shape (D, C)
        Weights.
    X : Tensor of shape (N, D)
        A batch of examples.
    y : Tensor of shape (N,), int64
        Their true classes, 0 to C - 1.
    reg : float
        Strength of the regularization.

    Returns
    -------
    loss : Tensor of shape () or float
        The loss, in any dtype.
    dW : Tensor of shape (D, C)
        Its gradient with respect to W; dtype as `W`.
    """
    raise NotImplementedError("linear_classifier: softmax_loss_naive")


def softmax_loss_vectorized(W: Tensor, X: Tensor, y: Tensor, reg: float) -> tuple[Tensor | float, Tensor]:
    """Compute the same softmax loss and gradient without any explicit loop.

    A comprehension, `map` and the like count as loops. Parameters, results and what is off limits: as for
    `softmax_loss_naive`.
    """
    raise NotImplementedError("linear_classifier: softmax_loss_vectorized")


def sample_batch(X: Tensor, y: Tensor, num_train: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """Choose examples at random, with their labels; each example is equally likely.

    Whether an example may be chosen twice for the same batch is up to you.

    Parameters
    ----------
    X : Tensor of shape (num_train, D)
        All training examples.
    y : Tensor of shape (num_train,), int64
        Their labels.
    num_train : int
        How many there are.
    batch_size : int
        How many to choose, at most num_train.

    Returns
    -------
    X_batch : Tensor of shape (batch_size, D)
        The chosen examples.
    y_batch : Tensor of shape (batch_size,), int64
        The labels of these examples, in the same order.
    """
    raise NotImplementedError("linear_classifier: sample_batch")


def train_linear_classifier(
    loss_func: Loss,
    W: Tensor | None,
    X: Tensor,
    y: Tensor,
    learning_rate: float = 1e-3,
    reg: float = 1e-5,
    num_iters: int = 100,
    batch_size: int = 200,
    verbose: bool = False,
) -> tuple[Tensor, list[float]]:
    """Train weights by stochastic gradient descent.

    Each iteration draws one minibatch with `sample_batch`, calls `loss_func` on it once, notes the loss, and
    takes a step of `learning_rate` times the gradient downhill. `W` may be changed in place.

    Parameters
    ----------
    loss_func : callable
        Called as ``loss_func(W, X_batch, y_batch, reg)``; returns the loss and its gradient.
    W : Tensor of shape (D, C), or None
        Weights to start from; by default small random ones, with a class more than the largest label.
    X : Tensor of shape (N, D)
        Training examples.
    y : Tensor of shape (N,), int64
        Their labels, from 0.
    learning_rate : float
        Length of a step, relative to the gradient.
    reg : float
        Strength of the regularization, for `loss_func`.
    num_iters : int
        How many steps to take.
    batch_size : int
        How many examples to draw for each step, at most N.
    verbose : bool
        Whether to print how it goes.

    Returns
    -------
    W : Tensor of shape (D, C)
        The weights after the last step.
    loss_history : list of float
        The loss at each iteration, a plain number, before that iteration's step.
    """
    if W is None:
        W = 1e-6 * torch.randn(X.shape[1], int(y.max()) + 1, dtype=X.dtype, device=X.device)
    loss_history: list[float] = []

    raise NotImplementedError("linear_classifier: train_linear_classifier")


def predict_linear_classifier(W: Tensor, X: Tensor) -> Tensor:
    """Predict for each example the class with the largest score.

    Parameters
    ----------
    W : Tensor of shape (D, C)
        Weights.
    X : Tensor of shape (N, D)
        Examples.

    Returns
    -------
    Tensor of shape (N,), int64
        The predicted classes.
    """
    raise NotImplementedError("linear_classifier: predict_linear_classifier")


def svm_get_search_params() -> tuple[list[float], list[float]]:
    """Choose what to try for the SVM: every learning rate with every strength of regularization.

    At most 25 combinations. Learning rates are above 0 and regularization strengths not below it. With at
    least one combination a classifier learns to tell the notebook's digits apart: it reads at least half of
    new ones after 600 steps from random weights of size 0.0001.

    Returns
    -------
    learning_rates : list of float
    regularization_strengths : list of float
    """
    raise NotImplementedError("linear_classifier: svm_get_search_params")


def softmax_get_search_params() -> tuple[list[float], list[float]]:
    """Choose what to try for the softmax classifier; the rules are those of `svm_get_search_params`.

    Returns
    -------
    learning_rates : list of float
    regularization_strengths : list of float
    """
    raise NotImplementedError("linear_classifier: softmax_get_search_params")


def test_one_param_set(
    cls: LinearClassifier,
    data_dict: Mapping[str, Tensor],
    lr: float,
    reg: float,
    num_iters: int = 2000,
) -> tuple[LinearClassifier, float, float]:
    """Train a classifier with one choice of the settings, and measure how good it is.

    Parameters
    ----------
    cls : LinearClassifier
        A new classifier (an object, not a class).
    data_dict : mapping of str to Tensor
        X_train (N, D), y_train (N,), X_val (M, D) and y_val (M,).
    lr : float
        The learning rate.
    reg : float
        The strength of the regularization.
    num_iters : int
        How many steps to train.

    Returns
    -------
    cls : LinearClassifier
        The same classifier, now trained.
    train_acc, val_acc : float
        The fraction of training and validation examples whose predicted label is right, a plain number from
        0 to 1. Percentages from 0 to 100 are accepted as well; above 1 a number is taken for one.
    """
    raise NotImplementedError("linear_classifier: test_one_param_set")


test_one_param_set.__test__ = False  # pytest: no test, despite its name
