"""
Implements a two-layer Neural Network classifier in PyTorch.
WARNING: you SHOULD NOT use ".to()" or ".cuda()" in each implementation block.
"""
import torch
import random
import statistics
try:
  from a2_helper import sample_batch
except ImportError:
  sample_batch = None


if sample_batch is None:
  # a2_helper is not there on my laptop
  def sample_batch(X, y, num_train, batch_size):
    idx = torch.randint(0, num_train, (batch_size,))
    return X[idx], y[idx]


def hello_two_layer_net():
  print('Hello from two_layer_net.py!')


# Template class modules that we will use later: Do not edit/modify this class
class TwoLayerNet(object):
  def __init__(self, input_size, hidden_size, output_size,
               dtype=torch.float32, device='cpu', std=1e-4):
    # reset seed before start
    random.seed(0)
    torch.manual_seed(0)

    self.params = {}
    self.params['W1'] = std * torch.randn(input_size, hidden_size, dtype=dtype, device=device)
    self.params['b1'] = torch.zeros(hidden_size, dtype=dtype, device=device)
    self.params['W2'] = std * torch.randn(hidden_size, output_size, dtype=dtype, device=device)
    self.params['b2'] = torch.zeros(output_size, dtype=dtype, device=device)

  def loss(self, X, y=None, reg=0.0):
    return nn_forward_backward(self.params, X, y, reg)

  def train(self, X, y, X_val, y_val, learning_rate=1e-3, learning_rate_decay=0.95,
            reg=5e-6, num_iters=100, batch_size=200, verbose=False):
    return nn_train(self.params, nn_forward_backward, nn_predict, X, y, X_val, y_val,
                    learning_rate, learning_rate_decay, reg, num_iters, batch_size, verbose)

  def predict(self, X):
    return nn_predict(self.params, nn_forward_backward, X)

  def save(self, path):
    torch.save(self.params, path)
    print("Saved in {}".format(path))

  def load(self, path):
    checkpoint = torch.load(path, map_location='cpu')
    self.params = checkpoint
    print("load checkpoint file: {}".format(path))


def nn_forward_pass(params, X):
    # Unpack variables from the params dictionary
    W1, b1 = params['W1'], params['b1']
    W2, b2 = params['W2'], params['b2']
    N, D = X.shape
    # Compute the forward pass
    hidden = None
    scores = None
    hidden = X.mm(W1) + b1
    hidden[hidden < 0] = 0
    scores = hidden.mm(W2) + b2
    return scores, hidden


def nn_forward_backward(params, X, y=None, reg=0.0):
    # Unpack variables from the params dictionary
    W1, b1 = params['W1'], params['b1']
    W2, b2 = params['W2'], params['b2']
    N, D = X.shape
    scores, h1 = nn_forward_pass(params, X)
    # If the targets are not given then jump out, we're done
    if y is None:
      return scores
    # Compute the loss
    loss = None
    val, _ = scores.max(dim=1, keepdim=True)
    shift = scores - val
    log_sum = shift.exp().sum(dim=1).log()
    loss = (log_sum - shift[torch.arange(N), y]).sum() / N
    loss += reg * (torch.sum(W1 * W1) + torch.sum(W2 * W2))
    # Backward pass: compute gradients
    grads = {}
    probs = shift.exp() / shift.exp().sum(dim=1, keepdim=True)
    probs[torch.arange(N), y] -= 1
    probs /= N
    grads['W2'] = h1.t().mm(probs) + 2 * reg * W2
    grads['b2'] = probs.sum(dim=0)
    dh = probs.mm(W2.t())
    dh[h1 == 0] = 0
    grads['W1'] = X.t().mm(dh) + 2 * reg * W1
    grads['b1'] = dh.sum(dim=0)
    return loss, grads


def nn_train(params, loss_func, pred_func, X, y, X_val, y_val, learning_rate=0.001, learning_rate_decay=0.95, reg=5e-06, num_iters=100, batch_size=200, verbose=False):
    num_train = X.shape[0]
    iterations_per_epoch = max(num_train // batch_size, 1)

    # Use SGD to optimize the parameters in self.model
    loss_history = []
    train_acc_history = []
    val_acc_history = []

    for it in range(num_iters):
      X_batch, y_batch = sample_batch(X, y, num_train, batch_size)
      # Compute loss and gradients using the current minibatch
      loss, grads = loss_func(params, X_batch, y=y_batch, reg=reg)
      loss_history.append(float(loss))
      for k in params:
        params[k] -= learning_rate * grads[k]
      if verbose and it % 100 == 0:
        print('iteration %d / %d: loss %f' % (it, num_iters, loss))
      # Every epoch, check train and val accuracy and decay learning rate.
      if it % iterations_per_epoch == 0:
        # Check accuracy
        y_train_pred = pred_func(params, loss_func, X_batch)
        train_acc = (y_train_pred == y_batch).float().mean().item()
        y_val_pred = pred_func(params, loss_func, X_val)
        val_acc = (y_val_pred == y_val).float().mean().item()
        train_acc_history.append(train_acc)
        val_acc_history.append(val_acc)
        # Decay learning rate
        learning_rate *= learning_rate_decay

    return {
      'loss_history': loss_history,
      'train_acc_history': train_acc_history,
      'val_acc_history': val_acc_history,
    }


def nn_predict(params, loss_func, X):
    y_pred = None
    y_pred = loss_func(params, X).argmax(dim=1)
    return y_pred


def nn_get_search_params():
    learning_rates = [1e-1, 1e-2]
    hidden_sizes = [32, 64, 128]
    regularization_strengths = [0, 1e-5, 1e-3]
    learning_rate_decays = [1.0, 0.95]
    return learning_rates, hidden_sizes, regularization_strengths, learning_rate_decays


def find_best_net(data_dict, get_param_set_fn):
    best_net = None
    best_stat = None
    best_val_acc = 0.0
    lrs, hss, rss, lrds = get_param_set_fn()
    for lr in lrs:
      for hs in hss:
        for rs in rss:
          for lrd in lrds:
            net = TwoLayerNet(data_dict['X_train'].shape[1], hs, int(data_dict['y_train'].max()) + 1, device=data_dict['X_train'].device, dtype=data_dict['X_train'].dtype)
            stats = net.train(data_dict['X_train'], data_dict['y_train'], data_dict['X_val'], data_dict['y_val'],
                              num_iters=500, batch_size=1000, learning_rate=lr, learning_rate_decay=lrd, reg=rs, verbose=False)
            val_acc = (net.predict(data_dict['X_val']) == data_dict['y_val']).float().mean().item()
            if best_net is None or val_acc > best_val_acc:
              best_net, best_stat, best_val_acc = net, stats, val_acc
    return best_net, best_stat, best_val_acc
