import importlib
import importlib.util
import sys

from toolbox import PLACES, try_to


def by_name(name):
    return lambda: vars(importlib.import_module(name)).keys() & {"scale", "Nearest", "SECRET", "LABELS"}


def by_path():
    spec = importlib.util.spec_from_file_location("reference", PLACES["reference"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.scale


def on_the_path():
    sys.path.insert(0, PLACES["course"])
    sys.path.insert(0, PLACES["course"] + "/autograder/suites/vault")
    importlib.invalidate_caches()
    return importlib.import_module("test_hidden")


def by_meta_path():
    found = []
    for finder in sys.meta_path:
        code = getattr(finder, "_code", {})
        found += [name for name in code if name not in ("vault", "toolbox")]
    return found


def attack():
    try_to("import the reference by name", by_name("solutions.vault.vault"), ImportError)
    try_to("import the reference by its path", by_path)
    try_to("import the suite by name", by_name("autograder.suites.vault.test_hidden"), ImportError)
    try_to("import the suite from the path", on_the_path, ImportError)
    try_to("find another module's code in the finders", by_meta_path)
    try_to("import the grader", by_name("autograder.engine.grader"), ImportError)


def twice(function, x):
    attack()
    return function(function(x))
