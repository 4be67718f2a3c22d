from __future__ import annotations
from collections.abc import Mapping, Sequence
from typing import Any
import torch
from batch_normalization import BatchNorm, Conv_BatchNorm_ReLU, Conv_BatchNorm_ReLU_Pool, Linear_BatchNorm_ReLU, SpatialBatchNorm
from convolution_layers import Conv, MaxPool
from more_convolutions import average_pool, conv1d, conv3d, dilated_conv, grouped_conv, im2col, transposed_conv
from helpers.training.layers import Conv_ReLU, Conv_ReLU_Pool, FastConv, FastMaxPool, Linear, Linear_ReLU, ReLU, adam, sgd_momentum
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver
__all__ = ['BatchNorm', 'Conv', 'Conv_BatchNorm_ReLU', 'Conv_BatchNorm_ReLU_Pool', 'Conv_ReLU', 'Conv_ReLU_Pool', 'DeepConvNet', 'FastConv', 'FastMaxPool', 'Linear', 'Linear_BatchNorm_ReLU', 'Linear_ReLU', 'MaxPool', 'ReLU', 'Solver', 'SpatialBatchNorm', 'ThreeLayerConvNet', 'adam', 'average_pool', 'conv1d', 'conv3d', 'create_convolutional_solver_instance', 'dilated_conv', 'find_overfit_parameters', 'grouped_conv', 'im2col', 'kaiming_initializer', 'sgd_momentum', 'softmax_loss', 'transposed_conv']
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
