import nets.loops as loops
from toolbox import did
from utils import *  # noqa: F403

did("have a loop in another file, by way of a third")


def scale(x, factor):
    return scaled(x, factor)  # noqa: F405


def twice(function, x):
    return loops.twice(function, x)
