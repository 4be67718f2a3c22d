from __future__ import annotations

from typing import Any

import torch

from helpers.training.layers import FastConv, FastMaxPool, Linear, ReLU

class BatchNorm:
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        mode = bn_param['mode']
        eps = bn_param.get('eps', 1e-5)
        momentum = bn_param.get('momentum', 0.9)
        N, D = x.shape
        running_mean = bn_param.get('running_mean', torch.zeros(D, dtype=x.dtype, device=x.device))
        running_var = bn_param.get('running_var', torch.zeros(D, dtype=x.dtype, device=x.device))
        out, cache = None, None
        if mode == 'train':
            mu = 1.0 / N * torch.sum(x, dim=0)
            xmu = x - mu
            sq = xmu ** 2
            var = 1.0 / N * torch.sum(sq, dim=0)
            sqrtvar = torch.sqrt(var + eps)
            ivar = 1.0 / sqrtvar
            xhat = xmu * ivar
            out = gamma * xhat + beta
            running_mean = momentum * running_mean + (1 - momentum) * mu
            running_var = momentum * running_var + (1 - momentum) * var
            cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
        elif mode == 'test':
            out = gamma * ((x - running_mean) / torch.sqrt(running_var + eps)) + beta
        else:
            raise ValueError('Invalid mode "%s"' % mode)
        bn_param['running_mean'] = running_mean.detach()
        bn_param['running_var'] = running_var.detach()
        return out, cache

    @staticmethod
    def backward(dout, cache):
        xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
        N, D = dout.shape
        dbeta = torch.sum(dout, dim=0)
        dgamma = torch.sum(dout * xhat, dim=0)
        dxhat = dout * gamma
        divar = torch.sum(dxhat * xmu, dim=0)
        dxmu1 = dxhat * ivar
        dsqrtvar = -1.0 / (sqrtvar ** 2) * divar
        dvar = 0.5 / torch.sqrt(var + eps) * dsqrtvar
        dsq = 1.0 / N * torch.ones((N, D), dtype=dout.dtype, device=dout.device) * dvar
        dxmu2 = 2 * xmu * dsq
        dx1 = dxmu1 + dxmu2
        dmu = -1 * torch.sum(dx1, dim=0)
        dx2 = 1.0 / N * torch.ones((N, D), dtype=dout.dtype, device=dout.device) * dmu
        return dx1 + dx2, dgamma, dbeta

    @staticmethod
    def backward_alt(dout, cache):
        xhat, gamma, _, ivar, _, _, _ = cache
        N = dout.shape[0]
        dgamma = (dout * xhat).sum(0)
        dbeta = dout.sum(0)
        dx = ivar / N * gamma * (N * dout - dbeta - xhat * dgamma)
        return dx, dgamma, dbeta

class SpatialBatchNorm:
    @staticmethod
    def forward(x, gamma, beta, bn_param):
        N, C, H, W = x.shape
        m = x.permute(1, 0, 2, 3).reshape(C, -1).t()
        out, cache = BatchNorm.forward(m, gamma, beta, bn_param)
        return out.t().reshape(C, N, H, W).permute(1, 0, 2, 3).contiguous(), cache

    @staticmethod
    def backward(dout, cache):
        N, C, H, W = dout.shape
        m = dout.permute(1, 0, 2, 3).reshape(C, -1).t()
        dx, dgamma, dbeta = BatchNorm.backward(m, cache)
        return dx.t().reshape(C, N, H, W).permute(1, 0, 2, 3).contiguous(), dgamma, dbeta

class Linear_BatchNorm_ReLU:

    @staticmethod
    def forward(x, w, b, gamma, beta, bn_param):
        out, linear = Linear.forward(x, w, b)
        out, norm = BatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return (out, (linear, norm, relu))

    @staticmethod
    def backward(dout, cache):
        linear, norm, relu = cache
        dsums, dgamma, dbeta = BatchNorm.backward(ReLU.backward(dout, relu), norm)
        return (*Linear.backward(dsums, linear), dgamma, dbeta)

class Conv_BatchNorm_ReLU:

    @staticmethod
    def forward(x, w, b, gamma, beta, conv_param, bn_param):
        out, conv = FastConv.forward(x, w, b, conv_param)
        out, norm = SpatialBatchNorm.forward(out, gamma, beta, bn_param)
        out, relu = ReLU.forward(out)
        return (out, (conv, norm, relu))

    @staticmethod
    def backward(dout, cache):
        conv, norm, relu = cache
        dsums, dgamma, dbeta = SpatialBatchNorm.backward(ReLU.backward(dout, relu), norm)
        return (*FastConv.backward(dsums, conv), dgamma, dbeta)

class Conv_BatchNorm_ReLU_Pool:

    @staticmethod
    def forward(x, w, b, gamma, beta, conv_param, bn_param, pool_param):
        out, first = Conv_BatchNorm_ReLU.forward(x, w, b, gamma, beta, conv_param, bn_param)
        out, pool = FastMaxPool.forward(out, pool_param)
        return (out, (first, pool))

    @staticmethod
    def backward(dout, cache):
        first, pool = cache
        return Conv_BatchNorm_ReLU.backward(FastMaxPool.backward(dout, pool), first)
