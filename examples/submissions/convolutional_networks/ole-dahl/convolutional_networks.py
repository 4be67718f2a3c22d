"""Convolutional networks: layers that you write by hand, forward and backward, and networks of layers.

Shapes: N images, C channels of H x W pixels, F filters of HH x WW; N examples of D features where there are
no images. Every function works on any device and in any floating-point dtype, and gives results in the dtype
of its inputs.

What you may use:

- In `Conv` and `MaxPool`: of `torch.nn` only `torch.nn.functional.pad`, and nothing that PyTorch keeps of it
  under other names, such as `torch.conv2d`. Loops are allowed, and slow: a loop over the places of a filter
  costs less than one over the places of an image. No function modifies its arguments.
- In `BatchNorm` and `SpatialBatchNorm`: nothing of `torch.nn`, and nothing that PyTorch keeps of it under
  other names, such as `torch.batch_norm`. Use no loop, not even over names; comprehensions and `map` count as
  loops. (Ioffe and Szegedy, "Batch Normalization", 2015.)
- In the networks: the given layers, which are those of `helpers.training.layers` and those at the end of this
  file, such as `Conv_BatchNorm_ReLU`, or your own. Neither `torch.nn` nor `torch.optim`.

Nowhere may PyTorch work out gradients (`torch.autograd`). Nowhere may you ask for a GPU (`.cuda()`,
`device="cuda"`), for grading has none: new tensors belong where the old ones are, or where `device` says.

A network has `params`, a dict of tensors, and ``loss(X, y)``, so that `helpers.training.solver.Solver` can
train it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from helpers.training.layers import (
    Composite,
    Conv_ReLU,
    Conv_ReLU_Pool,
    FastConv,
    FastMaxPool,
    Linear,
    Linear_ReLU,
    ReLU,
    adam,
    sgd_momentum,
)
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

__all__ = [
    "BatchNorm",
    "Conv",
    "Conv_BatchNorm_ReLU",
    "Conv_BatchNorm_ReLU_Pool",
    "Conv_ReLU",
    "Conv_ReLU_Pool",
    "DeepConvNet",
    "FastConv",
    "FastMaxPool",
    "Linear",
    "Linear_BatchNorm_ReLU",
    "Linear_ReLU",
    "MaxPool",
    "ReLU",
    "Solver",
    "SpatialBatchNorm",
    "ThreeLayerConvNet",
    "adam",
    "create_convolutional_solver_instance",
    "find_overfit_parameters",
    "kaiming_initializer",
    "sgd_momentum",
    "softmax_loss",
]


REGULARIZATION = 1.0
"""The regularizer of a network is REGULARIZATION * reg * (the sum of the squares of all weights)."""


class Conv:
    """Convolution, as networks compute it: the filters slide over the image as they are, unflipped."""

    @staticmethod
    def forward(
        x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, conv_param: Mapping[str, int]
    ) -> tuple[torch.Tensor, Any]:
        """Convolve images with filters.

        The image is padded by `pad` zeros on all four sides. Then each filter is laid on the padded image at
        all places that are multiples of `stride` apart, from the upper left corner on, as long as it lies
        within; the products under it, over all channels, are added up, and the filter's bias is added.
        A remainder on the right or below is left out: there are 1 + (H + 2 * pad - HH) // stride places
        along the height, and likewise along the width.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)
            Images.
        w : Tensor of shape (F, C, HH, WW)
            Filters.
        b : Tensor of shape (F,)
            Biases.
        conv_param : mapping of str to int
            ``stride`` and ``pad``.

        Returns
        -------
        out : Tensor of shape (N, F, H', W')
            Entry [n, f, i, j] is what filter f gives at place (i, j) of image n.
        cache : tuple
            For `backward`: ``(x, w, b, conv_param)``.
        """
        raise NotImplementedError("convolutional_networks: Conv.forward")
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Work out the gradients of a loss.

        Parameters
        ----------
        dout : Tensor of shape (N, F, H', W')
            Gradient of the loss with respect to the result of `forward`.
        cache : tuple
            ``(x, w, b, conv_param)``, as `forward` returns it.

        Returns
        -------
        dx : Tensor of shape (N, C, H, W)
        dw : Tensor of shape (F, C, HH, WW)
        db : Tensor of shape (F,)
            Its gradients with respect to x, w and b.
        """
        raise NotImplementedError("convolutional_networks: Conv.backward")


class MaxPool:
    """Max pooling: the largest value of each window, in each channel by itself."""

    @staticmethod
    def forward(x: torch.Tensor, pool_param: Mapping[str, int]) -> tuple[torch.Tensor, Any]:
        """Pool images. Windows may overlap; nothing is padded, and a remainder is left out.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)
            Images.
        pool_param : mapping of str to int
            ``pool_height``, ``pool_width`` and ``stride``.

        Returns
        -------
        out : Tensor of shape (N, C, H', W')
            Entry [n, c, i, j] is the largest value of window (i, j); there are
            1 + (H - pool_height) // stride windows along the height, and likewise along the width.
        cache : tuple
            For `backward`: ``(x, pool_param)``.
        """
        raise NotImplementedError("convolutional_networks: MaxPool.forward")
        return out, (x, pool_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> torch.Tensor:
        """Work out the gradient of a loss.

        The gradient of a window goes to its largest value. Where several are largest, you may give all of it
        to any one of them or share it among them, as long as it adds up to what came. A pixel that is
        the largest of several windows gets the sum of theirs.

        Parameters
        ----------
        dout : Tensor of shape (N, C, H', W')
            Gradient of the loss with respect to the result of `forward`.
        cache : tuple
            ``(x, pool_param)``, as `forward` returns it.

        Returns
        -------
        dx : Tensor of shape (N, C, H, W)
            Its gradient with respect to x.
        """
        raise NotImplementedError("convolutional_networks: MaxPool.backward")


POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}
"""The max pooling of both networks."""


class ThreeLayerConvNet:
    """Convolution, ReLU, 2 x 2 max pooling, linear, ReLU, linear, softmax."""

    def __init__(
        self,
        input_dims: tuple[int, int, int] = (3, 32, 32),
        num_filters: int = 32,
        filter_size: int = 7,
        hidden_dim: int = 100,
        num_classes: int = 10,
        weight_scale: float = 1e-3,
        reg: float = 0.0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        """Make `params`: W1 and b1 of the convolution, W2 and b2, W3 and b3 of the linear layers.

        Weights are normal numbers with standard deviation `weight_scale`, biases are zero. The convolution
        has stride 1 and keeps height and width: filters of odd size are padded by half of it.

        Parameters
        ----------
        input_dims : tuple of int
            (C, H, W) of an image; H and W are even.
        num_filters, filter_size : int
            How many filters there are, and their height and width.
        hidden_dim, num_classes : int
            Units of the hidden layer, and classes.
        weight_scale : float
            Standard deviation of the weights.
        reg : float
            Strength of the regularization.
        dtype, device : torch.dtype, str or torch.device
            Of all parameters.
        """
        self.params: dict[str, torch.Tensor] = {}
        self.reg = reg
        self.dtype = dtype
        raise NotImplementedError("convolutional_networks: ThreeLayerConvNet.__init__")

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        """Compute the scores, or with labels the loss and its gradients.

        The loss is that of `softmax_loss` plus `REGULARIZATION` times reg times the sum of the squares of W1,
        W2 and W3, without the biases.

        Parameters
        ----------
        X : Tensor of shape (N, C, H, W)
            Images; they are converted to the dtype of the network.
        y : Tensor of shape (N,), int64, optional
            Their labels.

        Returns
        -------
        scores : Tensor of shape (N, num_classes)
            If `y` is None; nothing else is returned then.
        loss : Tensor of shape (), or float
            The loss, if there are labels.
        grads : dict of str to Tensor
            Its gradient with respect to each parameter, by its name.
        """
        X = X.to(self.dtype)
        conv_param = {"stride": 1, "pad": (self.params["W1"].shape[2] - 1) // 2}
        raise NotImplementedError("convolutional_networks: ThreeLayerConvNet.loss")


class DeepConvNet:
    """As many convolutions as you like, 3 x 3, and a linear layer.

    Each convolution (stride 1, pad 1) is followed by batch normalization, if the network has it, by a ReLU,
    and, where `max_pools` says so, by 2 x 2 max pooling. Then comes the linear layer, and the softmax.
    """

    def __init__(
        self,
        input_dims: tuple[int, int, int] = (3, 32, 32),
        num_filters: Sequence[int] = (8, 8, 8, 8, 8),
        max_pools: Sequence[int] = (0, 1, 2, 3, 4),
        batchnorm: bool = False,
        num_classes: int = 10,
        weight_scale: float | str = 1e-3,
        reg: float = 0.0,
        weight_initializer: Any = None,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> None:
        """Make `params`: W1 and b1 of the first convolution, and so on; the linear layer has the last number.

        With batch normalization, gamma1 and beta1 belong to the first convolution, and so on. Weights are
        normal numbers with standard deviation `weight_scale`, or by `kaiming_initializer` if that is
        "kaiming", with either gain for the linear layer; biases and beta are zeros, and gamma ones. If you
        count layers from 0, do so in the names of all parameters.

        Parameters
        ----------
        input_dims : tuple of int
            (C, H, W) of an image. Each max pooling halves H and W, rounded down: 10 pixels become 5, and 5
            become 2.
        num_filters : sequence of int
            Filters of each convolution.
        max_pools : sequence of int
            After which convolutions there is max pooling, counted from 0.
        batchnorm : bool
            Whether there is batch normalization.
        num_classes : int
            How many classes there are.
        weight_scale : float or "kaiming"
            Standard deviation of the weights.
        reg : float
            Strength of the regularization.
        weight_initializer : optional
            Not used; it is here for programs that pass it.
        dtype, device : torch.dtype, str or torch.device
            Of all parameters.
        """
        self.params: dict[str, torch.Tensor] = {}
        self.num_layers = len(num_filters) + 1
        self.max_pools = max_pools
        self.batchnorm = batchnorm
        self.reg = reg
        self.dtype = dtype
        self.bn_params: list[dict[str, Any]] = [{"mode": "train"} for _ in num_filters if batchnorm]
        raise NotImplementedError("convolutional_networks: DeepConvNet.__init__")

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        """Compute the scores, or with labels the loss and its gradients.

        The loss is that of `softmax_loss` plus `REGULARIZATION` times reg times the sum of the squares of all
        weights W1, W2, ..., without biases, gamma and beta.

        Parameters
        ----------
        X : Tensor of shape (N, C, H, W)
            Images; they are converted to the dtype of the network.
        y : Tensor of shape (N,), int64, optional
            Their labels. Without them, batch normalization uses its running statistics (mode "test").

        Returns
        -------
        scores : Tensor of shape (N, num_classes)
            If `y` is None; nothing else is returned then.
        loss : Tensor of shape (), or float
            The loss, if there are labels.
        grads : dict of str to Tensor
            Its gradient with respect to each parameter, by its name.
        """
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        conv_param = {"stride": 1, "pad": 1}
        raise NotImplementedError("convolutional_networks: DeepConvNet.loss")


def find_overfit_parameters() -> tuple[float, float]:
    """Name settings with which a deep network learns 50 images by heart.

    The network is ``DeepConvNet(num_filters=[8, 16, 32, 64], max_pools=[0, 1, 2, 3], reg=1e-5)`` with your
    `weight_scale`, and it is trained by `adam` with your learning rate, for 30 epochs on batches of 10. Its
    images are pictures of things on a table as `helpers.data.tabletop` gives them, with pixels from 0 to 1.
    Grading trains up to 12 such networks, each on images of its own, until one knows 90 percent of them.

    Returns
    -------
    weight_scale : float
        Standard deviation of the weights.
    learning_rate : float
        Learning rate.
    """
    raise NotImplementedError("convolutional_networks: find_overfit_parameters")


def kaiming_initializer(
    Din: int,
    Dout: int,
    K: int | None = None,
    relu: bool = True,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Draw the weights of a layer so that signals keep their size from layer to layer.

    They are normal numbers with mean 0 and variance gain / fan_in, where the gain is 2 in front of a ReLU,
    which halves the mean square, and 1 otherwise; fan_in is how many numbers go into one output. (He, Zhang,
    Ren and Sun, "Delving Deep into Rectifiers", 2015.)

    Parameters
    ----------
    Din, Dout : int
        Features, or channels, that go in and come out.
    K : int, optional
        Height and width of the filters; None for a fully connected layer.
    relu : bool
        Whether a ReLU follows.
    device : str or torch.device
        Where the weights are to be.
    dtype : torch.dtype
        Of the weights.

    Returns
    -------
    Tensor of shape (Din, Dout), or (Dout, Din, K, K) if K is given
        The weights.
    """
    raise NotImplementedError("convolutional_networks: kaiming_initializer")


class BatchNorm:
    """Batch normalization of vectors: each feature gets mean 0 and variance 1 over the batch."""

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        """Normalize each feature, then scale it by `gamma` and shift it by `beta`.

        In mode "train", mean and variance are those of the batch, and running statistics are kept,

            running_mean = momentum * running_mean + (1 - momentum) * mean
            running_var = momentum * running_var + (1 - momentum) * variance

        where the variance is the mean square distance from the mean: divided by N, not by N - 1. The result
        is gamma * (x - mean) / sqrt(variance + eps) + beta. In mode "test", the running statistics take the
        place of those of the batch, and stay as they are.

        The running statistics live in `bn_param`: put new tensors there, rather than change those that are in
        it, which somebody else may hold as well.

        Parameters
        ----------
        x : Tensor of shape (N, D)
            Examples.
        gamma, beta : Tensor of shape (D,)
            Scale and shift of each feature.
        bn_param : dict
            ``mode``, "train" or "test"; ``eps``, 1e-5 if it is not there; ``momentum``, 0.9 if it is not
            there; ``running_mean`` and ``running_var`` of shape (D,), zeros if they are not there.

        Returns
        -------
        out : Tensor of shape (N, D)
            The result.
        cache : object
            Whatever your `backward` and `backward_alt` need.

        Raises
        ------
        ValueError
            If the mode is neither "train" nor "test".
        """
        mode = bn_param["mode"]
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros_like(x[0]))
        running_var = bn_param.get("running_var", torch.zeros_like(x[0]))
        if mode not in ("train", "test"):
            raise ValueError(f'the mode is {mode!r}; it must be "train" or "test"')

        raise NotImplementedError("convolutional_networks: BatchNorm.forward")

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Work out the gradients of a loss, step by step, through the graph of the computation.

        x has an influence along three ways: itself, through the mean, and through the variance.

        Parameters
        ----------
        dout : Tensor of shape (N, D)
            Gradient of the loss with respect to the result of `forward` in mode "train".
        cache : object
            What `forward` returned.

        Returns
        -------
        dx : Tensor of shape (N, D)
        dgamma, dbeta : Tensor of shape (D,)
            Its gradients with respect to x, gamma and beta.
        """
        raise NotImplementedError("convolutional_networks: BatchNorm.backward")

    @staticmethod
    def backward_alt(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Work out the same gradients by one formula, simplified on paper.

        Let z be the normalized x. The gradient with respect to x then needs no more than dout, z, gamma, the
        standard deviation, and the means over the batch of two things.

        Parameters
        ----------
        dout : Tensor of shape (N, D)
            Gradient of the loss with respect to the result of `forward` in mode "train".
        cache : object
            What `forward` returned.

        Returns
        -------
        dx : Tensor of shape (N, D)
        dgamma, dbeta : Tensor of shape (D,)
            Its gradients with respect to x, gamma and beta.
        """
        raise NotImplementedError("convolutional_networks: BatchNorm.backward_alt")


class SpatialBatchNorm:
    """Batch normalization of images: each channel over all pixels of all images of the batch."""

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        """Normalize each channel, then scale and shift it. If you build on `BatchNorm`, two lines will do.

        Parameters
        ----------
        x : Tensor of shape (N, C, H, W)
            Images.
        gamma, beta : Tensor of shape (C,)
            Scale and shift of each channel.
        bn_param : dict
            As for `BatchNorm`; the running statistics are of shape (C,).

        Returns
        -------
        out : Tensor of shape (N, C, H, W)
            The result.
        cache : object
            Whatever your `backward` needs.
        """
        raise NotImplementedError("convolutional_networks: SpatialBatchNorm.forward")

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Work out the gradients of a loss.

        Parameters
        ----------
        dout : Tensor of shape (N, C, H, W)
            Gradient of the loss with respect to the result of `forward` in mode "train".
        cache : object
            What `forward` returned.

        Returns
        -------
        dx : Tensor of shape (N, C, H, W)
        dgamma, dbeta : Tensor of shape (C,)
            Its gradients with respect to x, gamma and beta.
        """
        raise NotImplementedError("convolutional_networks: SpatialBatchNorm.backward")


def create_convolutional_solver_instance(
    data_dict: Mapping[str, torch.Tensor], dtype: torch.dtype, device: str | torch.device
) -> Solver:
    """Make a `DeepConvNet` and a `Solver` that is ready to train it, with settings of your choice.

    It is not trained here. Its settings are graded: a network of the same form is trained by your update rule
    on 2,000 pictures, in batches of your size, until it has seen 12,000 (those of six epochs), and then has
    to recognize 42 percent of new pictures; guessing gives 10. One of three such networks has to. So choose
    settings that learn fast. `lr_decay` counts as after each epoch. The convolutions may need 6 million
    multiplications per picture: filters * channels * 9 * height * width of what goes in, summed over at most
    12 convolutions. Use `DeepConvNet` and `Solver` by these names.

    Parameters
    ----------
    data_dict : mapping of str to Tensor
        ``X_train`` (N, 3, 32, 32), ``y_train`` (N,), ``X_val`` and ``y_val``; ten classes.
    dtype : torch.dtype
        Of the network.
    device : str or torch.device
        Of the network.

    Returns
    -------
    Solver
        The solver; its `model` is the network.
    """
    raise NotImplementedError("convolutional_networks: create_convolutional_solver_instance")


class Linear_BatchNorm_ReLU(Composite):
    """Linear layer, batch normalization and ReLU; `backward` returns dx, dw, db, dgamma and dbeta."""

    layers = Linear, BatchNorm, ReLU

    @classmethod
    def forward(
        cls,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the three layers."""
        return cls.through(x, (w, b), (gamma, beta, bn_param), ())


class Conv_BatchNorm_ReLU(Composite):
    """Convolution, batch normalization and ReLU; `backward` returns dx, dw, db, dgamma and dbeta."""

    layers = FastConv, SpatialBatchNorm, ReLU

    @classmethod
    def forward(
        cls,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the three layers."""
        return cls.through(x, (w, b, conv_param), (gamma, beta, bn_param), ())


class Conv_BatchNorm_ReLU_Pool(Composite):
    """The same and max pooling; `backward` returns the same."""

    layers = FastConv, SpatialBatchNorm, ReLU, FastMaxPool

    @classmethod
    def forward(
        cls,
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
        pool_param: dict[str, int],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the four layers."""
        return cls.through(x, (w, b, conv_param), (gamma, beta, bn_param), (), (pool_param,))
