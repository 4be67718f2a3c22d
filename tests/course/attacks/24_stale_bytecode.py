import builtins

from toolbox import attempt

attempt("find that stale bytecode ran", lambda: getattr(builtins, "PWNED", None))


def twice(function, x):
    return function(function(x))
