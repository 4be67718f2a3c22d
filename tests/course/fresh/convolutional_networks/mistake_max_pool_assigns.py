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


class Conv:

    @staticmethod
    def forward(
        x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, conv_param: Mapping[str, int]
    ) -> tuple[torch.Tensor, Any]:
        N, C, H, W = x.shape
        F, _, HH, WW = w.shape
        stride = conv_param["stride"]
        pad = conv_param["pad"]
        H_out = 1 + (H + 2 * pad - HH) // stride
        W_out = 1 + (W + 2 * pad - WW) // stride
        x_pad = torch.nn.functional.pad(x, (pad, pad, pad, pad))
        out = torch.zeros((N, F, H_out, W_out), dtype=x.dtype, device=x.device)
        for n in range(N):
            for f in range(F):
                for i in range(H_out):
                    for j in range(W_out):
                        window = x_pad[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                        out[n, f, i, j] = torch.sum(window * w[f]) + b[f]
        return out, (x, w, b, conv_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        x, w, b, conv_param = cache
        N, C, H, W = x.shape
        F, _, HH, WW = w.shape
        stride = conv_param["stride"]
        pad = conv_param["pad"]
        _, _, H_out, W_out = dout.shape
        x_pad = torch.nn.functional.pad(x, (pad, pad, pad, pad))
        dx_pad = torch.zeros_like(x_pad)
        dw = torch.zeros_like(w)
        db = torch.zeros_like(b)
        for n in range(N):
            for f in range(F):
                db[f] += dout[n, f].sum()
                for i in range(H_out):
                    for j in range(W_out):
                        hs = i * stride
                        ws = j * stride
                        dw[f] += x_pad[n, :, hs : hs + HH, ws : ws + WW] * dout[n, f, i, j]
                        dx_pad[n, :, hs : hs + HH, ws : ws + WW] += w[f] * dout[n, f, i, j]
        dx = dx_pad[:, :, pad : pad + H, pad : pad + W]
        return dx, dw, db


class MaxPool:

    @staticmethod
    def forward(x: torch.Tensor, pool_param: Mapping[str, int]) -> tuple[torch.Tensor, Any]:
        N, C, H, W = x.shape
        ph, pw, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        H_out = 1 + (H - ph) // stride
        W_out = 1 + (W - pw) // stride
        out = torch.zeros((N, C, H_out, W_out), dtype=x.dtype, device=x.device)
        for n in range(N):
            for c in range(C):
                for i in range(H_out):
                    for j in range(W_out):
                        out[n, c, i, j] = x[n, c, i * stride : i * stride + ph, j * stride : j * stride + pw].max()
        return out, (x, pool_param)

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> torch.Tensor:
        x, pool_param = cache
        N, C, H_out, W_out = dout.shape
        ph, pw, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
        dx = torch.zeros_like(x)
        for n in range(N):
            for c in range(C):
                for i in range(H_out):
                    for j in range(W_out):
                        window = x[n, c, i * stride : i * stride + ph, j * stride : j * stride + pw]
                        place = torch.argmax(window).item()
                        a, e = place // pw, place % pw
                        dx[n, c, i * stride + a, j * stride + e] = dout[n, c, i, j]
        return dx


class BatchNorm:

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        mode = bn_param["mode"]
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros_like(x[0]))
        running_var = bn_param.get("running_var", torch.zeros_like(x[0]))
        if mode not in ("train", "test"):
            raise ValueError(f'the mode is {mode!r}; it must be "train" or "test"')

        if mode == "train":
            N = x.shape[0]
            mu = x.sum(dim=0) / N
            xmu = x - mu
            var = (xmu**2).sum(dim=0) / N
            sqrtvar = (var + eps).sqrt()
            ivar = 1 / sqrtvar
            xhat = xmu * ivar
            out = gamma * xhat + beta
            running_mean = momentum * running_mean + (1 - momentum) * mu
            running_var = momentum * running_var + (1 - momentum) * var
            bn_param["running_mean"] = running_mean
            bn_param["running_var"] = running_var
            cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
        else:
            xhat = (x - running_mean) / (running_var + eps).sqrt()
            out = gamma * xhat + beta
            cache = (xhat, gamma, None, None, None, running_var, eps)
        return out, cache

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
        N, D = dout.shape
        # step 9
        dbeta = dout.sum(dim=0)
        # step 8
        dgamma = (dout * xhat).sum(dim=0)
        dxhat = dout * gamma
        # step 7
        divar = (dxhat * xmu).sum(dim=0)
        dxmu1 = dxhat * ivar
        # step 6
        dsqrtvar = -1.0 / (sqrtvar**2) * divar
        # step 5
        dvar = 0.5 * 1.0 / (var + eps).sqrt() * dsqrtvar
        # step 4
        dsq = 1.0 / N * torch.ones_like(dout) * dvar
        # step 3
        dxmu2 = 2 * xmu * dsq
        # step 2
        dx1 = dxmu1 + dxmu2
        dmu = -1 * (dxmu1 + dxmu2).sum(dim=0)
        # step 1
        dx2 = 1.0 / N * torch.ones_like(dout) * dmu
        # step 0
        dx = dx1 + dx2
        return dx, dgamma, dbeta

    @staticmethod
    def backward_alt(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
        N = dout.shape[0]
        dbeta = dout.sum(dim=0)
        dgamma = (dout * xhat).sum(dim=0)
        dx = gamma * ivar / N * (N * dout - dbeta - xhat * dgamma)
        return dx, dgamma, dbeta


class SpatialBatchNorm:

    @staticmethod
    def forward(
        x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, bn_param: dict[str, Any]
    ) -> tuple[torch.Tensor, Any]:
        N, C, H, W = x.shape
        x = x.permute(0, 2, 3, 1).reshape(N * H * W, C)
        out, cache = BatchNorm.forward(x, gamma, beta, bn_param)
        out = out.reshape(N, H, W, C).permute(0, 3, 1, 2)
        return out, cache

    @staticmethod
    def backward(dout: torch.Tensor, cache: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        N, C, H, W = dout.shape
        dout = dout.permute(0, 2, 3, 1).reshape(N * H * W, C)
        dx, dgamma, dbeta = BatchNorm.backward_alt(dout, cache)
        dx = dx.reshape(N, H, W, C).permute(0, 3, 1, 2)
        return dx, dgamma, dbeta


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
    gain = 2.0 if relu else 1.0
    weight = None
    if K is None:
        weight = torch.randn(Din, Dout, device=device, dtype=dtype) * (gain / Din) ** 0.5
    else:
        weight = torch.randn(Dout, Din, K, K, device=device, dtype=dtype) * (gain / (Din * K * K)) ** 0.5
    return weight


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
        loss = loss + self.reg * (torch.sum(W1 * W1) + torch.sum(W2 * W2) + torch.sum(W3 * W3))
        dout2, dW3, db3 = Linear.backward(dscores, cache3)
        dout1, dW2, db2 = Linear_ReLU.backward(dout2, cache2)
        dX, dW1, db1 = Conv_ReLU_Pool.backward(dout1, cache1)
        grads["W1"] = dW1 + 2 * self.reg * W1
        grads["b1"] = db1
        grads["W2"] = dW2 + 2 * self.reg * W2
        grads["b2"] = db2
        grads["W3"] = dW3 + 2 * self.reg * W3
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
            loss = loss + self.reg * torch.sum(self.params["W" + str(i + 1)] ** 2)
        dout, dw, db = Linear.backward(dout, caches[-1])
        grads["W" + L] = dw + 2 * self.reg * self.params["W" + L]
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
            grads["W" + str(i + 1)] = dw + 2 * self.reg * self.params["W" + str(i + 1)]
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
