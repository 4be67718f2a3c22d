import builtins

from toolbox import try_to

try_to("find that stale bytecode ran", lambda: getattr(builtins, "PWNED", None))


def twice(function, x):
    return function(function(x))
