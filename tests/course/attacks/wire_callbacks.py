import torch
from toolbox import did, try_to

KEPT = []


def twice(function, x):
    """Ask the test's function for everything that it should not answer."""
    try_to("look inside the callback", lambda: [n for n in dir(function) if n in ("__code__", "__globals__")])
    try_to("read its name", lambda: getattr(function, "__name__", None))
    for argument in (function, "text", None, [torch.zeros(2)], KEPT, {"x": 1}, torch, object()):
        try_to(
            f"pass a {type(argument).__name__}",
            lambda argument=argument: function(argument) and 0,
            RuntimeError,
        )
    try_to("pass nothing", lambda: function(), RuntimeError)
    try_to("pass a name", lambda: function(SECRET=x), RuntimeError)
    try_to("call itself through it", lambda: function(twice), RuntimeError)
    KEPT.append(function)
    return function(function(x))


def scale(x, factor):
    did("call what an earlier test passed in")
    return KEPT[0](x)
