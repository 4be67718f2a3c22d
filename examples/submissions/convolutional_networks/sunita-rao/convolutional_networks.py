from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from collections import namedtuple

import torch

from helpers.training.layers import FastConv, FastMaxPool, Linear, ReLU, Conv_ReLU, Conv_ReLU_Pool, Linear_ReLU, adam, sgd_momentum
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

__all__ = ['BatchNorm', 'Conv', 'Conv_BatchNorm_ReLU', 'Conv_BatchNorm_ReLU_Pool', 'Conv_ReLU', 'Conv_ReLU_Pool', 'DeepConvNet', 'FastConv', 'FastMaxPool', 'Linear', 'Linear_BatchNorm_ReLU', 'Linear_ReLU', 'MaxPool', 'ReLU', 'Solver', 'SpatialBatchNorm', 'ThreeLayerConvNet', 'adam', 'create_convolutional_solver_instance', 'find_overfit_parameters', 'kaiming_initializer', 'sgd_momentum', 'softmax_loss']


def indices(C, H, W, kh, kw, s):
    rows = torch.arange(kh).view(1, -1, 1, 1, 1) + s * torch.arange((H - kh) // s + 1).view(1, 1, 1, -1, 1)
    cols = torch.arange(kw).view(1, 1, -1, 1, 1) + s * torch.arange((W - kw) // s + 1).view(1, 1, 1, 1, -1)
    return (torch.arange(C).view(-1, 1, 1, 1, 1) * H + rows) * W + cols


class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        p, s = conv_param['pad'], conv_param['stride']
        N, C, H, W = x.shape
        xp = x.new_zeros(N, C, H + 2 * p, W + 2 * p)
        xp[:, :, p:p + H, p:p + W] = x
        index = indices(C, H + 2 * p, W + 2 * p, w.shape[2], w.shape[3], s)
        cols = xp.reshape(N, -1)[:, index.reshape(-1, index.shape[3] * index.shape[4])]
        out = w.reshape(len(w), -1) @ cols + b[:, None]
        return out.reshape(N, len(w), index.shape[3], index.shape[4]), (x, w, b, conv_param)

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        p, s = conv_param['pad'], conv_param['stride']
        N, C, H, W = x.shape
        xp = x.new_zeros(N, C, H + 2 * p, W + 2 * p)
        xp[:, :, p:p + H, p:p + W] = x
        index = indices(C, H + 2 * p, W + 2 * p, w.shape[2], w.shape[3], s)
        index = index.reshape(-1, index.shape[3] * index.shape[4])
        cols = xp.reshape(N, -1)[:, index]
        g = dout.reshape(N, len(w), -1)
        dw = (g @ cols.transpose(1, 2)).sum(0).reshape(w.shape)
        dcols = w.reshape(len(w), -1).t() @ g
        dxp = torch.zeros_like(xp).reshape(N, -1)
        dxp.index_add_(1, index.reshape(-1), dcols.reshape(N, -1))
        return dxp.reshape(xp.shape)[:, :, p:p + H, p:p + W], dw, g.sum((0, 2))


class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        N, C, H, W = x.shape
        index = indices(C, H, W, pool_param['pool_height'], pool_param['pool_width'], pool_param['stride'])
        return x.reshape(N, -1)[:, index].amax((2, 3)), (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        N, C, H, W = x.shape
        index = indices(C, H, W, pool_param['pool_height'], pool_param['pool_width'], pool_param['stride'])
        flat = index.flatten(1, 2)  # (C, kh * kw, OH, OW)
        windows = x.reshape(N, -1)[:, flat]
        best = windows.argmax(2, keepdim=True)
        places = flat.expand(N, -1, -1, -1, -1).gather(2, best).reshape(N, -1)
        dx = torch.zeros_like(x).reshape(N, -1)
        dx.scatter_add_(1, places, dout.reshape(N, -1))
        return dx.reshape(x.shape)


class Kept(NamedTuple):
    normal: torch.Tensor
    scale: torch.Tensor
    gamma: torch.Tensor


class Gradients(NamedTuple):
    dx: torch.Tensor
    dgamma: torch.Tensor
    dbeta: torch.Tensor


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
        return (gamma * normal + beta, Kept(normal, scale, gamma))

    @staticmethod
    def backward(dout, cache):
        normal, scale, gamma = (cache.normal, cache.scale, cache.gamma)
        centered = normal / scale
        dgamma = (dout * normal).sum(dim=0)
        dbeta = dout.sum(dim=0)
        dnormal = dout * gamma
        dscale = (dnormal * centered).sum(dim=0)
        dvar = dscale * -0.5 * scale ** 3
        dcentered = dnormal * scale + dvar * 2 * centered / len(dout)
        dmean = -dcentered.sum(dim=0)
        dx = dcentered + dmean / len(dout)
        return Gradients(dx, dgamma, dbeta)

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


POOL = {'pool_height': 2, 'pool_width': 2, 'stride': 2}


def kaiming_initializer(Din, Dout, K=None, relu=True, device='cpu', dtype=torch.float32):
    fan_in = Din if K is None else Din * K * K
    shape = (Din, Dout) if K is None else (Dout, Din, K, K)
    std = ((2 if relu else 1) / fan_in) ** 0.5
    return std * torch.randn(shape, device=device, dtype=dtype)


class ThreeLayerConvNet:

    def __init__(self, input_dims=(3, 32, 32), num_filters=32, filter_size=7, hidden_dim=100, num_classes=10, weight_scale=0.001, reg=0.0, dtype=torch.float32, device='cpu'):
        self.params: dict[str, torch.Tensor] = {}
        self.reg = reg
        self.dtype = dtype
        C, H, W = input_dims
        shapes = {1: (num_filters, C, filter_size, filter_size), 2: (num_filters * (H // 2) * (W // 2), hidden_dim), 3: (hidden_dim, num_classes)}
        for n, shape in shapes.items():
            width = num_filters if n == 1 else shape[1]
            self.params[f'W{n}'] = weight_scale * torch.randn(shape, dtype=dtype, device=device)
            self.params[f'b{n}'] = torch.zeros(width, dtype=dtype, device=device)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        conv_param = {'stride': 1, 'pad': (self.params['W1'].shape[2] - 1) // 2}
        p = self.params
        features, first = Conv_ReLU_Pool.forward(X, p['W1'], p['b1'], conv_param, POOL)
        hidden, second = Linear_ReLU.forward(features, p['W2'], p['b2'])
        scores, third = Linear.forward(hidden, p['W3'], p['b3'])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        grads = {}
        dhidden, grads['W3'], grads['b3'] = Linear.backward(dscores, third)
        dfeatures, grads['W2'], grads['b2'] = Linear_ReLU.backward(dhidden, second)
        _, grads['W1'], grads['b1'] = Conv_ReLU_Pool.backward(dfeatures, first)
        for name in ('W1', 'W2', 'W3'):
            loss = loss + self.reg * (p[name] ** 2).sum()
            grads[name] = grads[name] + 2 * self.reg * p[name]
        return (loss, grads)


class DeepConvNet:

    def __init__(self, input_dims=(3, 32, 32), num_filters=(8, 8, 8, 8, 8), max_pools=(0, 1, 2, 3, 4), batchnorm=False, num_classes=10, weight_scale=0.001, reg=0.0, weight_initializer=None, dtype=torch.float32, device='cpu'):
        self.params: dict[str, torch.Tensor] = {}
        self.num_layers = len(num_filters) + 1
        self.max_pools = max_pools
        self.batchnorm = batchnorm
        self.reg = reg
        self.dtype = dtype
        self.bn_params: list[dict[str, Any]] = [{'mode': 'train'} for _ in num_filters if batchnorm]
        like = {'dtype': dtype, 'device': device}

        def weights(Din, Dout, K):
            if weight_scale == 'kaiming':
                return kaiming_initializer(Din, Dout, K, relu=K is not None, **like)
            return weight_scale * torch.randn((Din, Dout) if K is None else (Dout, Din, K, K), **like)
        C, H, W = input_dims
        for n, F in enumerate(num_filters, start=1):
            self.params[f'W{n}'], self.params[f'b{n}'] = (weights(C, F, 3), torch.zeros(F, **like))
            if batchnorm:
                self.params[f'gamma{n}'] = torch.ones(F, **like)
                self.params[f'beta{n}'] = torch.zeros(F, **like)
            if n - 1 in max_pools:
                H, W = (H // 2, W // 2)
            C = F
        self.params[f'W{self.num_layers}'] = weights(C * H * W, num_classes, None)
        self.params[f'b{self.num_layers}'] = torch.zeros(num_classes, **like)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        for bn_param in self.bn_params:
            bn_param['mode'] = 'test' if y is None else 'train'
        conv_param = {'stride': 1, 'pad': 1}
        p, last = (self.params, self.num_layers)
        layers = {(False, False): Conv_ReLU, (False, True): Conv_ReLU_Pool, (True, False): Conv_BatchNorm_ReLU, (True, True): Conv_BatchNorm_ReLU_Pool}
        names = ('W', 'b', 'gamma', 'beta') if self.batchnorm else ('W', 'b')
        out, caches = (X, {})
        for n in range(1, last):
            pooled = n - 1 in self.max_pools
            tensors = [p[f'{name}{n}'] for name in names]
            settings = [conv_param, *self.bn_params[n - 1:n], *([POOL] if pooled else [])]
            layer = layers[self.batchnorm, pooled]
            out, cache = layer.forward(out, *tensors, *settings)
            caches[n] = (layer, cache)
        scores, linear = Linear.forward(out, p[f'W{last}'], p[f'b{last}'])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        grads = {}
        dout, grads[f'W{last}'], grads[f'b{last}'] = Linear.backward(dscores, linear)
        for n in range(last - 1, 0, -1):
            layer, cache = caches[n]
            dout, *found = layer.backward(dout, cache)
            grads.update({f'{name}{n}': grad for name, grad in zip(names, found, strict=True)})
        for n in range(1, last + 1):
            loss = loss + self.reg * (p[f'W{n}'] ** 2).sum()
            grads[f'W{n}'] = grads[f'W{n}'] + 2 * self.reg * p[f'W{n}']
        return (loss, grads)


Settings = namedtuple('Settings', 'weight_scale learning_rate')


def find_overfit_parameters():
    weight_scale = 0.1
    learning_rate = 0.003
    return Settings(weight_scale, learning_rate)


def create_convolutional_solver_instance(data_dict, dtype, device):
    model = DeepConvNet(input_dims=(3, 32, 32), num_filters=[16, 32, 32, 64], max_pools=[0, 1, 3], batchnorm=True, weight_scale='kaiming', reg=0.0001, dtype=dtype, device=device)
    return Solver(model, data_dict, update_rule=adam, optim_config={'learning_rate': 0.003}, lr_decay=0.8, batch_size=64, num_epochs=12, device=device, verbose=False)
