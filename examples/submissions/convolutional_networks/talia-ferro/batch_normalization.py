from typing import Any

import torch

from helpers.training.layers import FastConv, FastMaxPool, Linear, ReLU


class BatchNorm:
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        mode = bn_param["mode"]
        eps, momentum = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
        running_mean = bn_param.get("running_mean", torch.zeros_like(x[0]))
        running_var = bn_param.get("running_var", torch.zeros_like(x[0]))
        if mode not in ("train", "test"):
            raise ValueError(f'the mode is {mode!r}; it must be "train" or "test"')

        if mode == "test":
            scale = gamma / torch.sqrt(running_var + eps)
            return x * scale + (beta - running_mean * scale), ()
        N = x.shape[0]
        mean = torch.ones(1, N, dtype=x.dtype, device=x.device) @ x / N
        var = torch.var(x, dim=0, unbiased=False)
        bn_param["running_mean"] = running_mean * momentum + mean[0] * (1 - momentum)
        bn_param["running_var"] = running_var * momentum + var * (1 - momentum)
        std = torch.sqrt(var + eps)
        out = gamma * (x - mean) / std + beta
        return out, {"x": x, "mean": mean, "std": std, "gamma": gamma}

    @staticmethod
    def backward(dout, cache):
        x, mean, std, gamma = cache["x"], cache["mean"], cache["std"], cache["gamma"]
        N = x.shape[0]
        z = (x - mean) / std
        dz = dout * gamma
        dvar = torch.sum(dz * (x - mean), dim=0) * (-1 / 2) / std**3
        dmean = torch.sum(-dz / std, dim=0) + dvar * torch.mean(-2 * (x - mean), dim=0)
        dx = dz / std + dvar * 2 * (x - mean) / N + dmean / N
        return dx, torch.sum(dout * z, dim=0), torch.sum(dout, dim=0)

    @staticmethod
    def backward_alt(dout, cache):
        # the Jacobian of a feature is (1 - 1/N - z z^T / N) / std: a projection
        z = (cache["x"] - cache["mean"]) / cache["std"]
        N = z.shape[0]
        dgamma, dbeta = (z * dout).sum(0), dout.sum(0)
        dx = torch.addcmul(dout - dbeta / N, z, dgamma, value=-1 / N)
        dx *= cache["gamma"] / cache["std"]
        return dx, dgamma, dbeta


class SpatialBatchNorm:
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        N, C, H, W = x.shape
        out, cache = BatchNorm.forward(x.transpose(0, 1).reshape(C, N * H * W).T, gamma, beta, bn_param)
        return out.T.reshape(C, N, H, W).transpose(0, 1), cache

    @staticmethod
    def backward(dout, cache):
        N, C, H, W = dout.shape
        dx, dgamma, dbeta = BatchNorm.backward_alt(dout.transpose(0, 1).reshape(C, N * H * W).T, cache)
        return dx.T.reshape(C, N, H, W).transpose(0, 1), dgamma, dbeta


class Linear_BatchNorm_ReLU:
    """Fully connected layer, batch normalization and ReLU."""

    @staticmethod
    def forward(
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the three layers."""
        out, linear = Linear.forward(x, w, b)
        out, norm = BatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return out, (linear, norm, relu)

    @staticmethod
    def backward(
        dout: torch.Tensor, cache: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        linear, norm, relu = cache
        dsums, dgamma, dbeta = BatchNorm.backward(ReLU.backward(dout, relu), norm)
        return *Linear.backward(dsums, linear), dgamma, dbeta


class Conv_BatchNorm_ReLU:
    """Convolution, batch normalization and ReLU."""

    @staticmethod
    def forward(
        x: torch.Tensor,
        w: torch.Tensor,
        b: torch.Tensor,
        gamma: torch.Tensor,
        beta: torch.Tensor,
        conv_param: dict[str, int],
        bn_param: dict[str, Any],
    ) -> tuple[torch.Tensor, Any]:
        """Go forward through the three layers."""
        out, conv = FastConv.forward(x, w, b, conv_param)
        out, norm = SpatialBatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return out, (conv, norm, relu)

    @staticmethod
    def backward(
        dout: torch.Tensor, cache: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        conv, norm, relu = cache
        dsums, dgamma, dbeta = SpatialBatchNorm.backward(ReLU.backward(dout, relu), norm)
        return *FastConv.backward(dsums, conv), dgamma, dbeta


class Conv_BatchNorm_ReLU_Pool:
    """Convolution, batch normalization, ReLU and max pooling."""

    @staticmethod
    def forward(
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
        out, first = Conv_BatchNorm_ReLU.forward(x, w, b, gamma, beta, conv_param, bn_param)
        out, pool = FastMaxPool.forward(out, pool_param)
        return out, (first, pool)

    @staticmethod
    def backward(
        dout: torch.Tensor, cache: Any
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return dx, dw, db, dgamma and dbeta."""
        first, pool = cache
        return Conv_BatchNorm_ReLU.backward(FastMaxPool.backward(dout, pool), first)
