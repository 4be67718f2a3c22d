"""Layers and update rules that are given to students, built on PyTorch's operations.

A layer is a class with two static functions: ``forward`` returns the result and a cache, and ``backward``
takes the gradient of a loss with respect to that result, and the cache, and returns the gradients with
respect to what went in. PyTorch works these gradients out; an assignment that asks for them by hand bans
this module. A `Composite` is a layer that is put together of others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.adam import adam as _adam
from torch.optim.rmsprop import rmsprop as _rmsprop
from torch.optim.sgd import sgd as _sgd

Config = dict[str, Any]


class Linear:
    """A fully connected layer."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        """Compute x w + b for x (N, ...) with D numbers per example, w (D, M) and b (M,); returns (N, M).

        The cache is ``(x, w, b)``.
        """
        return _affine(x, w, b)[0], (x, w, b)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients (dx, dw, db), each of the shape of what it belongs to."""
        dx, dw, db = _gradients(dout, _affine(*cache)[1])
        return dx, dw, db


class ReLU:
    """The rectifier, max(0, x), entry by entry."""

    @staticmethod
    def forward(x: Tensor) -> tuple[Tensor, Any]:
        """Compute max(0, x) for x of any shape."""
        return _trace(F.relu, x)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        """Return the gradient dx."""
        return _gradients(dout, cache)[0]


class FastConv:
    """Convolution by PyTorch. Shapes that do not fit raise PyTorch's error."""

    @staticmethod
    def forward(x: Tensor, w: Tensor, b: Tensor, conv_param: Mapping[str, int]) -> tuple[Tensor, Any]:
        """Convolve x (N, C, H, W) with w (F, C, HH, WW) and b (F,); `conv_param` holds stride and pad."""
        stride, pad = conv_param["stride"], conv_param["pad"]
        return _trace(lambda x, w, b: F.conv2d(x, w, b, stride=stride, padding=pad), x, w, b)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return the gradients (dx, dw, db)."""
        dx, dw, db = _gradients(dout, cache)
        return dx, dw, db


class FastMaxPool:
    """Max pooling by PyTorch. Shapes that do not fit raise PyTorch's error."""

    @staticmethod
    def forward(x: Tensor, pool_param: Mapping[str, int]) -> tuple[Tensor, Any]:
        """Pool x (N, C, H, W); `pool_param` holds pool_height, pool_width and stride."""
        window = pool_param["pool_height"], pool_param["pool_width"]
        return _trace(lambda x: F.max_pool2d(x, window, stride=pool_param["stride"]), x)

    @staticmethod
    def backward(dout: Tensor, cache: Any) -> Tensor:
        """Return the gradient dx; of several equal maxima in a window, the first gets it."""
        return _gradients(dout, cache)[0]


class Composite:
    """Layers one after another. A subclass names them, and has its own `forward` to say what they take.

    Attributes
    ----------
    layers : tuple of class
        The layers, from the first to the last.
    """

    layers: ClassVar[tuple[Any, ...]]

    @classmethod
    def through(cls, x: Tensor, *arguments: tuple[Any, ...]) -> tuple[Tensor, Any]:
        """Go forward through all layers; `arguments` holds what each of them takes besides its input."""
        caches = []
        for layer, taken in zip(cls.layers, arguments, strict=True):
            x, cache = layer.forward(x, *taken)
            caches.append(cache)
        return x, caches

    @classmethod
    def backward(cls, dout: Tensor, cache: Any) -> tuple[Tensor, ...]:
        """Return dx, and then the gradients of all parameters in the order in which `forward` takes them."""
        gradients: list[Tensor] = []
        for layer, kept in zip(reversed(cls.layers), reversed(cache), strict=True):
            found = layer.backward(dout, kept)
            dout, *own = (found,) if isinstance(found, Tensor) else found
            gradients = [*own, *gradients]
        return dout, *gradients


class Linear_ReLU(Composite):
    """A fully connected layer and a ReLU."""

    layers = Linear, ReLU

    @classmethod
    def forward(cls, x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
        """Compute max(0, x w + b), in the shapes of `Linear`."""
        return cls.through(x, (w, b), ())


class Conv_ReLU(Composite):
    """Convolution and ReLU."""

    layers = FastConv, ReLU

    @classmethod
    def forward(cls, x: Tensor, w: Tensor, b: Tensor, conv_param: Mapping[str, int]) -> tuple[Tensor, Any]:
        """Go forward through both layers."""
        return cls.through(x, (w, b, conv_param), ())


class Conv_ReLU_Pool(Composite):
    """Convolution, ReLU and max pooling."""

    layers = FastConv, ReLU, FastMaxPool

    @classmethod
    def forward(
        cls, x: Tensor, w: Tensor, b: Tensor, conv_param: Mapping[str, int], pool_param: Mapping[str, int]
    ) -> tuple[Tensor, Any]:
        """Go forward through the three layers."""
        return cls.through(x, (w, b, conv_param), (), (pool_param,))


def sgd(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of gradient descent, as `torch.optim.SGD` does.

    Parameters
    ----------
    w, dw : Tensor
        A parameter and its gradient; neither is modified.
    config : dict, optional
        ``learning_rate`` (1e-2).

    Returns
    -------
    next_w : Tensor
    config : dict

    Examples
    --------
    >>> sgd(torch.tensor([1.0]), torch.tensor([2.0]), {"learning_rate": 0.25})
    (tensor([0.5000]), {'learning_rate': 0.25})
    """
    config = {"learning_rate": 1e-2, **(config or {})}
    return w.sub(dw, alpha=config["learning_rate"]), config


def sgd_momentum(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of gradient descent with momentum, as `torch.optim.SGD` does.

    Parameters
    ----------
    w, dw : Tensor
        A parameter and its gradient; neither is modified.
    config : dict, optional
        ``learning_rate`` (1e-2) and ``momentum`` (0.9); `velocity` is kept here from step to step.

    Returns
    -------
    next_w : Tensor
    config : dict
    """
    config = {"learning_rate": 1e-2, "momentum": 0.9, **(config or {})}
    velocity, next_w = config.get("velocity", torch.zeros_like(w)).clone(), w.clone()
    options: dict[str, Any] = {"lr": config["learning_rate"], "momentum": config["momentum"]}
    options |= {"weight_decay": 0.0, "dampening": 0.0, "nesterov": False, "maximize": False}
    with torch.no_grad():
        _sgd([next_w], [dw], [velocity], foreach=False, **options)
    return next_w, config | {"velocity": velocity}


def rmsprop(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of RMSProp, as `torch.optim.RMSprop` does.

    Parameters
    ----------
    w, dw : Tensor
        A parameter and its gradient; neither is modified.
    config : dict, optional
        ``learning_rate`` (1e-2), ``decay_rate`` (0.99) and ``epsilon`` (1e-8); the mean square of the
        gradients, ``cache``, is kept here from step to step.

    Returns
    -------
    next_w : Tensor
    config : dict
    """
    config = {"learning_rate": 1e-2, "decay_rate": 0.99, "epsilon": 1e-8, **(config or {})}
    cache, next_w = config.get("cache", torch.zeros_like(w)).clone(), w.clone()
    options: dict[str, Any] = {"lr": config["learning_rate"], "alpha": config["decay_rate"]}
    options |= {"eps": config["epsilon"], "weight_decay": 0.0, "momentum": 0.0, "centered": False}
    with torch.no_grad():
        _rmsprop([next_w], [dw], [cache], [], [], [torch.tensor(0.0)], foreach=False, **options)
    return next_w, config | {"cache": cache}


def adam(w: Tensor, dw: Tensor, config: Config | None = None) -> tuple[Tensor, Config]:
    """Take a step of Adam (Kingma and Ba, 2015), as `torch.optim.Adam` does.

    Parameters
    ----------
    w, dw : Tensor
        A parameter and its gradient; neither is modified.
    config : dict, optional
        ``learning_rate`` (1e-3), ``beta1`` (0.9), ``beta2`` (0.999) and ``epsilon`` (1e-8); the moments
        ``m`` and ``v`` and the number of steps ``t`` are kept here from step to step.

    Returns
    -------
    next_w : Tensor
    config : dict
    """
    config = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, **(config or {})}
    m, v = (config.get(name, torch.zeros_like(w)).clone() for name in "mv")
    steps, next_w = torch.tensor(float(config.get("t", 0))), w.clone()
    options: dict[str, Any] = {name: config[name] for name in ("beta1", "beta2")}
    options |= {"lr": config["learning_rate"], "eps": config["epsilon"], "weight_decay": 0.0}
    with torch.no_grad():
        _adam([next_w], [dw], [m], [v], [], [steps], foreach=False, amsgrad=False, maximize=False, **options)
    return next_w, config | {"m": m, "v": v, "t": int(steps)}


def _affine(x: Tensor, w: Tensor, b: Tensor) -> tuple[Tensor, Any]:
    """Return x w + b, and what its gradients need."""
    return _trace(lambda x, w, b: x.flatten(1) @ w + b, x, w, b)


def _trace(function: Callable[..., Tensor], *inputs: Tensor) -> tuple[Tensor, Any]:
    """Return the value of a function, and what its gradients need."""
    leaves = [value.detach().requires_grad_() for value in inputs]
    with torch.enable_grad():
        out = function(*leaves)
    return out.detach(), (out, leaves)


def _gradients(dout: Tensor, cache: Any) -> tuple[Tensor, ...]:
    """Return the gradients with respect to the inputs of the function."""
    out, leaves = cache
    found: tuple[Tensor, ...] = torch.autograd.grad(out, leaves, dout, retain_graph=True)
    return found
