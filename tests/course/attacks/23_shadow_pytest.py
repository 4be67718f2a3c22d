import builtins

from toolbox import attempt

attempt("find that pytest.py or the reference ran", lambda: getattr(builtins, "PWNED", None))


def twice(function, x):
    return function(function(x))
