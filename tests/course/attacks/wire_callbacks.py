import torch
from toolbox import attempt, did

KEPT = []


def twice(function, x):
    """Ask the test's function for everything that it should not answer."""
    attempt(
        "look inside the callback", lambda: [n for n in dir(function) if n in ("__code__", "__globals__")]
    )
    attempt("read its name", lambda: getattr(function, "__name__", None))
    for argument in (function, "text", None, [torch.zeros(2)], KEPT, {"x": 1}, torch, object()):
        attempt(
            f"pass a {type(argument).__name__}",
            lambda argument=argument: function(argument) and 0,
            RuntimeError,
        )
    attempt("pass nothing", lambda: function(), RuntimeError)
    attempt("pass a name", lambda: function(SECRET=x), RuntimeError)
    attempt("call itself through it", lambda: function(twice), RuntimeError)
    KEPT.append(function)
    return function(function(x))


def scale(x, factor):
    did("call what an earlier test passed in")
    return KEPT[0](x)
