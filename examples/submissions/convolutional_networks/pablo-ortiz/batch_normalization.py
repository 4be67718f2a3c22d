from __future__ import annotations
from typing import Any
import torch
from helpers.training.layers import FastConv, FastMaxPool, Linear, ReLU

class BatchNorm:

    @staticmethod
    def forward(x, gamma, beta, bn_param):
        mode = bn_param['mode']
        eps, momentum = (bn_param.get('eps', 1e-05), bn_param.get('momentum', 0.9))
        running_mean = bn_param.get('running_mean', torch.zeros_like(x[0]))
        running_var = bn_param.get('running_var', torch.zeros_like(x[0]))
        if mode not in ('train', 'test'):
            raise ValueError(f'the mode is {mode!r}; it must be "train" or "test"')
        if mode == 'train':
            mean = x.mean(dim=0)
            var = ((x - mean) ** 2).mean(dim=0)
            bn_param['running_mean'] = momentum * running_mean + (1 - momentum) * mean
            bn_param['running_var'] = momentum * running_var + (1 - momentum) * var
        else:
            mean, var = (running_mean, running_var)
        scale = 1 / (var + eps).sqrt()
        normal = (x - mean) * scale
        return (gamma * normal + beta, (normal, scale, gamma))

    @staticmethod
    def backward(dout, cache):
        normal, scale, gamma = cache
        centered = normal / scale
        dgamma = (dout * normal).sum(dim=0)
        dbeta = dout.sum(dim=0)
        dnormal = dout * gamma
        dscale = (dnormal * centered).sum(dim=0)
        dvar = dscale * -0.5 * scale ** 3
        dcentered = dnormal * scale + dvar * 2 * centered / len(dout)
        dmean = -dcentered.sum(dim=0)
        dx = dcentered + dmean / len(dout)
        return (dx, dgamma, dbeta)

    @staticmethod
    def backward_alt(dout, cache):
        z, scale, gamma = cache
        dx = gamma * scale * (dout - dout.mean(dim=0) - z * (dout * z).mean(dim=0))
        return (dx, (dout * z).sum(dim=0), dout.sum(dim=0))

class SpatialBatchNorm:

    @staticmethod
    def forward(x, gamma, beta, bn_param):
        pixels = x.permute(0, 2, 3, 1)
        out, cache = BatchNorm.forward(pixels.reshape(-1, x.shape[1]), gamma, beta, bn_param)
        return (out.reshape(pixels.shape).permute(0, 3, 1, 2), cache)

    @staticmethod
    def backward(dout, cache):
        pixels = dout.permute(0, 2, 3, 1)
        dx, dgamma, dbeta = BatchNorm.backward_alt(pixels.reshape(-1, dout.shape[1]), cache)
        return (dx.reshape(pixels.shape).permute(0, 3, 1, 2), dgamma, dbeta)

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
