"""
Implements convolutional networks in PyTorch.
WARNING: you SHOULD NOT use ".to()" or ".cuda()" in each implementation block.
"""
import torch
import random
from a3_helper import softmax_loss
from fully_connected_networks import Linear_ReLU, Linear, ReLU, Solver, adam, sgd_momentum, rmsprop

POOL = {'pool_height': 2, 'pool_width': 2, 'stride': 2}


def hello_convolutional_networks():
  """
  This is a sample function that we will try to import and run to ensure that
  our environment is correctly set up on Google Colab.
  """
  print('Hello from convolutional_networks.py!')


class Conv(object):

  @staticmethod
  def forward(x, w, b, conv_param):
    out = None
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    stride, pad = conv_param['stride'], conv_param['pad']
    x_pad = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    out = torch.zeros((N, F, H_out, W_out), dtype=x.dtype, device=x.device)
    for n in range(N):
      for f in range(F):
        for h in range(H_out):
          for ww in range(W_out):
            out[n, f, h, ww] = (x_pad[n, :, h*stride:h*stride+HH, ww*stride:ww*stride+WW] * w[f]).sum() + b[f]
    cache = (x, w, b, conv_param)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    dx, dw, db = None, None, None
    x, w, b, conv_param = cache
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    stride, pad = conv_param['stride'], conv_param['pad']
    x_pad = torch.nn.functional.pad(x, (pad, pad, pad, pad))
    dx_pad = torch.zeros_like(x_pad)
    dw = torch.zeros_like(w)
    db = dout.sum(dim=(0, 2, 3))
    _, _, H_out, W_out = dout.shape
    for n in range(N):
      for f in range(F):
        for h in range(H_out):
          for ww in range(W_out):
            dx_pad[n, :, h*stride:h*stride+HH, ww*stride:ww*stride+WW] += w[f] * dout[n, f, h, ww]
            dw[f] += x_pad[n, :, h*stride:h*stride+HH, ww*stride:ww*stride+WW] * dout[n, f, h, ww]
    dx = dx_pad[:, :, pad:pad+H, pad:pad+W]
    return dx, dw, db


class MaxPool(object):

  @staticmethod
  def forward(x, pool_param):
    out = None
    N, C, H, W = x.shape
    PH, PW, stride = pool_param['pool_height'], pool_param['pool_width'], pool_param['stride']
    H_out = 1 + (H - PH) // stride
    W_out = 1 + (W - PW) // stride
    out = torch.zeros((N, C, H_out, W_out), dtype=x.dtype, device=x.device)
    for h in range(H_out):
      for ww in range(W_out):
        out[:, :, h, ww] = x[:, :, h*stride:h*stride+PH, ww*stride:ww*stride+PW].reshape(N, C, -1).max(dim=2)[0]
    cache = (x, pool_param)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    dx = None
    x, pool_param = cache
    PH, PW, stride = pool_param['pool_height'], pool_param['pool_width'], pool_param['stride']
    N, C, H_out, W_out = dout.shape
    dx = torch.zeros_like(x)
    for n in range(N):
      for c in range(C):
        for h in range(H_out):
          for ww in range(W_out):
            idx = torch.argmax(x[n, c, h*stride:h*stride+PH, ww*stride:ww*stride+PW])
            dx[n, c, h*stride + idx // PW, ww*stride + idx % PW] += dout[n, c, h, ww]
    return dx


class ThreeLayerConvNet(object):

  def __init__(self, input_dims=(3, 32, 32), num_filters=32, filter_size=7,
         hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0,
         dtype=torch.float, device='cpu'):
    self.params = {}
    self.reg = reg
    self.dtype = dtype
    C, H, W = input_dims
    self.params['W1'] = weight_scale * torch.randn(num_filters, C, filter_size, filter_size, dtype=dtype, device=device)
    self.params['b1'] = torch.zeros(num_filters, dtype=dtype, device=device)
    self.params['W2'] = weight_scale * torch.randn(num_filters * (H // 2) * (W // 2), hidden_dim, dtype=dtype, device=device)
    self.params['b2'] = torch.zeros(hidden_dim, dtype=dtype, device=device)
    self.params['W3'] = weight_scale * torch.randn(hidden_dim, num_classes, dtype=dtype, device=device)
    self.params['b3'] = torch.zeros(num_classes, dtype=dtype, device=device)

  def save(self, path):
    checkpoint = {
      'reg': self.reg,
      'dtype': self.dtype,
      'params': self.params,
    }
    torch.save(checkpoint, path)
    print("Saved in {}".format(path))

  def load(self, path):
    checkpoint = torch.load(path)
    self.params = checkpoint['params']
    self.dtype = checkpoint['dtype']
    self.reg = checkpoint['reg']
    print("load checkpoint file: {}".format(path))

  def loss(self, X, y=None):
    X = X.to(self.dtype)
    W1, b1 = self.params['W1'], self.params['b1']
    W2, b2 = self.params['W2'], self.params['b2']
    W3, b3 = self.params['W3'], self.params['b3']

    # pass conv_param to the forward pass for the convolutional layer
    # Padding and stride chosen to preserve the input spatial size
    filter_size = W1.shape[2]
    conv_param = {'stride': 1, 'pad': (filter_size - 1) // 2}
    pool_param = {'pool_height': 2, 'pool_width': 2, 'stride': 2}

    scores = None
    out, cache1 = Conv_ReLU_Pool.forward(X, W1, b1, conv_param, pool_param)
    out, cache2 = Linear_ReLU.forward(out, W2, b2)
    scores, cache3 = Linear.forward(out, W3, b3)
    if y is None:
      return scores

    loss, grads = 0.0, {}
    loss, dout = softmax_loss(scores, y)
    loss += self.reg * (torch.sum(W1 ** 2) + torch.sum(W2 ** 2) + torch.sum(W3 ** 2))
    dout, grads['W3'], grads['b3'] = Linear.backward(dout, cache3)
    dout, grads['W2'], grads['b2'] = Linear_ReLU.backward(dout, cache2)
    dout, grads['W1'], grads['b1'] = Conv_ReLU_Pool.backward(dout, cache1)
    grads['W3'] += 2 * self.reg * W3
    grads['W2'] += 2 * self.reg * W2
    grads['W1'] += 2 * self.reg * W1
    return loss, grads


class DeepConvNet(object):
  """
  {conv - [batchnorm?] - relu - [pool?]} x (L - 1) - linear
  """

  def __init__(self, input_dims=(3, 32, 32),
               num_filters=[8, 8, 8, 8, 8],
               max_pools=[0, 1, 2, 3, 4],
               batchnorm=False,
               num_classes=10, weight_scale=1e-3, reg=0.0,
               weight_initializer=None,
               dtype=torch.float, device='cpu'):
    self.params = {}
    self.num_layers = len(num_filters) + 1
    self.max_pools = max_pools
    self.batchnorm = batchnorm
    self.reg = reg
    self.dtype = dtype

    if device == 'cuda':
      device = 'cuda:0'

    C, H, W = input_dims
    prev = C
    for i in range(self.num_layers - 1):
      if weight_scale == 'kaiming':
        self.params['W{}'.format(i)] = kaiming_initializer(prev, num_filters[i], K=3, relu=True, device=device, dtype=dtype)
      else:
        self.params['W{}'.format(i)] = weight_scale * torch.randn(num_filters[i], prev, 3, 3, dtype=dtype, device=device)
      self.params['b{}'.format(i)] = torch.zeros(num_filters[i], dtype=dtype, device=device)
      if self.batchnorm:
        self.params['gamma{}'.format(i)] = torch.ones(num_filters[i], dtype=dtype, device=device)
        self.params['beta{}'.format(i)] = torch.zeros(num_filters[i], dtype=dtype, device=device)
      prev = num_filters[i]
      if i in self.max_pools:
        H, W = H // 2, W // 2
    i = self.num_layers - 1
    if weight_scale == 'kaiming':
      self.params['W{}'.format(i)] = kaiming_initializer(prev * H * W, num_classes, K=None, relu=False, device=device, dtype=dtype)
    else:
      self.params['W{}'.format(i)] = weight_scale * torch.randn(prev * H * W, num_classes, dtype=dtype, device=device)
    self.params['b{}'.format(i)] = torch.zeros(num_classes, dtype=dtype, device=device)

    # With batch normalization we need to keep track of running means and
    # variances, so we need to pass a special bn_param object to each batch
    # normalization layer.
    self.bn_params = []
    if self.batchnorm:
      self.bn_params = [{'mode': 'train'} for _ in range(len(num_filters))]

    # Check that we got the right number of parameters
    if not self.batchnorm:
      params_per_macro_layer = 2  # weight and bias
    else:
      params_per_macro_layer = 4  # weight, bias, scale, shift
    num_params = params_per_macro_layer * len(num_filters) + 2
    msg = 'self.params has the wrong number of elements. Got %d; expected %d'
    msg = msg % (len(self.params), num_params)
    assert len(self.params) == num_params, msg

    # Check that all parameters have the correct device and dtype:
    for k, param in self.params.items():
      msg = 'param "%s" has device %r; should be %r' % (k, param.device, device)
      assert param.device == torch.device(device), msg
      msg = 'param "%s" has dtype %r; should be %r' % (k, param.dtype, dtype)
      assert param.dtype == dtype, msg

  def loss(self, X, y=None):
    X = X.to(self.dtype)
    mode = 'test' if y is None else 'train'

    # Set train/test mode for batchnorm params since they
    # behave differently during training and testing.
    if self.batchnorm:
      for bn_param in self.bn_params:
        bn_param['mode'] = mode
    scores = None

    # pass conv_param to the forward pass for the convolutional layer
    # Padding and stride chosen to preserve the input spatial size
    filter_size = 3
    conv_param = {'stride': 1, 'pad': (filter_size - 1) // 2}
    # pass pool_param to the forward pass for the max-pooling layer
    pool_param = {'pool_height': 2, 'pool_width': 2, 'stride': 2}

    caches = []
    out = X
    for i in range(self.num_layers - 1):
      W, b = self.params['W{}'.format(i)], self.params['b{}'.format(i)]
      if self.batchnorm:
        gamma, beta = self.params['gamma{}'.format(i)], self.params['beta{}'.format(i)]
        if i in self.max_pools:
          out, cache = Conv_BatchNorm_ReLU_Pool.forward(out, W, b, gamma, beta, conv_param, self.bn_params[i], pool_param)
        else:
          out, cache = Conv_BatchNorm_ReLU.forward(out, W, b, gamma, beta, conv_param, self.bn_params[i])
      elif i in self.max_pools:
        out, cache = Conv_ReLU_Pool.forward(out, W, b, conv_param, pool_param)
      else:
        out, cache = Conv_ReLU.forward(out, W, b, conv_param)
      caches.append(cache)
    i = self.num_layers - 1
    scores, cache = Linear.forward(out, self.params['W{}'.format(i)], self.params['b{}'.format(i)])
    caches.append(cache)

    if y is None:
      return scores

    loss, grads = 0, {}
    loss, dout = softmax_loss(scores, y)
    for i in reversed(range(self.num_layers)):
      W = self.params['W{}'.format(i)]
      if i == self.num_layers - 1:
        dout, dw, db = Linear.backward(dout, caches[i])
      elif self.batchnorm:
        if i in self.max_pools:
          dout, dw, db, dgamma, dbeta = Conv_BatchNorm_ReLU_Pool.backward(dout, caches[i])
        else:
          dout, dw, db, dgamma, dbeta = Conv_BatchNorm_ReLU.backward(dout, caches[i])
        grads['gamma{}'.format(i)] = dgamma
        grads['beta{}'.format(i)] = dbeta
      elif i in self.max_pools:
        dout, dw, db = Conv_ReLU_Pool.backward(dout, caches[i])
      else:
        dout, dw, db = Conv_ReLU.backward(dout, caches[i])
      loss += self.reg * torch.sum(W ** 2)
      grads['W{}'.format(i)] = dw + 2 * self.reg * W
      grads['b{}'.format(i)] = db
    return loss, grads


def find_overfit_parameters():
  weight_scale = 1e-1
  learning_rate = 3e-3
  return weight_scale, learning_rate


def kaiming_initializer(Din, Dout, K=None, relu=True, device='cpu',
                        dtype=torch.float32):
  gain = 2. if relu else 1.
  weight = None
  if K is None:
    weight_scale = gain / (Din)
    weight = torch.zeros(Din, Dout, dtype=dtype, device=device)
    weight += weight_scale ** 0.5 * torch.randn(Din, Dout, dtype=dtype, device=device)
  else:
    weight_scale = gain / (Din * K * K)
    weight = torch.zeros(Dout, Din, K, K, dtype=dtype, device=device)
    weight += weight_scale ** 0.5 * torch.randn(Dout, Din, K, K, dtype=dtype, device=device)
  return weight


def create_convolutional_solver_instance(data_dict, dtype, device):
  model = None
  solver = None
  input_dims = data_dict['X_train'].shape[1:]
  model = DeepConvNet(input_dims=input_dims, num_classes=10,
                      num_filters=[16, 32, 64, 64],
                      max_pools=[0, 1, 2],
                      weight_scale='kaiming',
                      batchnorm=True,
                      reg=1e-5, dtype=dtype, device=device)
  solver = Solver(model, data_dict,
                  num_epochs=10, batch_size=50,
                  update_rule=adam,
                  optim_config={
                    'learning_rate': 3e-3,
                  }, lr_decay=0.9,
                  print_every=50, device=device)
  return solver


class BatchNorm(object):

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
      mu = 1. / N * torch.sum(x, dim=0)
      xmu = x - mu
      var = 1. / N * torch.sum(xmu ** 2, dim=0)
      std = torch.sqrt(var + eps)
      xhat = xmu / std
      out = gamma * xhat + beta
      running_mean = momentum * running_mean + (1 - momentum) * mu
      running_var = momentum * running_var + (1 - momentum) * var
      cache = (mode, xhat, xmu, std, gamma)
    elif mode == 'test':
      std = torch.sqrt(running_var + eps)
      xhat = (x - running_mean) / std
      out = gamma * xhat + beta
      cache = (mode, xhat, x - running_mean, std, gamma)
    else:
      raise ValueError('Invalid forward batchnorm mode "%s"' % mode)

    # Store the updated running means back into bn_param
    bn_param['running_mean'] = running_mean.detach()
    bn_param['running_var'] = running_var.detach()

    return out, cache

  @staticmethod
  def backward(dout, cache):
    dx, dgamma, dbeta = None, None, None
    mode, xhat, xmu, std, gamma = cache
    N, D = dout.shape
    dbeta = dout.sum(dim=0)
    dgamma = (dout * xhat).sum(dim=0)
    dxhat = dout * gamma
    if mode == 'test':
      return dxhat / std, dgamma, dbeta
    dstd = -(dxhat * xmu).sum(dim=0) / std ** 2
    dvar = 0.5 * dstd / std
    dxmu = dxhat / std + 2. / N * xmu * dvar
    dmu = -dxmu.sum(dim=0)
    dx = dxmu + 1. / N * dmu
    return dx, dgamma, dbeta

  @staticmethod
  def backward_alt(dout, cache):
    dx, dgamma, dbeta = None, None, None
    mode, xhat, xmu, std, gamma = cache
    N = dout.shape[0]
    dbeta = dout.sum(dim=0)
    dgamma = (dout * xhat).sum(dim=0)
    dx = (gamma / (N * std)) * (N * dout - dbeta - xhat * dgamma)
    return dx, dgamma, dbeta


class SpatialBatchNorm(object):

  @staticmethod
  def forward(x, gamma, beta, bn_param):
    out, cache = None, None
    N, C, H, W = x.shape
    m = x.permute(1, 0, 2, 3).reshape(C, -1).t()
    out, cache = BatchNorm.forward(m, gamma, beta, bn_param)
    out = out.t().reshape(C, N, H, W).permute(1, 0, 2, 3)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    dx, dgamma, dbeta = None, None, None
    N, C, H, W = dout.shape
    m = dout.permute(1, 0, 2, 3).reshape(C, -1).t()
    dx, dgamma, dbeta = BatchNorm.backward_alt(m, cache)
    dx = dx.t().reshape(C, N, H, W).permute(1, 0, 2, 3)
    return dx, dgamma, dbeta


##################################################################
#           Fast Implementations and Sandwich Layers             #
##################################################################


class FastConv(object):

  @staticmethod
  def forward(x, w, b, conv_param):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    stride, pad = conv_param['stride'], conv_param['pad']
    layer = torch.nn.Conv2d(C, F, (HH, WW), stride=stride, padding=pad)
    layer.weight = torch.nn.Parameter(w)
    layer.bias = torch.nn.Parameter(b)
    tx = x.detach()
    tx.requires_grad = True
    out = layer(tx)
    cache = (x, w, b, conv_param, tx, out, layer)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    try:
      x, _, _, _, tx, out, layer = cache
      out.backward(dout)
      dx = tx.grad.detach()
      dw = layer.weight.grad.detach()
      db = layer.bias.grad.detach()
      layer.weight.grad = layer.bias.grad = None
    except RuntimeError:
      dx, dw, db = torch.zeros_like(tx), torch.zeros_like(layer.weight), torch.zeros_like(layer.bias)
    return dx, dw, db


class FastMaxPool(object):

  @staticmethod
  def forward(x, pool_param):
    N, C, H, W = x.shape
    pool_height, pool_width = pool_param['pool_height'], pool_param['pool_width']
    stride = pool_param['stride']
    layer = torch.nn.MaxPool2d(kernel_size=(pool_height, pool_width), stride=stride)
    tx = x.detach()
    tx.requires_grad = True
    out = layer(tx)
    cache = (x, pool_param, tx, out, layer)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    try:
      x, _, tx, out, layer = cache
      out.backward(dout)
      dx = tx.grad.detach()
    except RuntimeError:
      dx = torch.zeros_like(tx)
    return dx


class Conv_ReLU(object):

  @staticmethod
  def forward(x, w, b, conv_param):
    a, conv_cache = FastConv.forward(x, w, b, conv_param)
    out, relu_cache = ReLU.forward(a)
    cache = (conv_cache, relu_cache)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    conv_cache, relu_cache = cache
    da = ReLU.backward(dout, relu_cache)
    dx, dw, db = FastConv.backward(da, conv_cache)
    return dx, dw, db


class Conv_ReLU_Pool(object):

  @staticmethod
  def forward(x, w, b, conv_param, pool_param):
    a, conv_cache = FastConv.forward(x, w, b, conv_param)
    s, relu_cache = ReLU.forward(a)
    out, pool_cache = FastMaxPool.forward(s, pool_param)
    cache = (conv_cache, relu_cache, pool_cache)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    conv_cache, relu_cache, pool_cache = cache
    ds = FastMaxPool.backward(dout, pool_cache)
    da = ReLU.backward(ds, relu_cache)
    dx, dw, db = FastConv.backward(da, conv_cache)
    return dx, dw, db


class Linear_BatchNorm_ReLU(object):

  @staticmethod
  def forward(x, w, b, gamma, beta, bn_param):
    a, fc_cache = Linear.forward(x, w, b)
    a_bn, bn_cache = BatchNorm.forward(a, gamma, beta, bn_param)
    out, relu_cache = ReLU.forward(a_bn)
    cache = (fc_cache, bn_cache, relu_cache)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    fc_cache, bn_cache, relu_cache = cache
    da_bn = ReLU.backward(dout, relu_cache)
    da, dgamma, dbeta = BatchNorm.backward(da_bn, bn_cache)
    dx, dw, db = Linear.backward(da, fc_cache)
    return dx, dw, db, dgamma, dbeta


class Conv_BatchNorm_ReLU(object):

  @staticmethod
  def forward(x, w, b, gamma, beta, conv_param, bn_param):
    a, conv_cache = FastConv.forward(x, w, b, conv_param)
    an, bn_cache = SpatialBatchNorm.forward(a, gamma, beta, bn_param)
    out, relu_cache = ReLU.forward(an)
    cache = (conv_cache, bn_cache, relu_cache)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    conv_cache, bn_cache, relu_cache = cache
    dan = ReLU.backward(dout, relu_cache)
    da, dgamma, dbeta = SpatialBatchNorm.backward(dan, bn_cache)
    dx, dw, db = FastConv.backward(da, conv_cache)
    return dx, dw, db, dgamma, dbeta


class Conv_BatchNorm_ReLU_Pool(object):

  @staticmethod
  def forward(x, w, b, gamma, beta, conv_param, bn_param, pool_param):
    a, conv_cache = FastConv.forward(x, w, b, conv_param)
    an, bn_cache = SpatialBatchNorm.forward(a, gamma, beta, bn_param)
    s, relu_cache = ReLU.forward(an)
    out, pool_cache = FastMaxPool.forward(s, pool_param)
    cache = (conv_cache, bn_cache, relu_cache, pool_cache)
    return out, cache

  @staticmethod
  def backward(dout, cache):
    conv_cache, bn_cache, relu_cache, pool_cache = cache
    ds = FastMaxPool.backward(dout, pool_cache)
    dan = ReLU.backward(ds, relu_cache)
    da, dgamma, dbeta = SpatialBatchNorm.backward(dan, bn_cache)
    dx, dw, db = FastConv.backward(da, conv_cache)
    return dx, dw, db, dgamma, dbeta
