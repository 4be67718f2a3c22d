"""Convolution and max pooling by hand, forward and backward.

Shapes: N images, C channels of H x W pixels, F filters of HH x WW. Every function works on any device and in
any floating-point dtype, and gives results in the dtype of its inputs. No function modifies its arguments.

Of `torch.nn` you may use `torch.nn.functional.pad` and nothing else, nor what PyTorch keeps of it under other
names, such as `torch.conv2d`; nor may you let PyTorch work out gradients (`torch.autograd`). Loops are
allowed, and slow: a loop over the places of a filter costs less than one over the places of an image.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


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
        raise NotImplementedError("convolution_layers: Conv.forward")
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
        raise NotImplementedError("convolution_layers: Conv.backward")


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
        raise NotImplementedError("convolution_layers: MaxPool.forward")
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
        raise NotImplementedError("convolution_layers: MaxPool.backward")
