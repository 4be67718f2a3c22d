import builtins

from toolbox import try_to

try_to("find that torch.py or sitecustomize.py ran", lambda: getattr(builtins, "PWNED", None))


def twice(function, x):
    return function(function(x))
