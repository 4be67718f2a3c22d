"""Whether a rule about source can tell what code does: names, constructs and values that it does not know.

docs/rules.md describes the language; the names are in `helpers.testing.vocabulary`.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

import torch

from helpers import other_kits, places
from helpers.source.facts import FunctionFacts
from helpers.source.references import GRADIENTS, ON_GPU
from helpers.source.units import BY_NAME, FIELD, OBJECT, OWN, PARAMETER_CALL, VALUE_CALL, Sighting
from helpers.testing import vocabulary as known

ALWAYS = frozenset({"torch.nn.functional.one_hot"})
"""What lies in a module that tasks ban, and computes nothing that one of them is about."""
_NAMES = 4096
_FOREIGN = known.words(
    """
sys os builtins bltns importlib inspect types subprocess io ctypes gc codecs pickle marshal code runpy
threading copyreg imp pkgutil linecache eval exec query multiprocessing socket signal weakref atexit
traceback
    """
)
"""Modules and functions that other modules hold, and that no name may lead through."""
_HELPERS_WITHOUT_LOOPS = tuple(
    f"helpers.training.{name}" for name in ("layers", "losses", "randomness", "batches")
)
_ATTRIBUTES_OF_HELPERS = known.words(
    """
best_params best_val_acc train_acc_history val_acc_history loss_history train params loss optim_configs
check_accuracy forward backward through layers update_rule
    """
)
_KEPT = (VALUE_CALL, PARAMETER_CALL, "a type as a value", OBJECT)
_CALLED_BY_NUMPY = frozenset(
    f"numpy.{name}" for name in ("pad", "set_printoptions", "printoptions", "array2string", "errstate")
)
"""Functions of NumPy on the lists that call a function which they are given."""
_ONLY_IN_LOOPS = ("the method ", "a class of ", "print to a file", "a format that is computed")


def find_unknown(facts: FunctionFacts, *, strict: bool, loops: bool, gradients: bool) -> Iterator[Sighting]:
    """Yield what in the code that a function leads to is not understood.

    Parameters
    ----------
    strict : bool
        Whether tensor functions have to be on the list, rather than only be functions of tensors.
    loops : bool
        Whether loops count, so that it matters who calls what how often.
    gradients : bool
        Whether PyTorch must not work out gradients.
    """
    yield from (use for use in facts.uses if not _is_known(use.what, facts, strict=strict, loops=loops))
    for seen in facts.constructs:
        by_name = gradients if seen.what == BY_NAME else not seen.what.startswith(_ONLY_IN_LOOPS) or loops
        if seen.what not in _KEPT and by_name and seen.what.removeprefix("a class of ") not in known.BASES:
            yield seen
    for value in facts.values:
        if places.current_name(value.what) in known.MODULES:
            yield _say(value, "passed on, not called")
    yield from (store for store in facts.stores if _changes_others(store.what, facts))
    if loops:
        yield from _of_objects(facts)
    yield from _of_types(facts)


def find_unknown_at_import(facts: FunctionFacts) -> Iterator[Sighting]:
    """Yield what a file does while it is imported, and may change functions that were read."""
    for use in facts.at_import:
        if use.what.startswith("."):
            name = use.what[1:]
            if name.startswith("__") and name not in (*known.SPECIAL, "__test__", *facts.attributes):
                yield use
        elif not (_is_known(use.what, facts, strict=False, loops=False) or _at_import(use.what)):
            yield use
    yield from (store for store in facts.stores_at_import if _changes_others(store.what, facts))


def _say(seen: Sighting, how: str) -> Sighting:
    return Sighting(f"{seen.what.removeprefix(OWN)[:50]}, {how}", seen.line, seen.where, seen.file)


def _of_objects(facts: FunctionFacts) -> Iterator[Sighting]:
    """Yield objects and functions that NumPy may call, or whose methods it may call, for each of many."""
    if not any(use.what.startswith("numpy.") or use.what in (".numpy", ".astype") for use in facts.uses):
        return
    yield from (seen for seen in facts.constructs if seen.what == OBJECT)
    calls = any(use.what in _CALLED_BY_NUMPY for use in facts.uses)
    if calls or not known.NUMPY.isdisjoint(facts.attributes):  # np.exp calls `exp` of objects, even a field
        own = (value for value in facts.values if value.what.startswith(OWN))
        yield from (_say(value, "passed on, not called") for value in own)
    yield from (store for store in facts.stores if store.what.startswith(OWN))


def _of_types(facts: FunctionFacts) -> Iterator[Sighting]:
    """Yield changes to objects in code that also takes hold of their classes."""
    held = any(seen.what == "a type as a value" for seen in facts.constructs)
    held |= any(value.what in ("torch.Tensor", "numpy.ndarray") for value in facts.values)
    held |= any(use.what == ".__class__" for use in facts.uses)
    if held:
        yield from (store for store in facts.stores if store.what.startswith("."))


def _changes_others(store: str, facts: FunctionFacts) -> bool:
    """Tell whether setting an attribute changes what other code relies on."""
    if store.startswith((".", "self.", FIELD, OWN)):
        last = store.rpartition(".")[2]
        return last.startswith("__") and last not in ("__test__", "__name__", "__doc__")
    if _module_of(store, facts.modules):
        return False
    plain = ("torch.backends.", "matplotlib.", "seaborn.", "sys.dont_write_bytecode")
    return not store.startswith(plain)


def _is_known(name: str, facts: FunctionFacts, *, strict: bool, loops: bool) -> bool:
    """Tell whether a dotted name, or the attribute ``.name`` of an unknown object, is understood."""
    if name.startswith("."):
        return _is_attribute(name[1:]) or (name[1:] in facts.attributes and not _is_refused(name[1:]))
    return _is_listed(name, strict, loops) or bool(_module_of(name, facts.modules))


def _is_refused(name: str) -> bool:
    return name in known.NEVER or _is_special(name)


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


@functools.lru_cache(maxsize=_NAMES)
def _is_attribute(name: str) -> bool:
    if _is_special(name):
        return name in known.SPECIAL
    return name in known.METHODS | known.GRADIENT | known.READY_MADE | _ATTRIBUTES_OF_HELPERS


def _module_of(name: str, modules: Iterable[str]) -> str | None:
    """Return the module of the hand-in that a dotted name lies in."""
    parts = name.split(".")
    ends = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((module for module in ends if module in modules), None)


@functools.lru_cache(maxsize=_NAMES)
def _is_listed(name: str, strict: bool, loops: bool) -> bool:
    """Tell whether a dotted name is on the lists."""
    name = places.current_name(name)
    if name in known.MODULES or name in known.OTHERS or name in known.BUILTINS or name in (GRADIENTS, ON_GPU):
        return True
    root, _, rest = name.partition(".")
    module, _, last = name.rpartition(".")
    if root == "helpers":
        ours = _HELPERS_WITHOUT_LOOPS if loops else ("helpers",)
        hidden = ("helpers.testing", "helpers.source", "helpers.notebook", "helpers.submission")
        return name.startswith(ours) and not name.startswith(hidden) and _FOREIGN.isdisjoint(name.split("."))
    if module in known.NAMESPACES and not (loops and module in known.CALLING):
        return _is_function(module, last)
    if root == "torch" and (_of_torch(rest, last, strict) or _is_shadowed(module, last)):
        return True
    if root == "numpy" and (_of_numpy(rest) or _is_shadowed(module, last)):
        return True
    if _is_missing(root) or (module in (*known.MODULES, "typing") and _lacks(module, last)):
        return True
    if module in ("typing", "typing_extensions"):
        return last in known.TYPING
    if module == "matplotlib.pyplot":
        return last in known.PYPLOT
    if module in known.MODULES and _is_shadowed(module, last):
        return True
    if last in known.BUILTINS and _stands_for_others(module, last):
        return True
    return root in known.BUILTINS and rest in known.METHODS


def _of_torch(rest: str, last: str, strict: bool) -> bool:
    if rest in known.TORCH or rest in known.OF_TORCH or rest in known.READY_MADE:
        return True
    owner = rest.rpartition(".")[0]
    if owner in known.OF_TORCH:
        return last in known.METHODS or last in known.GRADIENT
    operation = "." not in rest and not rest.startswith("_")
    return not strict and operation and hasattr(torch._C._VariableFunctions, rest)


def _of_numpy(rest: str) -> bool:
    owner, _, last = rest.rpartition(".")
    if owner in known.NUMPY and last in known.UFUNC_METHODS:
        return True
    return rest in known.NUMPY or (owner == "ndarray" and last in known.METHODS)


def _is_shadowed(module: str, name: str) -> bool:
    """Tell whether a name means a builtin, as `print` does after ``from torch import *``."""
    return name in known.BUILTINS and module in sys.modules and not hasattr(sys.modules[module], name)


def _lacks(module: str, name: str) -> bool:
    """Tell whether a module of a single file has no such name: `from typing import *` brings no `zeros`."""
    there = sys.modules.get(module)
    return there is not None and not hasattr(there, "__path__") and not hasattr(there, name)


def _is_missing(root: str) -> bool:
    """Tell whether a name is that of another course's helpers, which are not here."""
    return root in known.KITS and root not in sys.modules and importlib.util.find_spec(root) is None


def _stands_for_others(module: str, name: str) -> bool:
    """Tell whether this kit stands for a module of another, and has no such name for it.

    After ``from fully_connected_networks import *``, `range` is the builtin.
    """
    names = other_kits.table(module)
    return names is not None and "*" not in names and name not in names


def _is_function(module: str, name: str) -> bool:
    """Tell whether a module holds a public function or class of a name."""
    found = getattr(sys.modules.get(module), name, None)
    return not name.startswith("_") and callable(found) and not isinstance(found, ModuleType)


@functools.lru_cache(maxsize=_NAMES)
def _at_import(name: str) -> bool:
    """Tell whether a name may be used, besides those on the lists, while a file is imported."""
    root, *inner = name.split(".")
    if root in known.BUILTINS and inner in known.OF_OBJECTS:
        return True
    if not _FOREIGN.isdisjoint(inner) or any(part.startswith("_") for part in inner):
        return False
    return any(name == root or name.startswith(f"{root}.") for root in known.AT_IMPORT)
