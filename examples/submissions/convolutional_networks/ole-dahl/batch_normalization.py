"""Batch normalization by hand, of vectors and of images, forward and backward.

Layers that are put together of it and others, such as `Conv_BatchNorm_ReLU`, are given at the end.

Ioffe and Szegedy, "Batch Normalization", 2015. Shapes: N examples, D features; images have C channels of
H x W pixels. Every function works on any device and in any floating-point dtype.

You may use neither `torch.nn`, nor what PyTorch keeps of it under other names, such as `torch.batch_norm`,
nor let PyTorch work out gradients (`torch.autograd`). Use no loop, not even over names; comprehensions and
`map` count as loops.
"""

from __future__ import annotations

from typing import Any

import torch

from helpers.training.layers import Composite, FastConv, FastMaxPool, Linear, ReLU


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

        raise NotImplementedError("batch_normalization: BatchNorm.forward")

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
        raise NotImplementedError("batch_normalization: BatchNorm.backward")

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
        raise NotImplementedError("batch_normalization: BatchNorm.backward_alt")


class SpatialBatchNorm:
    """Batch normalization of images: each channel over all pixels of all images of the batch."""

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        """Normalize each channel, then scale and shift it. Build on `BatchNorm`: two lines will do.

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
        raise NotImplementedError("batch_normalization: SpatialBatchNorm.forward")

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
        raise NotImplementedError("batch_normalization: SpatialBatchNorm.backward")


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
