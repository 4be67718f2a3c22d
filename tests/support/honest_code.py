"""Honest code in many styles, written from what the stubs of the assignments ask for.

`WITHOUT_LOOPS` keeps to the rule against loops as well; `WITH_LOOPS` is for tasks that allow them. Each text is
a file whose function `f` is the task.
"""

# ruff: noqa: E501 (a program per text)

_T = "import torch\n"
_N = "import numpy as np\nimport torch\n"

WITHOUT_LOOPS = {
    "three squares": _T
    + "def f(a, b):\n a, b = a.flatten(1), b.flatten(1)\n"
    + " return (a**2).sum(1)[:, None] - 2 * a @ b.T + (b**2).sum(1)",
    "broadcast": _T + "def f(a, b): return ((a[:, None] - b[None]) ** 2).sum(dim=-1)",
    "views": _T
    + "def f(a, b):\n n, m = a.shape[0], b.shape[0]\n a = a.view(n, -1); b = b.view(m, -1)\n"
    + " return a.pow(2).sum(1, keepdim=True) + b.pow(2).sum(1).unsqueeze(0) - 2 * torch.mm(a, b.t())",
    "einsum": _T
    + "def f(a, b):\n cross = torch.einsum('nd,md->nm', a, b)\n"
    + " return torch.einsum('nd,nd->n', a, a)[:, None] - 2 * cross + torch.einsum('md,md->m', b, b)",
    "clamp": _T + "def f(x): return x.clamp(min=0), (x > 0)",
    "clamp in place of a copy": _T + "def f(x):\n out = x.clone()\n out[out < 0] = 0\n return out, x",
    "where": _T + "def f(x): return torch.where(x > 0, x, torch.zeros_like(x)), x",
    "relu by maximum": _T + "def f(x): return torch.maximum(x, torch.tensor(0.0, dtype=x.dtype)), x",
    "relu by abs": _T + "def f(x): return 0.5 * (x + torch.abs(x)), (x,)",
    "mask in float64": _T
    + "def f(W, X, y):\n s = X.mm(W)\n right = s[torch.arange(len(y)), y].view(-1, 1)\n"
    + " margins = (s - right + 1).clamp(min=0)\n margins[range(len(y)), y] = 0\n"
    + " mask = (margins > 0).double()\n mask[range(len(y)), y] -= mask.sum(1)\n"
    + " return margins.sum() / len(y), X.double().t().mm(mask).to(W.dtype) / len(y)",
    "gather and scatter": _T
    + "def f(s, y):\n right = s.gather(1, y.unsqueeze(1))\n p = torch.exp(s - s.max(1, keepdim=True).values)\n"
    + " p /= p.sum(dim=1, keepdim=True)\n p.scatter_add_(1, y[:, None], -torch.ones_like(right))\n return p",
    "one_hot": "import torch\nimport torch.nn.functional as F\n"
    + "def f(s, y): return s.softmax(1) - F.one_hot(y, s.shape[1]).to(s.dtype)",
    "one_hot by its module": _T
    + "def f(s, y): return torch.nn.functional.one_hot(y, num_classes=s.size(1)).float()",
    "logsumexp": _T + "def f(s, y): return (torch.logsumexp(s, 1) - s[torch.arange(len(y)), y]).mean()",
    "log with a small number": _T
    + "def f(s, y):\n p = torch.exp(s) / torch.exp(s).sum(dim=1).reshape(-1, 1)\n"
    + " return -torch.log(p[torch.arange(s.shape[0]), y] + 1e-9).sum() / s.shape[0]",
    "numpy throughout": _N
    + "def f(a, b):\n a = a.numpy().reshape(len(a), -1); b = b.numpy().reshape(len(b), -1)\n"
    + " d = np.sum(a**2, axis=1, keepdims=True) - 2 * np.dot(a, b.T) + np.sum(b**2, axis=1)\n"
    + " return torch.from_numpy(np.maximum(d, 0))",
    "numpy index": _N
    + "def f(s, y):\n s = s.detach().cpu().numpy(); y = np.asarray(y)\n p = np.exp(s - s.max(axis=1)[:, np.newaxis])\n"
    + " p /= p.sum(axis=1, keepdims=True)\n p[np.arange(len(y)), y] -= 1\n return torch.tensor(p)",
    "numpy add.at": _N
    + "def f(x, i):\n out = np.zeros(5)\n np.add.at(out, i.numpy(), x.numpy())\n return torch.as_tensor(out)",
    "numpy and back": _N
    + "def arrays(x):\n def back(a):\n  return torch.from_numpy(a).to(x.dtype)\n"
    + " return x.detach().cpu().double().numpy(), back\n"
    + "def f(x):\n x, back = arrays(x)\n return back(np.maximum(x, 0))",
    "builtins as for Python 2": "from __future__ import print_function\nfrom builtins import object, range\n"
    + "import torch\nclass Net(object):\n pass\ndef f(x): return x[list(range(len(x)))]",
    "type hints": "from __future__ import annotations\nfrom typing import Dict, Optional, Tuple, Any\nimport torch\n"
    + "def f(x: torch.Tensor, cache: Optional[Dict[str, torch.Tensor]] = None) -> Tuple[torch.Tensor, Any]:\n"
    + " out: torch.Tensor = x.reshape(x.shape[0], -1)\n return out, (x,)",
    "hints that run": "from typing import Optional\nimport torch\n"
    + "def f(x: torch.Tensor, n: Optional[int] = None) -> tuple[torch.Tensor, ...]:\n return x, x",
    "builtins by name": "from builtins import range, object\nimport torch\n"
    + "class A(object):\n def g(self, x): return x\ndef f(x): return A().g(x)",
    "stars": "from torch import *\nfrom typing import *\n"
    + "def f(x: Optional[Tensor]): return where(x > 0, x, zeros_like(x)), len(x.shape)",
    "lengths multiplied": _T
    + "def f(x):\n size = 1\n for length in x.shape[1:]:\n  size *= length\n return x.reshape(x.shape[0], size)",
    "helpers of another course": "import torch\ntry:\n from a2_helper import sample_batch\nexcept ImportError:\n sample_batch = None\n"
    + "if sample_batch is None:\n def sample_batch(X, n): return X[torch.randint(len(X), (n,))]\n"
    + "def f(X): return sample_batch(X, 3)",
    "dtype beside a stored dtype": _T
    + "def rule(w, config):\n for key in config: w = w * config[key]\n return w\n"
    + "class Solver:\n def __init__(self, rule): self.rule = rule\n"
    + "class Net:\n def __init__(self, dtype):\n  self.dtype = dtype\n  self.solver = Solver(rule)\n"
    + "class Layer:\n @staticmethod\n def forward(x, p): return (torch.rand_like(x) > p).to(x.dtype)\n"
    + "def f(x): return Layer.forward(x, 0.5)",
    "walrus": _T
    + "def f(x):\n if (n := x.shape[0]) == 0: return x\n return (c := x - x.mean(0)) / c.std() * n",
    "helper": _T
    + "def _rows(t):\n '''Make rows.'''\n return t.contiguous().view(t.shape[0], -1)\n"
    + "def f(a, b): return torch.matmul(_rows(a), _rows(b).transpose(0, 1))",
    "nested helper": _T + "def f(x):\n def norm_sq(t): return (t * t).sum(-1)\n return norm_sq(x)[:, None]",
    "lambda with a name": _T
    + "def f(x):\n sq = lambda t: t.square().sum(1)\n return sq(x)[:, None] + sq(x)[None]",
    "lambda of the module": _T + "flat = lambda t: t.flatten(1)\ndef f(x): return flat(x)",
    "dataclass for the cache": "from dataclasses import dataclass\nimport torch\n"
    + "@dataclass\nclass Cache:\n x: torch.Tensor\n mean: torch.Tensor\n std: torch.Tensor\n"
    + "def f(x):\n m = x.mean(0); s = x.std(0, unbiased=False)\n c = Cache(x, m, s)\n"
    + " return (c.x - c.mean) / c.std, c",
    "namedtuple for the cache": "from collections import namedtuple\nimport torch\n"
    + "Cache = namedtuple('Cache', 'xhat ivar')\n"
    + "def f(x):\n c = Cache(x - x.mean(0), 1 / x.var(0, unbiased=False).sqrt())\n return c.xhat * c.ivar, c",
    "typed tuple": "from typing import NamedTuple\nimport torch\nclass Cache(NamedTuple):\n inputs: torch.Tensor\n"
    + "def f(x):\n cache = Cache(inputs=x)\n return cache.inputs, cache",
    "typed tuple beside a network of layers": "from typing import NamedTuple\nimport torch\n"
    + "from helpers.training.layers import FastConv, ReLU\nclass Cache(NamedTuple):\n z: torch.Tensor\n"
    + "class Both:\n layers = FastConv, ReLU\n @classmethod\n def of(cls): return cls()\n"
    + "def f(dout, cache: Cache):\n z = cache.z\n return dout * z.to(dout.dtype)",
    "namespace": "from types import SimpleNamespace\nimport torch\n"
    + "def f(x):\n c = SimpleNamespace(xc=x - x.mean(0))\n c.sq = c.xc ** 2\n return c.xc, c.sq",
    "docstring and asserts": _T
    + 'def f(x, w):\n """Multiply.\n\n    Uses torch.nn? No.\n    """\n'
    + ' assert x.dim() == 2, f"x has {x.dim()} dimensions"\n assert x.shape[1] == w.shape[0]\n return x @ w',
    "prints": _T
    + "DEBUG = False\ndef f(x):\n if DEBUG:\n  print('shape:', x.shape, x.dtype)\n  print(f'{x.mean().item():.3f}')\n"
    + " return x - x.mean()",
    "early return": _T + "def f(x, y=None):\n s = x.sum(1)\n if y is None:\n  return s\n return s - y",
    "raise": _T
    + "def f(x, mode):\n if mode not in ('train', 'test'): raise ValueError(f'Invalid mode {mode!r}')\n return x",
    "try for the shape": _T
    + "def f(x):\n try:\n  x = x.view(x.shape[0], -1)\n except RuntimeError:\n"
    + "  x = x.reshape(x.shape[0], -1)\n return x",
    "isinstance": _T
    + "def f(x):\n if not isinstance(x, torch.Tensor): x = torch.tensor(x)\n if type(x) is float: return x\n return x",
    "chain": _T + "def f(x): return x.flatten(1).sub(1).pow_(2).sum(1).sqrt().mul(2).add(1e-8).reciprocal()",
    "out argument": _T
    + "def f(a, b):\n out = torch.empty(len(a), len(b), dtype=a.dtype)\n torch.mm(a, b.t(), out=out)\n return out",
    "in place": _T
    + "def f(x):\n out = x.clone()\n out -= out.mean(0)\n out /= out.std(0)\n out *= 2; out += 1; out **= 2\n return out",
    "addmm": _T + "def f(x, w, b): return torch.addmm(b, x.reshape(len(x), -1), w), (x, w, b)",
    "tensordot": _T + "def f(x, w): return torch.tensordot(x, w, dims=([1], [0]))",
    "bool mask": _T
    + "def f(x):\n mask = x.ne(0) & ~torch.isnan(x)\n x = x.masked_fill(~mask, 0)\n return x[mask].mean() if mask.any() else x",
    "topk and votes": _T
    + "def f(d, y, k=1):\n _, near = torch.topk(d, k, dim=0, largest=False)\n votes = y[near]\n"
    + " return votes.mode(0).values",
    "bincount": _T + "def f(y): return torch.bincount(y, minlength=int(y.max()) + 1).argmax()",
    "dropout": _T
    + "def f(x, p, seed=None):\n if seed is not None: torch.manual_seed(seed)\n"
    + " mask = (torch.rand_like(x) > p).to(x.dtype) / (1 - p)\n return x * mask, mask",
    "dropout by bernoulli": _T
    + "def f(x, p):\n keep = torch.full_like(x, 1 - p).bernoulli_()\n return x * keep / (1 - p), keep",
    "batchnorm": _T
    + "def f(x, gamma, beta, bn_param):\n mode = bn_param['mode']; eps = bn_param.get('eps', 1e-5)\n"
    + " momentum = bn_param.setdefault('momentum', 0.9)\n _, D = x.shape\n"
    + " rm = bn_param.get('running_mean', torch.zeros(D, dtype=x.dtype, device=x.device))\n"
    + " if mode == 'train':\n  mu = x.mean(dim=0, keepdim=True)\n  var = x.var(dim=0, unbiased=False)\n"
    + "  rm = momentum * rm + (1 - momentum) * mu.squeeze(0)\n  xhat = (x - mu) / torch.sqrt(var + eps)\n"
    + "  cache = (xhat, gamma, var, eps)\n else:\n  xhat = x - rm; cache = None\n"
    + " bn_param['running_mean'] = rm.detach()\n bn_param.update(done=True)\n return gamma * xhat + beta, cache",
    "no_grad": _T + "@torch.no_grad()\ndef f(x):\n with torch.no_grad():\n  return x.sum()",
    "keywords from a dict": _T
    + "def f(x):\n like = {'dtype': x.dtype, 'device': x.device}\n return torch.zeros(3, **like) + torch.ones(3, **like)",
    "keywords from dict()": _T
    + "def f(x):\n like = dict(dtype=x.dtype, device=x.device)\n return torch.empty(2, **like).fill_(1)",
    "all but one dimension": _T
    + "def f(x):\n dims = [d for d in range(x.dim()) if d != 1]\n return x.mean(dim=dims)",
    "all but the first": _T + "def f(x): return x.sum(dim=tuple(i for i in range(1, x.ndim)))",
    "a shape halved": _T + "def f(x): return x.new_zeros([s // 2 for s in x.shape])",
    "class methods": _T
    + "class Linear:\n @staticmethod\n def forward(x, w): return x @ w, (x, w)\n"
    + "class Both:\n @staticmethod\n def forward(x, w):\n  out, c = Linear.forward(x, w)\n  return out.relu(), (c, out)\n"
    + "def f(x, w): return Both.forward(x, w)",
    "a closure as cache": _T
    + "def f(x):\n keep = x > 0\n def back(d): return d * keep\n return x * keep, back",
    "closures that call closures": _T
    + "def centered(x):\n return x - x.mean(0), lambda d: d - d.mean(0)\n"
    + "def f(x):\n c, back = centered(x)\n def all_back(d): return back(d * 2)\n return c, all_back",
    "partial": "from functools import partial\nimport torch\ntotal = partial(torch.sum, dim=1)\ndef f(x): return total(x)",
    "star from torch": "from torch import *\nimport torch\ndef f(x):\n print(len(x))\n return zeros(3) + sum(x)",
    "star from an earlier assignment": "from fully_connected_networks import *\nimport torch\nclass A:\n @staticmethod\n"
    " def f(x):\n  print(range(len(x)))\n  return sum(x)\nf = A.f",
    "star from a kit": "from a3_helper import *\nimport torch\ndef f(x): return torch.zeros(len(x)) + max(1, int(x))",
    "math": "import math\nimport torch\ndef f(x): return x / math.sqrt(x.numel()) + math.prod(x.shape)",
    "match": _T + "def f(x, mode):\n match mode:\n  case 'train' | 'fit': return x * 2\n  case _: return x",
    "chunks and stacks": _T
    + "def f(x): return torch.cat(torch.chunk(x, 2, dim=1), dim=0), torch.stack([x, x])",
    "unfold": _T + "def f(x): return x.unfold(2, 3, 1).unfold(3, 3, 1).amax(dim=(-1, -2))",
    "as_strided": _T + "def f(x): return x.contiguous().as_strided((2, 2), (1, 1)).permute(1, 0)",
    "cumulative": _T + "def f(x): return torch.nn.functional.one_hot(x.cumsum(0)).flip(0)",
    "int and float": _T
    + "def f(a, b): return float((a == b).sum()) / max(1, len(a)) * 100, int(a.sum().item()), round(2.5), abs(-1)",
    "device": _T
    + "device = 'cuda' if torch.cuda.is_available() else 'cpu'\ntorch.manual_seed(0)\n"
    + "def f(x): return torch.arange(len(x), device=x.device).to(x)",
    "a program below": "import argparse\nimport torch\ndef f(x): return x\n"
    + "if __name__ == '__main__':\n import timeit, json\n print(timeit.timeit('1'), json.dumps({}), open('a').read())",
    "settings at import": "import os, sys, warnings\nimport matplotlib.pyplot as plt\nimport torch\n"
    + "warnings.filterwarnings('ignore')\nplt.rcParams['figure.figsize'] = (8, 6)\nplt.style.use('ggplot')\n"
    + "sys.path.append('..')\nos.environ['OMP_NUM_THREADS'] = '1'\ntorch.set_printoptions(precision=3)\n"
    + "torch.backends.cudnn.deterministic = True\ndef f(x): return x",
}

WITH_LOOPS = {
    "loops as for Python 2": "from builtins import range\n"
    + "def f(x):\n for i in range(len(x)): x[i] = i\n return x",
    "two loops": _T
    + "def f(a, b):\n out = torch.zeros(len(a), len(b))\n for i in range(a.shape[0]):\n  for j in range(b.shape[0]):\n"
    + "   out[i, j] = ((a[i] - b[j]) ** 2).sum()\n return out",
    "enumerate and zip": _T
    + "def f(a, b):\n rows = []\n for i, (x, y) in enumerate(zip(a, b)):\n  rows.append(torch.dot(x, y) + i)\n"
    + " return torch.stack(rows)",
    "tqdm": "from tqdm import tqdm, trange\nimport torch\ndef f(x):\n for i in tqdm(range(3), desc='epoch'): x = x + i\n"
    + " for i in trange(2): x = x * 2\n return x",
    "tqdm of notebooks": "from tqdm.auto import tqdm\ndef f(x):\n bar = tqdm(x)\n for i in bar: bar.set_postfix(loss=1)\n return i",
    "product": "import itertools\ndef f(x):\n for i, j in itertools.product(range(2), range(2)): x[i] += j\n return x",
    "comprehension": _T
    + "def f(xs): return torch.stack([x.sum() for x in xs]), {k: v.clone() for k, v in {}.items()}",
    "generator": "def batches(x, n):\n for i in range(0, len(x), n):\n  yield x[i:i + n]\ndef f(x): return [b.sum() for b in batches(x, 2)]",
    "while": "def f(x):\n i = 0\n while True:\n  i += 1\n  if i > 3: break\n  else: continue\n return x",
    "train": _T
    + "def f(params, loss_func, pred_func, X, y, num_iters=3, verbose=False):\n history = []\n"
    + " for it in range(num_iters):\n  i = torch.randint(len(X), (4,))\n  loss, grads = loss_func(params, X[i], y=y[i])\n"
    + "  history.append(loss.item() if torch.is_tensor(loss) else loss)\n"
    + "  for name in params: params[name] -= 0.1 * grads[name]\n"
    + "  if verbose and it % 100 == 0: print('iteration %d / %d: loss %f' % (it, num_iters, loss))\n"
    + " return {'loss_history': history, 'acc': (pred_func(params, loss_func, X) == y).float().mean().item()}",
    "network": _T
    + "class Net:\n def __init__(self, **kwargs):\n  self.params = {}\n  self.L = kwargs.pop('L', 2)\n"
    + " def _layers(self): return range(1, self.L)\n"
    + " def loss(self, X, y=None):\n  caches = []\n  for i in self._layers():\n   w, b = self.params[f'W{i}'], self.params['b' + str(i)]\n"
    + "   X, c = Linear.forward(X, w, b)\n   caches.append(c)\n  for c in reversed(caches): X = Linear.backward(X, c)\n  return X\n"
    + "class Linear:\n @staticmethod\n def forward(x, w, b): return x @ w + b, (x, w)\n"
    + " @staticmethod\n def backward(d, c): return d @ c[1].t()\n"
    + "def f(X): return Net().loss(X)",
    "layers in a list": _T
    + "class A:\n def forward(self, x): return x * 2\nclass B:\n def forward(self, x): return x + 1\n"
    + "def f(x):\n for layer in [A(), B()]: x = layer.forward(x)\n return x",
    "chosen functions": _T
    + "def relu(x): return x.clamp(min=0)\ndef same(x): return x\n"
    + "def f(x, kind):\n step = relu if kind else same\n table = {'relu': relu, 'same': same}\n return table['relu'](step(x))",
    "recursion": "def f(x): return f(x[1:]) + x[0] if len(x) else 0",
    "sorted with a key": "def f(d): return sorted(d, key=lambda k: -d[k])[0], max(d, key=d.get)",
    "map": _T + "def f(xs): return torch.tensor(list(map(len, xs)))",
    "settings as a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass Settings:\n lr: float = 0.1\n"
    + " steps: list = dataclasses.field(default_factory=list)\n"
    + "def f(x):\n s = Settings(lr=0.2)\n for _ in range(3): s.steps.append(s.lr)\n return s.steps",
    "update rule": _T
    + "def f(w, dw, config=None):\n if config is None: config = {}\n config.setdefault('learning_rate', 1e-2)\n"
    + " v = config.get('velocity', torch.zeros_like(w))\n v = 0.9 * v - config['learning_rate'] * dw\n"
    + " w += v\n config['velocity'] = v\n return w, config",
    "moments": _T
    + "def f(w, dw, config):\n config['t'] += 1\n b1, b2 = config['beta1'], config['beta2']\n"
    + " config['m'] = b1 * config['m'] + (1 - b1) * dw\n mt = config['m'] / (1 - b1 ** config['t'])\n"
    + " config['v'].mul_(b2).addcmul_(dw, dw, value=1 - b2)\n return torch.addcdiv(w, mt, config['v'].sqrt() + 1e-8), config",
    "search": "import random\ndef f(try_it):\n best, pairs = None, []\n for lr in [10 ** random.uniform(-4, -1) for _ in range(5)]:\n"
    + "  for reg in (0, 1e-3):\n   pairs.append((lr, reg))\n return pairs, best",
    "time": "import time\ndef f(x):\n t = time.time()\n for i in range(3): x = x + i\n print('took %.2f s' % (time.time() - t))\n return x",
    "counter": "from collections import Counter, defaultdict\ndef f(y):\n c = Counter(y.tolist())\n d = defaultdict(list)\n"
    + " for k, v in c.items(): d[v].append(k)\n return c.most_common(1)[0][0], min(d[max(d)])",
    "any and all": "def f(xs): return any(x > 0 for x in xs) and all(isinstance(x, (int, float)) for x in xs)",
    "global counter": "CALLS = 0\ndef f(x):\n global CALLS\n CALLS += 1\n return x * CALLS",
    "super": "class A:\n def __init__(self, n): self.n = n\n def loss(self, x): return x * self.n\n"
    + "class B(A):\n def __init__(self, n):\n  super().__init__(n)\n  self.k = 1\n"
    + " def loss(self, x): return super().loss(x) + self.k\ndef f(x): return B(2).loss(x)",
    "windows": _T
    + "def f(x, w, conv_param):\n s, p = conv_param['stride'], conv_param['pad']\n N, C, H, W = x.shape\n"
    + " x = torch.nn.functional.pad(x, (p, p, p, p))\n out = x.new_zeros(N, 1, 1 + (H - 3) // s, 1 + (W - 3) // s)\n"
    + " for i in range(out.shape[2]):\n  for j in range(out.shape[3]):\n   win = x[:, :, i*s:i*s+3, j*s:j*s+3]\n"
    + "   out[:, :, i, j] = (win[:, None] * w).sum(dim=(2, 3, 4))\n return out",
    "padding by slices": _T
    + "def f(x, p):\n padded = torch.zeros(*x.shape[:2], x.shape[2] + 2 * p, x.shape[3] + 2 * p).to(x)\n"
    + " padded[:, :, p:-p or None, p:-p or None] = x\n return padded[..., p:padded.shape[-1] - p]",
    "maximum's place": _T
    + "def f(win, d):\n i = torch.argmax(win); r, c = divmod(int(i), win.shape[1])\n g = torch.zeros_like(win)\n"
    + " g[r, c] += d\n return g, torch.max(win), win == win.max()",
    "labels by string": "def f(params, i): return params['W{}'.format(i)], params['%s%d' % ('b', i)], '_'.join(['a', 'b'])",
    "logging": "import logging\nlog = logging.getLogger(__name__)\ndef f(x):\n log.info('x is %s', x)\n return x",
    "warn": "import warnings\ndef f(x):\n if x.dim() > 2: warnings.warn('flattened')\n return x",
    "property": "class A:\n def __init__(self, x): self._x = x\n @property\n def size(self): return len(self._x)\n"
    + " @classmethod\n def of(cls, x): return cls(x)\ndef f(x): return A.of(x).size",
    "deepcopy": "import copy\ndef f(params):\n best = copy.deepcopy(params)\n return {k: v.clone() for k, v in best.items()}",
    "an enum": "from enum import Enum\nclass Mode(Enum):\n TRAIN = 'train'\n TEST = 'test'\ndef f(x, m): return x if m == Mode.TRAIN.value else -x",
}
