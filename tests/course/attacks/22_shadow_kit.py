import importlib

import torch
from toolbox import did, try_to

import helpers

did("shadow the kit and PyTorch by files beside the module")
assert helpers.MINE
assert not hasattr(torch, "MINE")


def theirs():
    """Name the modules of the kit and of packages that are the student's now."""
    names = (
        "helpers",
        "helpers.testing.checks",
        "helpers.testing.evidence",
        "torch",
        "autograder.engine.worker",
    )
    return [name for name in names if hasattr(importlib.import_module(name), "MINE")]


try_to("find the student's files in the place of the kit's", theirs)


def twice(function, x):
    return function(function(x))
