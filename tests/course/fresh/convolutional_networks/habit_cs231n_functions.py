"""Convolution and max pooling, batch normalization, and convolutional networks, in one file."""

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


def conv_forward_naive(x, w, b, conv_param):
    """A naive implementation of the forward pass for a convolutional layer (cs231n)."""
    out = None
    pad, stride = conv_param["pad"], conv_param["stride"]
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    assert (W + 2 * pad - WW) >= 0 and (H + 2 * pad - HH) >= 0
    x_padded = np_pad(x, pad)
    h_out = 1 + (H + 2 * pad - HH) // stride
    w_out = 1 + (W + 2 * pad - WW) // stride
    out = torch.zeros(N, F, h_out, w_out, dtype=x.dtype, device=x.device)
    for i in range(h_out):
        for j in range(w_out):
            x_masked = x_padded[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            for k in range(F):
                out[:, k, i, j] = torch.sum(x_masked * w[k], dim=(1, 2, 3))
    out = out + b[None, :, None, None]
    cache = (x, w, b, conv_param)
    return out, cache


def conv_backward_naive(dout, cache):
    dx, dw, db = None, None, None
    x, w, b, conv_param = cache
    pad, stride = conv_param["pad"], conv_param["stride"]
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    x_padded = np_pad(x, pad)
    dx_padded = torch.zeros_like(x_padded)
    dw = torch.zeros_like(w)
    db = torch.sum(dout, dim=(0, 2, 3))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            x_masked = x_padded[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            for k in range(F):
                dw[k] += torch.sum(x_masked * dout[:, k, i, j][:, None, None, None], dim=0)
            for n in range(N):
                dx_padded[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW] += torch.sum(w * dout[n, :, i, j][:, None, None, None], dim=0)
    dx = dx_padded[:, :, pad : H + pad, pad : W + pad]
    return dx, dw, db


def np_pad(x, pad):
    # like np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    N, C, H, W = x.shape
    out = torch.zeros(N, C, H + 2 * pad, W + 2 * pad, dtype=x.dtype, device=x.device)
    out[:, :, pad : pad + H, pad : pad + W] = x
    return out


def max_pool_forward_naive(x, pool_param):
    out = None
    N, C, H, W = x.shape
    HH, WW, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    H_out = (H - HH) // stride + 1
    W_out = (W - WW) // stride + 1
    out = torch.zeros(N, C, H_out, W_out, dtype=x.dtype, device=x.device)
    for i in range(H_out):
        for j in range(W_out):
            x_masked = x[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            out[:, :, i, j] = torch.amax(x_masked, dim=(2, 3))
    cache = (x, pool_param)
    return out, cache


def max_pool_backward_naive(dout, cache):
    dx = None
    x, pool_param = cache
    N, C, H, W = x.shape
    HH, WW, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = torch.zeros_like(x)
    for n in range(N):
        for c in range(C):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    ind = torch.argmax(x[n, c, i * stride : i * stride + HH, j * stride : j * stride + WW]).item()
                    ind1, ind2 = divmod(ind, WW)
                    dx[n, c, i * stride + ind1, j * stride + ind2] += dout[n, c, i, j]
    return dx


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)

    N, D = x.shape
    running_mean = bn_param.get("running_mean", torch.zeros(D, dtype=x.dtype, device=x.device))
    running_var = bn_param.get("running_var", torch.zeros(D, dtype=x.dtype, device=x.device))

    out, cache = None, None
    if mode == "train":
        sample_mean = x.mean(axis=0)
        sample_var = x.var(axis=0, unbiased=False)  # torch is not numpy
        running_mean = momentum * running_mean + (1 - momentum) * sample_mean
        running_var = momentum * running_var + (1 - momentum) * sample_var
        std = torch.sqrt(sample_var + eps)
        x_center = x - sample_mean
        x_norm = x_center / std
        out = x_norm * gamma + beta
        cache = (x_norm, x_center, std, gamma)
    elif mode == "test":
        out = gamma * (x - running_mean) / torch.sqrt(running_var + eps) + beta
    else:
        raise ValueError('Invalid forward batchnorm mode "%s"' % mode)

    # Store the updated running means back into bn_param
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def batchnorm_backward(dout, cache):
    x_norm, x_center, std, gamma = cache
    N = dout.shape[0]
    dgamma = (dout * x_norm).sum(axis=0)
    dbeta = dout.sum(axis=0)
    dx_norm = dout * gamma
    dx_center = dx_norm / std
    dstd = -(dx_norm * x_center / (std * std)).sum(axis=0)
    dvar = dstd / (2 * std)
    dx_center = dx_center + 2 * x_center * dvar / N
    dmean = -dx_center.sum(axis=0)
    dx = dx_center + dmean / N
    return dx, dgamma, dbeta


def batchnorm_backward_alt(dout, cache):
    x_norm, x_center, std, gamma = cache
    dgamma = (dout * x_norm).sum(axis=0)
    dbeta = dout.sum(axis=0)
    dx_norm = dout * gamma
    dx = 1 / std * (dx_norm - dx_norm.mean(axis=0) - x_norm * (dx_norm * x_norm).mean(axis=0))
    return dx, dgamma, dbeta


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    N, C, H, W = x.shape
    x_flat = x.permute(0, 2, 3, 1).reshape(-1, C)
    out_flat, cache = batchnorm_forward(x_flat, gamma, beta, bn_param)
    return out_flat.reshape(N, H, W, C).permute(0, 3, 1, 2), cache


def spatial_batchnorm_backward(dout, cache):
    N, C, H, W = dout.shape
    dout_flat = dout.permute(0, 2, 3, 1).reshape(-1, C)
    dx_flat, dgamma, dbeta = batchnorm_backward_alt(dout_flat, cache)
    return dx_flat.reshape(N, H, W, C).permute(0, 3, 1, 2), dgamma, dbeta


class Conv(object):
    @staticmethod
    def forward(x, w, b, conv_param):
        return conv_forward_naive(x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        return conv_backward_naive(dout, cache)


class MaxPool(object):
    forward = staticmethod(max_pool_forward_naive)
    backward = staticmethod(max_pool_backward_naive)


class BatchNorm(object):
    forward = staticmethod(batchnorm_forward)
    backward = staticmethod(batchnorm_backward)
    backward_alt = staticmethod(batchnorm_backward_alt)


class SpatialBatchNorm(object):
    forward = staticmethod(spatial_batchnorm_forward)
    backward = staticmethod(spatial_batchnorm_backward)


class Linear_BatchNorm_ReLU(Composite):

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
        return cls.through(x, (w, b), (gamma, beta, bn_param), ())


class Conv_BatchNorm_ReLU(Composite):

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
        return cls.through(x, (w, b, conv_param), (gamma, beta, bn_param), ())


class Conv_BatchNorm_ReLU_Pool(Composite):

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
        return cls.through(x, (w, b, conv_param), (gamma, beta, bn_param), (), (pool_param,))


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

POOL = {"pool_height": 2, "pool_width": 2, "stride": 2}


def kaiming_initializer(
    Din: int,
    Dout: int,
    K: int | None = None,
    relu: bool = True,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)


    def random_weight(shape):
        # from PyTorch.ipynb
        if len(shape) == 2:  # FC weight
            fan_in = shape[0]
        else:
            fan_in = 1
            for n in shape[1:]:  # conv weight [out_channel, in_channel, kH, kW]
                fan_in *= n
        w = torch.randn(shape, device=device, dtype=dtype) * (2.0 / fan_in) ** 0.5
        return w


    w = random_weight(shape)
    if not relu:
        w = w / 2**0.5
    return w


class ThreeLayerConvNet:

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
        self.params: dict[str, torch.Tensor] = {}
        self.reg = reg
        self.dtype = dtype
        C, H, W = input_dims
        self.params["W1"] = weight_scale * torch.randn(num_filters, C, filter_size, filter_size, dtype=dtype, device=device)
        self.params["b1"] = torch.zeros(num_filters, dtype=dtype, device=device)
        self.params["W2"] = weight_scale * torch.randn(num_filters * (H // 2) * (W // 2), hidden_dim, dtype=dtype, device=device)
        self.params["b2"] = torch.zeros(hidden_dim, dtype=dtype, device=device)
        self.params["W3"] = weight_scale * torch.randn(hidden_dim, num_classes, dtype=dtype, device=device)
        self.params["b3"] = torch.zeros(num_classes, dtype=dtype, device=device)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        conv_param = {"stride": 1, "pad": (self.params["W1"].shape[2] - 1) // 2}
        W1, b1 = self.params["W1"], self.params["b1"]
        W2, b2 = self.params["W2"], self.params["b2"]
        W3, b3 = self.params["W3"], self.params["b3"]
        out1, cache1 = Conv_ReLU_Pool.forward(X, W1, b1, conv_param, POOL)
        out2, cache2 = Linear_ReLU.forward(out1, W2, b2)
        scores, cache3 = Linear.forward(out2, W3, b3)
        if y is None:
            return scores
        loss, grads = 0.0, {}
        loss, dscores = softmax_loss(scores, y)
        # L2 regularization includes a factor of 0.5 to simplify the expression for the gradient
        loss = loss + 0.5 * self.reg * (torch.sum(W1 * W1) + torch.sum(W2 * W2) + torch.sum(W3 * W3))
        dout2, dW3, db3 = Linear.backward(dscores, cache3)
        dout1, dW2, db2 = Linear_ReLU.backward(dout2, cache2)
        dX, dW1, db1 = Conv_ReLU_Pool.backward(dout1, cache1)
        grads["W1"] = dW1 + self.reg * W1
        grads["b1"] = db1
        grads["W2"] = dW2 + self.reg * W2
        grads["b2"] = db2
        grads["W3"] = dW3 + self.reg * W3
        grads["b3"] = db3
        return loss, grads


class DeepConvNet:

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
        self.params: dict[str, torch.Tensor] = {}
        self.num_layers = len(num_filters) + 1
        self.max_pools = max_pools
        self.batchnorm = batchnorm
        self.reg = reg
        self.dtype = dtype
        self.bn_params: list[dict[str, Any]] = [{"mode": "train"} for _ in num_filters if batchnorm]
        C, H, W = input_dims
        pred_filters = C
        for i in range(self.num_layers - 1):
            if weight_scale == "kaiming":
                self.params["W" + str(i + 1)] = kaiming_initializer(pred_filters, num_filters[i], K=3, relu=True, device=device, dtype=dtype)
            else:
                self.params["W" + str(i + 1)] = weight_scale * torch.randn(num_filters[i], pred_filters, 3, 3, dtype=dtype, device=device)
            self.params["b" + str(i + 1)] = torch.zeros(num_filters[i], dtype=dtype, device=device)
            if batchnorm:
                self.params["gamma" + str(i + 1)] = torch.ones(num_filters[i], dtype=dtype, device=device)
                self.params["beta" + str(i + 1)] = torch.zeros(num_filters[i], dtype=dtype, device=device)
            if i in max_pools:
                H = H // 2
                W = W // 2
            pred_filters = num_filters[i]
        L = str(self.num_layers)
        if weight_scale == "kaiming":
            self.params["W" + L] = kaiming_initializer(pred_filters * H * W, num_classes, relu=False, device=device, dtype=dtype)
        else:
            self.params["W" + L] = weight_scale * torch.randn(pred_filters * H * W, num_classes, dtype=dtype, device=device)
        self.params["b" + L] = torch.zeros(num_classes, dtype=dtype, device=device)

    def loss(self, X: torch.Tensor, y: torch.Tensor | None = None) -> Any:
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param["mode"] = "test" if y is None else "train"
        conv_param = {"stride": 1, "pad": 1}
        out = X
        caches = []
        for i in range(self.num_layers - 1):
            W, b = self.params["W" + str(i + 1)], self.params["b" + str(i + 1)]
            if self.batchnorm:
                gamma, beta = self.params["gamma" + str(i + 1)], self.params["beta" + str(i + 1)]
                if i in self.max_pools:
                    out, cache = Conv_BatchNorm_ReLU_Pool.forward(out, W, b, gamma, beta, conv_param, self.bn_params[i], POOL)
                else:
                    out, cache = Conv_BatchNorm_ReLU.forward(out, W, b, gamma, beta, conv_param, self.bn_params[i])
            else:
                if i in self.max_pools:
                    out, cache = Conv_ReLU_Pool.forward(out, W, b, conv_param, POOL)
                else:
                    out, cache = Conv_ReLU.forward(out, W, b, conv_param)
            caches.append(cache)
        L = str(self.num_layers)
        scores, cache = Linear.forward(out, self.params["W" + L], self.params["b" + L])
        caches.append(cache)
        if y is None:
            return scores
        loss, grads = 0, {}
        loss, dout = softmax_loss(scores, y)
        for i in range(self.num_layers):
            loss = loss + 0.5 * self.reg * torch.sum(self.params["W" + str(i + 1)] ** 2)
        dout, dw, db = Linear.backward(dout, caches[-1])
        grads["W" + L] = dw + self.reg * self.params["W" + L]
        grads["b" + L] = db
        for i in range(self.num_layers - 2, -1, -1):
            if self.batchnorm:
                if i in self.max_pools:
                    dout, dw, db, dgamma, dbeta = Conv_BatchNorm_ReLU_Pool.backward(dout, caches[i])
                else:
                    dout, dw, db, dgamma, dbeta = Conv_BatchNorm_ReLU.backward(dout, caches[i])
                grads["gamma" + str(i + 1)] = dgamma
                grads["beta" + str(i + 1)] = dbeta
            else:
                if i in self.max_pools:
                    dout, dw, db = Conv_ReLU_Pool.backward(dout, caches[i])
                else:
                    dout, dw, db = Conv_ReLU.backward(dout, caches[i])
            grads["W" + str(i + 1)] = dw + self.reg * self.params["W" + str(i + 1)]
            grads["b" + str(i + 1)] = db
        return loss, grads


def find_overfit_parameters() -> tuple[float, float]:
    weight_scale = 1e-1
    learning_rate = 3e-3
    return weight_scale, learning_rate


def create_convolutional_solver_instance(
    data_dict: Mapping[str, torch.Tensor], dtype: torch.dtype, device: str | torch.device
) -> Solver:
    model = DeepConvNet(
        input_dims=(3, 32, 32),
        num_filters=[16, 32, 64, 128],
        max_pools=[0, 1, 2, 3],
        batchnorm=True,
        num_classes=10,
        weight_scale="kaiming",
        reg=1e-5,
        dtype=dtype,
        device=device,
    )
    solver = Solver(
        model,
        data_dict,
        update_rule=adam,
        optim_config={"learning_rate": 3e-3},
        lr_decay=0.9,
        batch_size=50,
        num_epochs=6,
        device=device,
    )
    return solver
