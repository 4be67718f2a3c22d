"""Convolutional networks, from layers that you write and layers that are given.

The layers are written in three other files, and all can be had from this one: `Conv` and `MaxPool` from
`convolution_layers.py`, `BatchNorm` and `SpatialBatchNorm` from `batch_normalization.py`, and relatives of
convolution from `more_convolutions.py`. Networks are made of the fast layers of `helpers.training.layers`
and of those at the end of `batch_normalization.py`.

A network has `params`, a dict of tensors, and ``loss(X, y)``, so that `helpers.training.solver.Solver` can
train it. You may use neither `torch.nn` nor `torch.optim`, nor let PyTorch work out gradients
(`torch.autograd`), nor move tensors (`.cuda()`): new tensors belong where `device` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from batch_normalization import (
    BatchNorm,
    Conv_BatchNorm_ReLU,
    Conv_BatchNorm_ReLU_Pool,
    Linear_BatchNorm_ReLU,
    SpatialBatchNorm,
)
from convolution_layers import Conv, MaxPool
from more_convolutions import (
    average_pool,
    conv1d,
    conv3d,
    dilated_conv,
    grouped_conv,
    im2col,
    transposed_conv,
)

from helpers.training.layers import (
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
    "average_pool",
    "conv1d",
    "conv3d",
    "create_convolutional_solver_instance",
    "dilated_conv",
    "find_overfit_parameters",
    "grouped_conv",
    "im2col",
    "kaiming_initializer",
    "sgd_momentum",
    "softmax_loss",
    "transposed_conv",
]

POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}
"""The max pooling of both networks."""


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

        The loss is that of `softmax_loss` plus reg times the sum of the squares of W1, W2 and W3: without
        a factor of one half, and without the biases.

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
        "kaiming"; biases and beta are zeros, and gamma ones. (Whoever counts layers from 0 may do so.)

        Parameters
        ----------
        input_dims : tuple of int
            (C, H, W) of an image.
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

        The loss is that of `softmax_loss` plus reg times the sum of the squares of all weights W1, W2, ...:
        without a factor of one half, and without biases, gamma and beta.

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
    `weight_scale`, and it is trained by `adam` with your learning rate, for 30 epochs on batches of 10.
    Grading trains up to 12 such networks, each on images of its own, until one knows 90 percent of them.

    Returns
    -------
    weight_scale : float
        Standard deviation of the weights.
    learning_rate : float
        Learning rate.
    """
    raise NotImplementedError("convolutional_networks: find_overfit_parameters")


def create_convolutional_solver_instance(
    data_dict: Mapping[str, torch.Tensor], dtype: torch.dtype, device: str | torch.device
) -> Solver:
    """Make a `DeepConvNet` and a `Solver` that is ready to train it, with settings of your choice.

    It is not trained here. Its settings are graded: a network of the same form is trained by your update rule
    on 2,000 pictures, in batches of your size, until it has seen 12,000 (those of six epochs), and then has
    to recognize 43 percent of new pictures; guessing gives 10. One of three such networks has to. So choose
    settings that learn fast. In the convolutions a picture may cost 6 million multiplications, and there may
    be 12 of them. Use `DeepConvNet` and `Solver` by these names.

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
