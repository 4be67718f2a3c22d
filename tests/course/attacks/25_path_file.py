import builtins

from toolbox import try_to

try_to("find that a .pth file was read", lambda: getattr(builtins, "PWNED", None))


def twice(function, x):
    return function(function(x))
