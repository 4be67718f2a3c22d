from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from helpers.training.layers import FastConv, FastMaxPool, Linear, ReLU, Conv_ReLU, Conv_ReLU_Pool, Linear_ReLU, adam, sgd_momentum
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver

__all__ = ['BatchNorm', 'Conv', 'Conv_BatchNorm_ReLU', 'Conv_BatchNorm_ReLU_Pool', 'Conv_ReLU', 'Conv_ReLU_Pool', 'DeepConvNet', 'FastConv', 'FastMaxPool', 'Linear', 'Linear_BatchNorm_ReLU', 'Linear_ReLU', 'MaxPool', 'ReLU', 'Solver', 'SpatialBatchNorm', 'ThreeLayerConvNet', 'adam', 'create_convolutional_solver_instance', 'find_overfit_parameters', 'kaiming_initializer', 'sgd_momentum', 'softmax_loss']


class Conv:
    @staticmethod
    def forward(x, w, b, conv_param):
        stride, pad = conv_param['stride'], conv_param['pad']
        N, C, H, W = x.shape
        F, _, HH, WW = w.shape
        H_out = 1 + (H + 2 * pad - HH) // stride
        W_out = 1 + (W + 2 * pad - WW) // stride
        x_pad = torch.nn.functional.pad(x, (pad, pad, pad, pad))
        out = torch.zeros((N, F, H_out, W_out), dtype=x.dtype, device=x.device)
        # four loops, one number at a time
        for n in range(N):
            for f in range(F):
                for i in range(H_out):
                    for j in range(W_out):
                        patch = x_pad[n, :, i * stride:i * stride + HH, j * stride:j * stride + WW]
                        out[n, f, i, j] = (patch * w[f]).sum() + b[f]
        cache = (x, w, b, conv_param)
        return out, cache

    @staticmethod
    def backward(dout, cache):
        x, w, b, conv_param = cache
        stride, pad = conv_param['stride'], conv_param['pad']
        N, C, H, W = x.shape
        F, _, HH, WW = w.shape
        x_pad = torch.nn.functional.pad(x, (pad, pad, pad, pad))
        dx_pad = torch.zeros_like(x_pad)
        dw = torch.zeros_like(w)
        db = torch.zeros_like(b)
        for n in range(N):
            for f in range(F):
                db[f] += dout[n, f].sum()
                for i in range(dout.shape[2]):
                    for j in range(dout.shape[3]):
                        top, left = i * stride, j * stride
                        dx_pad[n, :, top:top + HH, left:left + WW] += w[f] * dout[n, f, i, j]
                        dw[f] += x_pad[n, :, top:top + HH, left:left + WW] * dout[n, f, i, j]
        dx = dx_pad[:, :, pad:pad + H, pad:pad + W]
        return dx, dw, db


class MaxPool:
    @staticmethod
    def forward(x, pool_param):
        ph, pw, stride = pool_param['pool_height'], pool_param['pool_width'], pool_param['stride']
        N, C, H, W = x.shape
        out = torch.zeros((N, C, 1 + (H - ph) // stride, 1 + (W - pw) // stride), dtype=x.dtype, device=x.device)
        for n in range(N):
            for c in range(C):
                for i in range(out.shape[2]):
                    for j in range(out.shape[3]):
                        out[n, c, i, j] = x[n, c, i * stride:i * stride + ph, j * stride:j * stride + pw].max()
        return out, (x, pool_param)

    @staticmethod
    def backward(dout, cache):
        x, pool_param = cache
        ph, pw, stride = pool_param['pool_height'], pool_param['pool_width'], pool_param['stride']
        dx = torch.zeros_like(x)
        for n in range(x.shape[0]):
            for c in range(x.shape[1]):
                for i in range(dout.shape[2]):
                    for j in range(dout.shape[3]):
                        window = x[n, c, i * stride:i * stride + ph, j * stride:j * stride + pw]
                        best = int(window.argmax())
                        dx[n, c, i * stride + best // pw, j * stride + best % pw] += dout[n, c, i, j]
        return dx


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


def find_overfit_parameters():
    weight_scale = 0.1
    learning_rate = 0.003
    return (weight_scale, learning_rate)


def create_convolutional_solver_instance(data_dict, dtype, device):
    model = DeepConvNet(input_dims=(3, 32, 32), num_filters=[16, 32, 32, 64], max_pools=[0, 1, 3], batchnorm=True, weight_scale='kaiming', reg=0.0001, dtype=dtype, device=device)
    return Solver(model, data_dict, update_rule=adam, optim_config={'learning_rate': 0.003}, lr_decay=0.8, batch_size=64, num_epochs=12, device=device, verbose=False)
