"""Rules that an assignment states about source code, such as "no explicit loop" and "without torch.nn".

The source is read, never run. A loop or a banned name counts wherever it hides in the hand-in: behind an
alias, in a helper function, in a lambda or in a default argument. A rule holds only if all of that is
understood (`helpers.testing.understanding`); what is not is named to the student. Reading alone can still be
evaded, so `helpers.testing.evidence` looks at what a call does.
"""

from __future__ import annotations

import functools
import linecache
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from types import FunctionType, ModuleType

import torch

from helpers import other_kits, places
from helpers.source.facts import FunctionFacts, scan
from helpers.source.imports import with_packages
from helpers.source.references import COMPUTED_GETATTR, GRADIENTS, ON_GPU
from helpers.source.scopes import ConstraintError
from helpers.source.units import Sighting
from helpers.testing import backend
from helpers.testing.failures import CheckFailure
from helpers.testing.understanding import ALWAYS, find_unknown, find_unknown_at_import

OPAQUE = (
    *("eval", "exec", "compile", "__import__", "globals", "locals", "vars", "setattr", "delattr", "getattr"),
    *(
        "importlib",
        "builtins",
        "__builtins__",
        "sys.modules",
        "sys._getframe",
        "ctypes",
        "cffi",
        "gc",
        "inspect",
    ),
    *("operator.attrgetter", "operator.methodcaller", "types.FunctionType", "types.CodeType"),
    *("torch.ops", "torch.jit.CompilationUnit", "torch.utils.cpp_extension", COMPUTED_GETATTR),
)
"""Names behind which anything can be called."""
OPAQUE_ATTRIBUTES = frozenset(
    {
        "__dict__",
        "__getattribute__",
        "__getattr__",
        "__globals__",
        "__code__",
        "__builtins__",
        "__subclasses__",
    }
)

GRADING = (
    *("autograder", "helpers.source", "helpers.testing.understanding", "helpers.testing.vocabulary"),
    *("helpers.testing.evidence", "helpers.testing.constraints", "helpers.testing.substitute"),
    *("helpers.testing.constructor", "helpers.testing.measure", "helpers.testing.obeys"),
    *("helpers.testing.require", "helpers.testing.require_any_device", "helpers.testing.substituted"),
    *("helpers.notebook.session", "torch.overrides", "torch.utils._python_dispatch"),
    *("sys.modules", "sys._getframe", "ctypes", "gc"),
)
"""Names that no solution needs anywhere: what reads the source and watches calls, and ways to reach it."""

INSTEAD = {
    ".cuda": "take the device of new tensors from the inputs, as in x.new_zeros(...) or device=x.device",
    "torch.autograd": "work out the gradient yourself, by the chain rule",
    "torch.optim": "write the update step yourself, with tensor operations",
}
"""What to do instead of using a banned name; `WRITE` for one that is not listed."""
INSTEAD |= dict.fromkeys(
    ("torch.func", "torch.enable_grad", ".backward", ".requires_grad", ".requires_grad_"),
    INSTEAD["torch.autograd"],
)
_NAMES = 4096
"""How many names are remembered: those of a file are looked up again for each rule."""
_LOOKS_FOR_GPU = ("torch.cuda.is_available", "torch.cuda.device_count", "helpers.training.devices.best")
"""Who asks one of these first does without a GPU where there is none."""
OFF = ("torch.no_grad", "torch.inference_mode")
"""What lies in torch.autograd, and switches it off."""
CHANGED = "is in a file that can change its functions after they were read"
ONLY_DEFINE = "do not touch the code that checks yours, and let the module only define functions and classes"
PLAINLY = "write it in plain tensor operations"
WRITE = "write this step yourself, with tensor operations and what the task provides"


def require(
    fn: Callable[..., object],
    *,
    loops: int | None = None,
    banned: Sequence[str] = (),
    allowed: Sequence[str] = (),
    given: Sequence[str] = (),
    in_place: bool = True,
) -> None:
    """Check that the source of a function keeps to the rules.

    Parameters
    ----------
    fn : callable
        A function of the student's module, in this process or another.
    loops : int, optional
        How many explicit loops it may contain at most, those of the functions that it names included.
    banned : sequence of str
        Dotted names that it must not mention: ``torch.nn`` bans all that is in it, ``torch.norm`` the tensor
        method ``.norm`` as well, ``.cuda`` that attribute of anything, and ``"cuda"`` as a device.
    allowed : sequence of str
        Dotted names that it may mention although they lie in a banned one.
    given : sequence of str
        Functions and classes that students are given, here or elsewhere: a file may define them in its own
        way, and banned names in them are not the student's.
    in_place : bool
        Whether it may change its arguments.

    Raises
    ------
    CheckFailure
        If a rule is broken; it names the lines.
    """
    try:
        facts = _facts(fn)
    except ConstraintError as error:
        raise CheckFailure("the source code", f"cannot be judged: {error}") from None
    opaque = [use for use in facts.uses if _is_opaque(use.what)]
    if opaque and (banned or loops is not None):
        raise _rule_failure(facts, opaque, "hides which functions it calls", "call functions by their names")
    if banned or loops is not None:
        _require_untouched(facts)
    facts = _without(facts, given)
    let = ALWAYS.union(allowed)
    for name in banned:
        found = [use for use in facts.uses if use.what not in let and _is_banned(use.what, name)]
        found += _find_gpus(facts, (ON_GPU,)) if name == ".cuda" else []
        if found:
            problem = f"uses {name}, which this task does not allow"
            raise _rule_failure(facts, found, problem, INSTEAD.get(name, WRITE))
    if loops is not None and len(facts.loops) > loops:
        count = f"{len(facts.loops)} explicit loop{'s'[: len(facts.loops) != 1]}"
        problem = f"{count}; this task allows {loops or 'none'}"
        raise _rule_failure(
            facts, facts.loops, problem, "let one tensor operation handle all entries at once"
        )
    if banned or loops is not None:
        _require_understood(facts, let, strict=bool(banned), loops=loops is not None, banned=banned)
    if not in_place and facts.in_place:
        raise _rule_failure(facts, facts.in_place, "changes an argument in place", "work on a new tensor")


def require_any_device(*functions: Callable[..., object]) -> None:
    """Check that functions and classes ask for no GPU, as ``x.cuda()`` and ``device="cuda"`` do.

    Where work is graded there is none, and all checks of such a function end in an exception. Where there is
    one, all its values may be right. What functions of other tasks do is not held against these.

    Raises
    ------
    CheckFailure
        If one of them does; it names the lines. What cannot be read passes.
    """
    for fn in functions:
        try:
            facts = _facts(fn)
        except ConstraintError:
            continue
        own = facts.name.partition(".")[0]
        others = {task for task in facts.tasks if task != own}
        found = [use for use in _find_gpus(facts, (ON_GPU, ".cuda")) if _unit_of(use) not in others]
        if found:
            raise _rule_failure(facts, found, "asks for a GPU, and grading has none", INSTEAD[".cuda"])


def _find_gpus(facts: FunctionFacts, names: Sequence[str]) -> list[Sighting]:
    """Return where a function asks for a GPU by one of these names, unless it looks first if there is one."""
    if any(use.what in _LOOKS_FOR_GPU for use in (*facts.uses, *facts.at_import)):
        return []
    return [use for use in facts.uses if use.what in names]


def _unit_of(seen: Sighting) -> str:
    """Return the function or class that something was seen in, as `FunctionFacts.tasks` names it."""
    module = seen.file.removesuffix(".py").replace("/", ".")
    return f"{module}:" * bool(module) + seen.where.partition(".")[0]


def _without(facts: FunctionFacts, given: Sequence[str]) -> FunctionFacts:
    """Return the facts without what stands in some functions and classes."""

    def own(seen: Sighting) -> bool:
        return seen.where.partition(".")[0] not in given

    return replace(
        facts,
        uses=tuple(filter(own, facts.uses)),
        constructs=tuple(filter(own, facts.constructs)),
        values=tuple(filter(own, facts.values)),
        stores=tuple(filter(own, facts.stores)),
    )


def obeys(
    fn: Callable[..., object],
    *,
    loops: int | None = None,
    banned: Sequence[str] = (),
    allowed: Sequence[str] = (),
) -> bool:
    """Return whether `require` would pass: what an earlier task breaks is not held against a later one.

    Examples
    --------
    >>> obeys(torch.add, banned=["torch.nn"])  # its source is not there to be read
    False
    """
    try:
        require(fn, loops=loops, banned=banned, allowed=allowed)
    except CheckFailure:
        return False
    return True


def _require_understood(
    facts: FunctionFacts, let: Collection[str], *, strict: bool, loops: bool, banned: Sequence[str]
) -> None:
    """Check that the rules know everything that the function leads to."""
    gradients = any(_is_banned(GRADIENTS, name) for name in banned)
    found = find_unknown(facts, strict=strict, loops=loops, gradients=gradients)
    seen = [one for one in found if one.what not in let]
    if seen:
        name = seen[0].what[:60].removeprefix(".")
        raise _rule_failure(facts, seen, f"uses {name}, which this check does not know", PLAINLY)
    changes = list(find_unknown_at_import(facts))
    if changes:
        raise _rule_failure(facts, changes, CHANGED, ONLY_DEFINE)


def _require_untouched(facts: FunctionFacts) -> None:
    """Check that nothing in the file is known to change functions, or what looks at their calls."""
    found = [use for use in facts.in_file if _is_of_grading(use.what)]
    found += [use for use in facts.at_import if _is_opaque(use.what)]
    if found:
        raise _rule_failure(facts, found, CHANGED, ONLY_DEFINE)


def _rule_failure(
    facts: FunctionFacts, found: Sequence[Sighting], problem: str, cause: str | None
) -> CheckFailure:
    """Return the failure that lists where a rule is broken."""
    listed = [
        f"{f'{use.file}, ' if use.file else ''}line {use.line} "
        f"({use.what[:60]}{'' if use.where == facts.name else f', in {use.where[:60]}'})"
        for use in dict.fromkeys(found)
    ]
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return CheckFailure(
        f"{facts.name[:60]}()", problem, first_wrong=", ".join(listed[:5]) + more, likely_cause=cause
    )


def _facts(fn: Callable[..., object]) -> FunctionFacts:
    """Return the facts of a function, wherever it lives."""
    there = backend.backend_of(fn)
    return _with_own_names(_facts_here(fn) if there is None else there.facts(fn))


def _with_own_names(facts: FunctionFacts) -> FunctionFacts:
    """Return facts in which what is imported from another kit has the name of what stands for it here."""

    def own(seen: Sighting) -> Sighting:
        what = other_kits.current_name(seen.what)
        if what == seen.what or not facts.modules.isdisjoint(with_packages(seen.what)):
            return seen
        return replace(seen, what=what)

    return replace(
        facts,
        uses=tuple(map(own, facts.uses)),
        values=tuple(map(own, facts.values)),
        stores=tuple(map(own, facts.stores)),
        at_import=tuple(map(own, facts.at_import)),
        stores_at_import=tuple(map(own, facts.stores_at_import)),
        in_file=tuple(map(own, facts.in_file)),
    )


def _facts_here(fn: Callable[..., object]) -> FunctionFacts:
    """Return the facts of a function or class of this process."""
    if type(fn) is FunctionType:
        names, file = fn.__globals__, fn.__code__.co_filename
    elif type(fn) is type and fn.__module__ in sys.modules:
        names = vars(sys.modules[fn.__module__])
        file = str(names.get("__file__", ""))
    else:
        raise ConstraintError("it is not a plain function")
    loader = getattr(names.get("__spec__"), "loader", None)
    known = getattr(loader, "source_facts", lambda module: None)(fn.__module__)
    if known is not None:
        return known.function(fn.__qualname__)  # type: ignore[no-any-return]
    source = "".join(linecache.getlines(file, names))
    return _scanned(source).function(fn.__qualname__)


_scanned = functools.lru_cache(maxsize=4)(scan)


@functools.lru_cache(maxsize=_NAMES)
def _is_of_grading(used: str) -> bool:
    """Return whether a name belongs to what reads the source and watches calls."""
    return any(_is_in(used, name) for name in GRADING)


@functools.lru_cache(maxsize=_NAMES)
def _is_opaque(used: str) -> bool:
    """Return whether anything can be called through this name."""
    if any(_is_in(used, name) for name in OPAQUE) or used.startswith("torch._"):
        return True
    return not OPAQUE_ATTRIBUTES.isdisjoint(used.split("."))


def _is_banned(used: str, name: str) -> bool:
    """Return whether a dotted name is the banned one, lies in it, or is another road to it."""
    if _is_in(used, name):
        return True
    if used in OFF or not name.startswith("torch."):
        return False
    last = name.rpartition(".")[2]
    thing, target = _of_torch(used), _of_torch(name)
    if isinstance(target, ModuleType):
        inside = thing.__name__ if isinstance(thing, ModuleType) else getattr(thing, "__module__", None)
        return isinstance(inside, str) and _is_in(inside, target.__name__)
    method = used.removeprefix("torch.Tensor")
    return method in (f".{last}", f".{last}_") or (thing is not None and thing is target)


def _is_in(used: str, name: str) -> bool:
    """Return whether a dotted name is another one or lies in it; the kit's modules have several names."""
    used = places.current_name(used)
    return used == name or used.startswith(f"{name}.")


def _of_torch(dotted: str) -> object:
    """Return what PyTorch keeps under a dotted name, or None."""
    first, *rest = dotted.split(".")
    if first != "torch":
        return None
    thing: object = torch
    for part in rest:
        thing = getattr(thing, part, None) or sys.modules.get(f"{getattr(thing, '__name__', '')}.{part}")
    return thing
