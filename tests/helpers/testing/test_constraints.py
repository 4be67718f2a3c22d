"""Tests of helpers.testing.constraints, and of facts, definitions and scopes in helpers.source."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.source.facts import FunctionFacts, ModuleFacts, scan
from helpers.source.scopes import ConstraintError
from helpers.testing import CheckFailure, measure, obeys, require, require_any_device
from tests.support import work

BANNED = ("torch.norm", "torch.dist", "torch.cdist", "torch.nn")


class Elsewhere:
    """A backend that knows facts only."""

    def facts(self, fn: StandIn) -> FunctionFacts:
        """Return the facts."""
        return fn.facts


class StandIn:
    """A function in another process, of which only the facts are known."""

    __backend__ = Elsewhere()

    def __init__(self, source: str, name: str = "f") -> None:
        self.facts = scan(textwrap.dedent(source)).function(name)

    def __call__(self) -> None:
        """Do nothing: no check may run the function."""
        raise AssertionError


def broken(source: str, name: str = "f", **rules: Any) -> CheckFailure:
    """Return the report on a source that breaks a rule."""
    with pytest.raises(CheckFailure) as caught:
        require(StandIn(source, name), **rules)
    return caught.value


def kinds(source: str, name: str = "f") -> list[str]:
    """Return the kinds of loops that a function contains."""
    return [loop.what for loop in scan(textwrap.dedent(source)).function(name).loops]


HIDDEN_CALLS = {
    "plain": "import torch\ndef f(x): return torch.cdist(x, x)",
    "module alias": "import torch as t\ndef f(x): return t.cdist(x, x)",
    "imported name": "from torch import cdist\ndef f(x): return cdist(x, x)",
    "imported alias": "from torch import cdist as c\ndef f(x): return c(x, x)",
    "local import": "def f(x):\n    from torch import cdist\n    return cdist(x, x)",
    "nn alias": "from torch import nn as n\ndef f(x): return n.functional.relu(x)",
    "functional import": "import torch.nn.functional as F\ndef f(x): return F.relu(x)",
    "assigned module": "import torch\nF = torch.nn.functional\ndef f(x): return F.relu(x)",
    "assigned twice": "import torch\nt = torch\nu = t.nn\ndef f(x): return u.functional.relu(x)",
    "local alias": "import torch\ndef f(x):\n    g = torch.cdist\n    return g(x, x)",
    "tuple assignment": "import torch\na, (b, c) = 1, (torch, 2)\ndef f(x): return b.cdist(x, x)",
    "walrus": "import torch\ndef f(x): return (g := torch).cdist(x, x)",
    "conditional": "import torch, math\ndef f(x): return (torch if x is None else math).cdist(x, x)",
    "or": "import torch\ndef f(x): return (None or torch).cdist(x, x)",
    "default": "import torch\ndef f(x, g=torch.cdist): return g(x, x)",
    "keyword default": "import torch\ndef f(x, *, t=torch): return t.cdist(x, x)",
    "method": "def f(x): return (x - 1).norm()",
    "method in place": "def f(x): return x.dist(x)",
    "unbound method": "import torch\ndef f(x): return torch.Tensor.norm(x)",
    "getattr": "import torch\ndef f(x): return getattr(torch, 'cdist')(x, x)",
    "getattr method": "def f(x): return getattr(x, 'norm')()",
    "getattr default": "import torch\ndef f(x): return getattr(torch, 'cdist', None)(x, x)",
    "helper": "import torch\ndef g(x): return torch.cdist(x, x)\ndef f(x): return g(x)",
    "helper of a helper": "def h(x): return x.norm()\ndef g(x): return h(x)\ndef f(x): return g(x)",
    "lambda": "import torch\ng = lambda x: torch.cdist(x, x)\ndef f(x): return g(x)",
    "table": "import torch\nT = {'d': torch.cdist}\ndef f(x): return T['d'](x, x)",
    "partial": "import torch, functools\ng = functools.partial(torch.cdist, p=2)\ndef f(x): return g(x, x)",
    "nested function": "import torch\ndef f(x):\n    def g(): return torch.cdist(x, x)\n    return g()",
    "decorator": "import torch\n@torch.nn.Module\ndef f(x): return x",
    "class": "class A:\n    def run(self, x): return x.dist(x)\ndef f(x): return A().run(x)",
    "class attribute": "import torch\nclass A:\n    d = torch.cdist\ndef f(x): return A.d(x, x)",
    "base class": "import torch\nclass A(torch.nn.Module): pass\ndef f(x): return A()(x)",
    "star": "from torch import *\ndef f(x): return cdist(x, x)",
    "other road": "import torch\ndef f(x): return torch.functional.cdist(x, x)",
    "other road to nn": "import torch\ndef f(x): return torch.functional.F.relu(x)",
    "patched attribute": "import torch\ntorch.Tensor.d = torch.cdist\ndef f(x): return x.d(x)",
    "conditional definition": "import torch\nif 1: g = torch.cdist\nelse: g = None\ndef f(x): return g(x, x)",
    "global": "import torch\ndef h():\n    global g\n    g = torch.cdist\ndef f(x): return g(x, x)",
    "shadow in a comprehension": "import torch\ndef f(x): return [torch for torch in x], torch.cdist(x, x)",
    "in a match": "import torch\ndef f(x):\n    match x:\n        case _: return torch.cdist(x, x)",
    "f-string": "import torch\ndef f(x): return f'{torch.cdist(x, x)}'",
    "async": "import torch\nasync def f(x): return torch.cdist(x, x)",
}


@pytest.mark.parametrize("source", HIDDEN_CALLS.values(), ids=HIDDEN_CALLS)
def test_banned_names_are_found(source: str) -> None:
    assert "does not allow" in broken(source, banned=BANNED).problem


@pytest.mark.parametrize(
    ("line", "name", "instead"),
    [
        ("torch.cdist(x, x)", "torch.cdist", "write this step yourself"),
        ("x.cuda()", ".cuda", "x.new_zeros"),
        ("torch.autograd.grad(x.sum(), x)", "torch.autograd", "by the chain rule"),
        ("x.sum().backward()", ".backward", "by the chain rule"),
        ("torch.optim.SGD([x])", "torch.optim", "write the update step yourself"),
    ],
)
def test_who_uses_a_banned_name_is_told_what_to_do_instead(line: str, name: str, instead: str) -> None:
    failure = broken(f"import torch\ndef f(x): return {line}", banned=[name])
    assert instead in str(failure.likely_cause)


@pytest.mark.parametrize("line", ["torch.no_grad()", "torch.inference_mode()"])
def test_who_switches_automatic_differentiation_off_does_not_use_it(line: str) -> None:
    source = f"import torch\ndef f(x):\n    with {line}:\n        return x"
    require(StandIn(source), banned=["torch.autograd", "torch.func"])
    require(StandIn(f"import torch\n@{line}\ndef f(x): return x"), banned=["torch.autograd"])
    assert (
        "torch.autograd"
        in broken(
            source.replace("return x", "return torch.autograd.grad(x, x)"), banned=["torch.autograd"]
        ).problem
    )


OPAQUE = {
    "eval": "def f(x): return eval('x')",
    "exec": "def f(x): exec('pass')",
    "import function": "def f(x): return __import__('torch').cdist(x, x)",
    "importlib": "import importlib\ndef f(x): return importlib.import_module('torch').cdist(x, x)",
    "importlib alias": "from importlib import import_module as i\ndef f(x): return i('torch').cdist(x, x)",
    "aten": "import torch\ndef f(x): return torch.ops.aten.add(x, x)",
    "internals": "import torch\ndef f(x): return torch._C._VariableFunctions.add(x, x)",
    "internal import": "from torch._C import _VariableFunctions as v\ndef f(x): return v.add(x, x)",
    "computed getattr": "import torch\ndef f(x): return getattr(torch, 'cd' + 'ist')(x, x)",
    "getattr under another name": "import torch\ng = getattr\ndef f(x): return g(torch, 'cd' + 'ist')(x, x)",
    "getattr in a table": "T = [getattr]\ndef f(x): return T[0](x, 'n' + 'orm')()",
    "dict": "import torch\ndef f(x): return torch.__dict__['cdist'](x, x)",
    "vars": "import torch\ndef f(x): return vars(torch)['cdist'](x, x)",
    "globals": "def f(x): return globals()['g'](x)",
    "getattribute": "def f(x): return x.__getattribute__('n' + 'orm')()",
    "modules": "import sys\ndef f(x): return sys.modules['torch'].cdist(x, x)",
    "attrgetter": "from operator import methodcaller\ndef f(x): return methodcaller('norm')(x)",
    "compiled source": "import torch\ndef f(x): return torch.jit.CompilationUnit('')",
    "in a helper": "def g(x): return eval('x')\ndef f(x): return g(x)",
}


@pytest.mark.parametrize("source", OPAQUE.values(), ids=OPAQUE)
@pytest.mark.parametrize("rules", [{"banned": BANNED}, {"loops": 3}], ids=["banned", "loops"])
def test_what_hides_calls_is_refused(source: str, rules: dict[str, Any]) -> None:
    assert "hides" in broken(source, **rules).problem


HONEST = {
    "arithmetic": "import torch\ndef f(x): return torch.sqrt((x ** 2).sum())",
    "unused import": "import torch.nn.functional as F\nfrom torch import nn\ndef f(x): return x",
    "annotation": "from torch import nn\ndef f(x: nn.Tanh) -> nn.Tanh:\n    y: nn.Tanh = x\n    return y",
    "other function": "import torch\ndef g(x): return torch.cdist(x, x)\ndef f(x): return x",
    "shadowed alias": "import torch.nn.functional as F\ndef f(x):\n    N, F = x.shape\n    return F * F",
    "parameter of that name": "from torch import nn\ndef f(x, nn): return nn.sum()",
    "variables named so": "def f(x):\n    dist = x - 1\n    norm = dist.sum()\n    return norm / dist",
    "string": "def f(x):\n    '''torch.cdist'''\n    return 'torch.nn eval(x)'",
    "constant getattr": "def f(x): return getattr(x, 'shape')",
    "other modules": "import re, math, torch\nP = re.compile('x')\ndef f(x): return math.sqrt(2) * x",
    "a call at import": "import torch\ntorch.nn.Linear(1, 1)\ndef f(x): return x",
    "draft replaced": "import torch\ndef f(x): return torch.cdist(x, x)\ndef f(x): return x",
}


@pytest.mark.parametrize("source", HONEST.values(), ids=HONEST)
def test_honest_code_passes(source: str) -> None:
    require(StandIn(source), banned=BANNED, loops=0)


LOOPS = {
    "for": ("def f(x):\n    for a in x: pass", ["for loop"]),
    "while": ("def f(x):\n    while x: pass", ["while loop"]),
    "nested": ("def f(x):\n    for a in x:\n        for b in x: pass", ["for loop", "for loop"]),
    "comprehension": ("def f(x): return [a for b in x for a in b]", ["comprehension", "comprehension"]),
    "set, dict, generator": ("def f(x): return {a for a in x}, {a: 1 for a in x}, sum(a for a in x)", 3),
    "map": ("def f(x): return list(map(abs, x))", ["map"]),
    "filter under an alias": ("g = filter\ndef f(x): return g(abs, x)", ["filter"]),
    "reduce": ("from functools import reduce as r\ndef f(x): return r(max, x)", ["functools.reduce"]),
    "vmap": ("import torch\ndef f(x): return torch.vmap(abs)(x)", ["torch.vmap"]),
    "imported vmap": (
        "from torch.func import vmap\ng = vmap(abs)\ndef f(x): return g(x)",
        ["torch.func.vmap"],
    ),
    "vectorize": ("import numpy as np\ndef f(x): return np.vectorize(abs)(x)", ["numpy.vectorize"]),
    "apply_": ("def f(x): return x.apply_(abs)", ["apply_"]),
    "in a helper": ("def g(x):\n    for a in x: pass\ndef f(x): g(x)", ["for loop"]),
    "one in each": (
        "def g(x):\n    for a in x: pass\ndef f(x):\n    for a in x: g(a)",
        ["for loop", "for loop"],
    ),
    "in a nested function": ("def f(x):\n    def g():\n        for a in x: pass\n    g()", ["for loop"]),
    "in a lambda": ("g = lambda x: [a for a in x]\ndef f(x): return g(x)", ["comprehension"]),
    "in a method": (
        "class A:\n    def g(self): return [a for a in self.x]\n    def f(self): return self.g()",
        "A.f",
    ),
    "recursion": ("def f(x): return f(x - 1) if x else 0", ["recursion"]),
    "mutual recursion": ("def g(x): return f(x)\ndef f(x): return g(x)", ["recursion"]),
    "nested recursion": ("def f(x):\n    def g(y): return g(y - 1)\n    return g(x)", ["recursion"]),
    "lambda recursion": ("g = lambda n: g(n - 1)\ndef f(x): return g(x)", ["recursion"]),
    "method recursion": ("class A:\n    def f(self, x): return self.f(x)", "A.f"),
    "saved under another name": (
        "def f(x):\n    for a in x: pass\ng = f\ndef f(x): return g(x)",
        ["recursion"],
    ),
    "class body inside": (
        "def f(x):\n    class A:\n        y = [a for a in x]\n    return A.y",
        ["comprehension"],
    ),
    "constants made at import": ("T = [i for i in range(9)]\nfor i in T: U = i\ndef f(x): return T, U", []),
    "a class that builds itself": ("class A:\n    def g(self): return A()\ndef f(x): return A().g()", []),
    "none": ("def f(x): return sum(x) + len(list(x))", []),
}


@pytest.mark.parametrize(("source", "expected"), LOOPS.values(), ids=LOOPS)
def test_loops_are_found(source: str, expected: list[str] | int | str) -> None:
    if isinstance(expected, str):
        assert len(kinds(source, expected)) == 1
    elif isinstance(expected, int):
        assert kinds(source) == ["comprehension"] * expected
    else:
        assert kinds(source) == expected


def test_the_report_names_lines_and_helpers() -> None:
    source = "def g(x):\n    for a in x: pass\ndef f(x):\n    while x: pass\n    g(x)"
    report = broken(source, loops=1)
    assert report.what == "f()"
    assert report.problem == "2 explicit loops; this task allows 1"
    assert report.first_wrong == "line 4 (while loop), line 2 (for loop, in g)"
    require(StandIn(source), loops=2)


def test_long_reports_are_shortened() -> None:
    report = broken("def f(x):\n" + "    for a in x: pass\n" * 40, loops=0)
    assert str(report.first_wrong).endswith("and 35 more")


def test_attributes_can_be_banned_for_anything() -> None:
    assert broken("def f(x): return x.cuda()", banned=[".cuda"]).first_wrong == "line 1 (.cuda)"


IN_PLACE = {
    "operator": "def f(x):\n    x -= 1",
    "entry": "def f(x):\n    x[0] = 1",
    "entry with operator": "def f(x):\n    x[0] += 1",
    "method": "def f(x): return x.sub_(1)",
    "method of a view": "def f(x): return x.view(-1)[3:].mul_(2)",
    "data": "def f(x):\n    x.data *= 2",
    "out": "import torch\ndef f(x): torch.add(x, 1, out=x)",
    "in a helper": "def g(y):\n    y += 1\ndef f(x): g(x)",
}


@pytest.mark.parametrize("source", IN_PLACE.values(), ids=IN_PLACE)
def test_changes_in_place_are_found(source: str) -> None:
    assert "in place" in broken(source, in_place=False).problem
    require(StandIn(source))


@pytest.mark.parametrize(
    "source",
    [
        "def f(x):\n    x = x.clone()\n    x -= 1",
        "def f(x):\n    y = x * 1\n    y += 1",
        "def f(x):\n    out = {}\n    out[0] = x",
        "class A:\n    def f(self, x): self.x = x",
    ],
)
def test_changes_of_own_values_are_not(source: str) -> None:
    require(StandIn(source, "A.f" if "class" in source else "f"), in_place=False)


def test_names_are_qualified() -> None:
    facts = scan("class A:\n    class B:\n        def m(self):\n            def g(): pass")
    assert {"A", "A.B", "A.B.m", "A.B.m.<locals>.g"} < set(facts.units)


def test_plain_facts_survive_the_way() -> None:
    for source, _ in LOOPS.values():
        facts = scan(source)
        again = ModuleFacts.from_plain(facts.to_plain())
        assert again == facts


NOTHING: list[Any] = [[]] * 9
"""Marks and names of a unit that has none."""


@pytest.mark.parametrize(
    "plain",
    [
        *(None, {}, [1], [[]]),
        [[["f", "1", "function", *NOTHING]], []],
        [[["f", 1, 2, *NOTHING]], []],
        [[["f", 1, "function", [["for", None]], *NOTHING[1:]]], []],
        [[["f", 1, "function", [["for", 1, 2]], *NOTHING[1:]]], []],
        [[["f", 1, "function", *NOTHING[1:], [3]]], []],
        [[["f", 1, "function", *NOTHING, []]], []],
        [[["f", 1, "function", *NOTHING[1:]]], []],
    ],
)
def test_anything_else_is_not_taken_for_facts(plain: object) -> None:
    with pytest.raises(ConstraintError):
        ModuleFacts.from_plain(plain)


def test_facts_may_name_units_that_are_not_there() -> None:
    names = [["ghost"], ["ghost"], ["ghost", "=ghost"]]
    plain = [[["f", 1, "function", *NOTHING[3:], *names]], []]
    assert ModuleFacts.from_plain(plain).function("f").loops == ()


def test_a_missing_function_is_said() -> None:
    with pytest.raises(ConstraintError, match="defines no g"):
        scan("def f(): pass").function("g")


@pytest.mark.parametrize(
    "source",
    [
        "class B:\n    def loss(self, x): return torch.cdist(x, x)\nclass C(B): pass\nclass N(C): pass",
        "class C:\n    pass\nclass B:\n    def loss(self, x): return torch.cdist(x, x)\nclass N(C, B): pass",
        "class N:\n    def loss(self, x): return x\nN.loss = lambda self, x: torch.cdist(x, x)",
        "class N:\n    def loss(self, x): return x\ndef f(self, x): return torch.cdist(x, x)\nN.loss = f",
    ],
    ids=["of the base's base", "of the second base", "assigned", "assigned by name"],
)
def test_a_method_is_what_is_called_by_its_name(source: str) -> None:
    found = scan(f"import torch\n{source}").function("N.loss")
    assert "torch.cdist" in {use.what for use in found.uses}


def test_a_method_that_another_file_defines_is_not_judged() -> None:
    with pytest.raises(ConstraintError, match=r"defines no N\.loss"):
        scan("from other import B\nclass N(B): pass").function("N.loss")


def test_functions_of_this_process_are_read_from_their_file(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def own(x):\n    return sum(i for i in range(x))\n")
    spec = importlib.util.spec_from_file_location("own", tmp_path / "own.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(CheckFailure, match="1 explicit loop;"):
        require(module.own, loops=0)
    require(module.own, loops=1, banned=BANNED)


def test_what_a_function_obeys_can_be_asked() -> None:
    function = StandIn("def f(x):\n    return [x.norm() for _ in x]\n")
    assert obeys(function, loops=1)
    assert not obeys(function, loops=0)
    assert not obeys(function, loops=1, banned=["torch.norm"])


TAMPERING = {
    "watching code replaced": "from helpers.testing import evidence\nevidence.count_call = print",
    "what tests import replaced": "import helpers.testing\nhelpers.testing.measure = print",
    "by an alias": "import helpers.testing.evidence as e\ng = e\ng.count_call = print",
    "in another function": "import helpers\ndef g(): helpers.testing.evidence.count_call = print",
    "code replaced": "def g(x): return [a for a in x]\nf.__code__ = g.__code__",
    "code replaced by a variable": "f.__code__ = CODE",
    "in a function that runs at import": "def g(): f.__code__ = CODE\ng()",
    "in a class body": "class A:\n    f.__code__ = CODE",
    "in a decorator": "@(lambda g: exec('f = g'))\ndef g(): pass",
    "name replaced": "globals()['f'] = print",
    "module found": "import sys\nsys.modules['torch'].add = print",
    "set by name": "import torch\nsetattr(torch, 'add', print)",
    "dispatch": "import torch.utils._python_dispatch as d\nd.x = 1",
}


@pytest.mark.parametrize("more", TAMPERING.values(), ids=TAMPERING)
def test_a_file_that_can_change_what_was_read_is_refused(more: str) -> None:
    source = f"def f(x):\n    return x\n{more}\n"
    assert "can change its functions after they were read" in str(broken(source, loops=0))
    assert "can change its functions after they were read" in str(broken(source, banned=BANNED))
    require(StandIn(source))


def test_a_module_may_set_what_changes_nothing() -> None:
    source = """
        import torch
        import matplotlib.pyplot as plt
        torch.backends.cudnn.deterministic = True
        plt.rcParams["figure.figsize"] = (10, 8)
        torch.manual_seed(0)
        table = {}
        table["a"] = [a for a in range(3)]
        class Net:
            def __init__(self): self.__dict__.update(a=1)
            def set(self, name, value): setattr(self, name, value)
        def f(x): return x
        f.__test__ = False
    """
    require(StandIn(source), loops=0, banned=BANNED)


@pytest.mark.parametrize("fn", [len, print, measure.__call__, type("A", (), {})])
def test_what_has_no_source_fails(fn: Callable[..., object]) -> None:
    with pytest.raises(CheckFailure, match="cannot be judged"):
        require(fn, loops=0)


HOSTILE = {
    "deep brackets": "x = " + "(" * 5000 + ")" * 5000,
    "deep lists": "x = " + "[" * 5000,
    "deep minus": "x = " + "-" * 200_000 + "1",
    "deep not": "x = " + "not " * 100_000 + "1",
    "deep attributes": "x = a" + ".b" * 100_000,
    "deep calls": "x = a" + "()" * 100_000,
    "deep sum": "x = " + "1 + " * 100_000 + "1",
    "deep blocks": "".join(" " * i + "if x:\n" for i in range(500)) + " " * 500 + "pass",
    "deep elif": "if x: pass\n" + "elif x: pass\n" * 50_000,
    "deep lambda": "x = " + "lambda: " * 50_000 + "1",
    "deep f-string": "x = " + "f'{" * 500,
    "too long": "x = 1\n" * 200_000,
    "null byte": "x = 1\0",
    "surrogate": "x = '\ud800'",
    "wide number": "x = " + "9" * 100_000,
    "many aliases": "\n".join(f"import a{i} as x" for i in range(100)),
    "exploding aliases": "import a, b\nx0 = a\nx0 = b\n"
    + "".join(f"x{i + 1} = x{i}.p\nx{i + 1} = x{i}.q\n" for i in range(30)),
    "return outside": "return 1",
    "bad indentation": "def f():\npass",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_source_raises_only_what_is_documented(source: str) -> None:
    with work.counted(limit=100_000), contextlib.suppress(SyntaxError, ConstraintError):
        ModuleFacts.from_plain(scan(source).to_plain())


def test_cyclic_aliases_end() -> None:
    facts = scan("import torch\na = b\nb = a\nc = c.nn\nc = torch\ndef f(x): return c.relu(x)")
    assert any(use.what.startswith("torch.nn") for use in facts.function("f").uses)


def test_many_functions_are_followed_in_linear_time() -> None:
    def follow(count: int) -> None:
        calls = "".join(f"def f{i}(x): return f{i + 1}(x)\n" for i in range(count))
        facts = scan(f"{calls}def f{count}(x): return x.norm()")
        assert facts.function("f0").uses[-1].what == ".norm"

    few, many = (work.calls_of(lambda n=n: follow(n)) for n in (500, 5000))
    assert many < 11 * few
    follow(20_000)


@pytest.mark.parametrize(
    "line", ["from torch.nn import functional as F", "import torch.nn.functional as F", "import torch as F"]
)
def test_what_is_allowed_may_lie_in_what_is_banned(line: str) -> None:
    rules = {"banned": ["torch.nn"], "allowed": ["torch.nn.functional.pad"]}
    inner = "nn.functional." if line.endswith("torch as F") else ""
    require(StandIn(f"{line}\ndef f(x): return F.{inner}pad(x, (1, 1))"), **rules)
    assert "uses torch.nn" in broken(f"{line}\ndef f(x): return F.{inner}relu(x)", **rules).problem


ON_A_GPU = {
    "an argument": "import torch\ndef f(x): return torch.zeros(3, device='cuda')",
    "to": "def f(x): return x.to('cuda:0')",
    "a method": "def f(x): return x.cuda()",
    "a device of the module": "import torch\nD = torch.device('cuda')\ndef f(x): return x.to(D)",
    "a default": "def f(x, device='cuda'): return x.to(device)",
    "settings": "S = {'device': 'cuda'}\ndef f(x): return x.new_zeros(3, **S)",
    "a number": "def f(x): return x.to(f'cuda:{0}')",
    "a helper": "def g(x): return x.to('cuda')\ndef f(x): return g(x)",
    "where none was given": "def f(x, d=None): return x.to('cpu' if d == 'cuda' else 'cuda:0')",
}
TO_D = "\ndef f(x): return x.to(D)"
ON_ANY_DEVICE = {
    "a comparison": "def f(x): return x.cpu() if x.device.type == 'cuda' else x",
    "what was given": "def f(x, d='cpu'):\n    if d == 'cuda':\n        d = 'cuda:0'\n    return x.to(d)",
    "what was given, in an expression": "def f(x, d=None): return x.to('cpu' if d != 'cuda' else 'cuda:0')",
    "where there is one": "import torch\nD = 'cuda' if torch.cuda.is_available() else 'cpu'" + TO_D,
    "in a statement": "import torch\nD = 'cpu'\nif torch.cuda.is_available():\n    D = 'cuda'" + TO_D,
    "asked before": "import torch\nhas = torch.cuda.is_available()\nD = 'cuda' if has else 'cpu'" + TO_D,
    "the kit's": "from helpers.training import devices\nD = devices.best()" + TO_D,
    "elsewhere": "def g(x): return x.to('cuda')\ndef f(x): return x",
    "in a sentence": "def f(x): return print('no cuda here')",
}


@pytest.mark.parametrize("source", ON_A_GPU.values(), ids=ON_A_GPU)
def test_who_asks_for_a_gpu_is_told(source: str) -> None:
    assert broken(source, banned=[".cuda"]).problem.startswith("uses .cuda")
    with pytest.raises(CheckFailure, match="asks for a GPU, and grading has none"):
        require_any_device(StandIn("def f(x): return x"), StandIn(source))


@pytest.mark.parametrize("source", ON_ANY_DEVICE.values(), ids=ON_ANY_DEVICE)
def test_who_does_without_a_gpu_may_name_one(source: str) -> None:
    require_any_device(StandIn(source))
    require(StandIn(source), banned=[".cuda"])


def test_who_looks_for_a_gpu_first_may_move_tensors_there() -> None:
    source = "import torch\ndef f(x): return x.cuda() if torch.cuda.is_available() else x"
    require_any_device(StandIn(source))
    assert "uses .cuda" in broken(source, banned=[".cuda"]).problem


def test_a_function_that_cannot_be_read_may_ask_for_a_gpu() -> None:
    require_any_device(len)


def test_who_calls_what_asks_for_a_gpu_in_another_task_does_not_ask_for_one() -> None:
    source = "def g(x): return x.to('cuda')\ndef f(x): return g(x)"
    facts = replace(scan(source), tasks=frozenset({"f", "g"}))
    asks, calls = (StandIn(source), StandIn(source))
    asks.facts, calls.facts = facts.function("g"), facts.function("f")
    require_any_device(calls)
    with pytest.raises(CheckFailure, match="asks for a GPU"):
        require_any_device(asks)


def test_all_methods_of_a_class_are_read(tmp_path: Path) -> None:
    source = "import torch\nclass Net:\n    def f(self):\n        return torch.zeros(3, device='cuda')\n"
    (tmp_path / "on_a_gpu.py").write_text(source)
    spec = importlib.util.spec_from_file_location("on_a_gpu", tmp_path / "on_a_gpu.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "on_a_gpu", module)
        spec.loader.exec_module(module)
        with pytest.raises(CheckFailure, match=r'line 4 \("cuda", in Net.f\)'):
            require_any_device(module.Net)
