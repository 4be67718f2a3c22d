"""Implements fully connected networks in PyTorch."""
import torch
from helpers.training.losses import softmax_loss
from helpers.training.solver import Solver


class Linear(object):

    @staticmethod
    def forward(x, w, b):
        N = x.shape[0]
        x_flat = x.reshape(N, -1)
        out = x_flat.mm(w) + b
        cache = (x, w, b)
        return out, cache

    @staticmethod
    def backward(dout, cache):
        x, w, b = cache
        dx, dw, db = None, None, None
        N = x.shape[0]
        dx = dout.mm(w.t()).reshape(x.shape)
        dw = x.reshape(N, -1).t().mm(dout)
        db = dout.sum(dim=0)
        return dx, dw, db


class ReLU(object):

    @staticmethod
    def forward(x):
        out = x.clone()
        out[x < 0] = 0
        cache = x
        return out, cache

    @staticmethod
    def backward(dout, cache):
        dx, x = None, cache
        dx = dout.clone()
        dx[dout <= 0] = 0
        return dx


class Linear_ReLU(object):

    @staticmethod
    def forward(x, w, b):
        a, fc_cache = Linear.forward(x, w, b)
        out, relu_cache = ReLU.forward(a)
        cache = (fc_cache, relu_cache)
        return out, cache

    @staticmethod
    def backward(dout, cache):
        fc_cache, relu_cache = cache
        da = ReLU.backward(dout, relu_cache)
        dx, dw, db = Linear.backward(da, fc_cache)
        return dx, dw, db


class TwoLayerNet(object):

    def __init__(self, input_dim=3*32*32, hidden_dim=100, num_classes=10,
                 weight_scale=1e-3, reg=0.0,
                 dtype=torch.float32, device='cpu'):
        self.params = {}
        self.reg = reg
        self.dtype = dtype
        self.params['W1'] = torch.randn(input_dim, hidden_dim, dtype=dtype, device=device) * weight_scale
        self.params['b1'] = torch.zeros(hidden_dim, dtype=dtype, device=device)
        self.params['W2'] = torch.randn(hidden_dim, num_classes, dtype=dtype, device=device) * weight_scale
        self.params['b2'] = torch.zeros(num_classes, dtype=dtype, device=device)

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        scores = None
        W1, b1 = self.params['W1'], self.params['b1']
        W2, b2 = self.params['W2'], self.params['b2']
        hidden, cache1 = Linear_ReLU.forward(X, W1, b1)
        scores, cache2 = Linear.forward(hidden, W2, b2)

        # If y is None then we are in test mode so just return scores
        if y is None:
            return scores

        loss, grads = 0, {}
        loss, dscores = softmax_loss(scores, y)
        loss += self.reg * (torch.sum(W1 * W1) + torch.sum(W2 * W2))
        dhidden, dW2, db2 = Linear.backward(dscores, cache2)
        dX, dW1, db1 = Linear_ReLU.backward(dhidden, cache1)
        grads['W1'] = dW1 + 2 * self.reg * W1
        grads['b1'] = db1
        grads['W2'] = dW2 + 2 * self.reg * W2
        grads['b2'] = db2
        return loss, grads


class FullyConnectedNet(object):

    def __init__(self, hidden_dims, input_dim=3*32*32, num_classes=10,
                 dropout=0.0, reg=0.0, weight_scale=1e-2, seed=None,
                 dtype=torch.float, device='cpu'):
        self.use_dropout = dropout != 0
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}

        last_dim = input_dim
        for n, dim in enumerate(hidden_dims):
            self.params['W{}'.format(n + 1)] = torch.randn(last_dim, dim, dtype=dtype, device=device) * weight_scale
            self.params['b{}'.format(n + 1)] = torch.zeros(dim, dtype=dtype, device=device)
            last_dim = dim
        n = self.num_layers
        self.params['W{}'.format(n)] = torch.randn(last_dim, num_classes, dtype=dtype, device=device) * weight_scale
        self.params['b{}'.format(n)] = torch.zeros(num_classes, dtype=dtype, device=device)

        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {'mode': 'train', 'p': dropout}
            if seed is not None:
                self.dropout_param['seed'] = seed

    def loss(self, X, y=None):
        X = X.to(self.dtype)
        mode = 'test' if y is None else 'train'
        if self.use_dropout:
            self.dropout_param['mode'] = mode
        scores = None
        cache_dict = {}
        last_out = X
        for n in range(self.num_layers - 1):
            i = n + 1
            last_out, cache_dict['LR{}'.format(i)] = Linear_ReLU.forward(
                last_out, self.params['W{}'.format(i)], self.params['b{}'.format(i)])
            if self.use_dropout:
                last_out, cache_dict['D{}'.format(i)] = Dropout.forward(last_out, self.dropout_param)
        i = self.num_layers
        scores, cache_dict['L{}'.format(i)] = Linear.forward(
            last_out, self.params['W{}'.format(i)], self.params['b{}'.format(i)])

        if mode == 'test':
            return scores

        loss, grads = 0.0, {}
        loss, dout = softmax_loss(scores, y)
        for i in range(1, self.num_layers + 1):
            loss += self.reg * torch.sum(self.params['W{}'.format(i)] ** 2)
        i = self.num_layers
        dout, dW, db = Linear.backward(dout, cache_dict['L{}'.format(i)])
        grads['W{}'.format(i)] = dW + 2 * self.reg * self.params['W{}'.format(i)]
        grads['b{}'.format(i)] = db
        for i in range(self.num_layers - 1, 0, -1):
            if self.use_dropout:
                dout = Dropout.backward(dout, cache_dict['D{}'.format(i)])
            dout, dW, db = Linear_ReLU.backward(dout, cache_dict['LR{}'.format(i)])
            grads['W{}'.format(i)] = dW + 2 * self.reg * self.params['W{}'.format(i)]
            grads['b{}'.format(i)] = db
        return loss, grads


def create_solver_instance(data_dict, dtype, device):
    model = TwoLayerNet(hidden_dim=200, dtype=dtype, device=device, weight_scale=1e-2)
    solver = Solver(model, data_dict,
                    update_rule=sgd,
                    optim_config={'learning_rate': 1e-1},
                    lr_decay=0.95,
                    num_epochs=10, batch_size=100,
                    print_every=100,
                    device=device)
    return solver


def get_three_layer_network_params():
    weight_scale = 1e-1
    learning_rate = 3e-2
    return weight_scale, learning_rate


def get_five_layer_network_params():
    learning_rate = 5e-2
    weight_scale = 1e-1
    return weight_scale, learning_rate


def sgd(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault('learning_rate', 1e-2)
    w -= config['learning_rate'] * dw
    return w, config


def sgd_momentum(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('momentum', 0.9)
    v = config.get('velocity', torch.zeros_like(w))
    next_w = None
    v = config['momentum'] * v - config['learning_rate'] * dw
    next_w = w + v
    config['velocity'] = v
    return next_w, config


def rmsprop(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('decay_rate', 0.99)
    config.setdefault('epsilon', 1e-8)
    config.setdefault('cache', torch.zeros_like(w))
    next_w = None
    config['cache'] = config['decay_rate'] * config['cache'] + (1 - config['decay_rate']) * dw ** 2
    next_w = w - config['learning_rate'] * dw / (torch.sqrt(config['cache']) + config['epsilon'])
    return next_w, config


def adam(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault('learning_rate', 1e-3)
    config.setdefault('beta1', 0.9)
    config.setdefault('beta2', 0.999)
    config.setdefault('epsilon', 1e-8)
    config.setdefault('m', torch.zeros_like(w))
    config.setdefault('v', torch.zeros_like(w))
    config.setdefault('t', 0)
    next_w = None
    config['t'] += 1
    config['m'] = config['beta1'] * config['m'] + (1 - config['beta1']) * dw
    mt = config['m'] / (1 - config['beta1'] ** config['t'])
    config['v'] = config['beta2'] * config['v'] + (1 - config['beta2']) * (dw * dw)
    vt = config['v'] / (1 - config['beta2'] ** config['t'])
    next_w = w - config['learning_rate'] * mt / (torch.sqrt(vt) + config['epsilon'])
    return next_w, config


class Dropout(object):

    @staticmethod
    def forward(x, dropout_param):
        p, mode = dropout_param['p'], dropout_param['mode']
        if 'seed' in dropout_param:
            torch.manual_seed(dropout_param['seed'])
        mask = None
        out = None
        if mode == 'train':
            mask = (torch.rand(x.shape) > p) / (1 - p)
            mask = mask.to(x.device).to(x.dtype)
            out = x * mask
        elif mode == 'test':
            out = x
        cache = (dropout_param, mask)
        return out, cache

    @staticmethod
    def backward(dout, cache):
        dropout_param, mask = cache
        mode = dropout_param['mode']
        dx = None
        if mode == 'train':
            dx = dout * mask
        elif mode == 'test':
            dx = dout
        return dx


def l2_regularizer(w, strength, half=False):
    if half:
        return 0.5 * strength * torch.sum(w * w), strength * w
    return strength * torch.sum(w * w), 2 * strength * w


def l1_regularizer(w, strength):
    return strength * torch.sum(torch.abs(w)), strength * torch.sign(w)


def elastic_net(w, l1_strength, l2_strength):
    penalty = l1_strength * torch.sum(torch.abs(w)) + l2_strength * torch.sum(w * w)
    dw = l1_strength * torch.sign(w) + 2 * l2_strength * w
    return penalty, dw


def max_norm(w, c):
    total = torch.sum(w * w)
    if total > c:
        w = w * torch.sqrt(c / total)
    return w


def sgd_weight_decay(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('weight_decay', 1e-4)
    lr = config['learning_rate']
    next_w = w - lr * dw
    if w.dim() > 1:
        next_w = next_w - lr * config['weight_decay'] * w
    return next_w, config
