"""Run a suite on submissions without the engine: each in a fork of one process, none of them hostile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from helpers.credit import Judged, assign_credit
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
DRIVER = """
import functools, gc, json, os, sys, warnings
import hypothesis, pytest
from autograder.course import hidden_generators
from pathlib import Path
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from autograder.engine.package import importable
from helpers.source import facts, links
from helpers.submission import allowances, stand_ins
from helpers.testing import causes, collection
from helpers.data import cache, pictures
import helpers.testing.evidence, sklearn.datasets  # once, for all the forks
import torch.fx.experimental.symbolic_shapes
from helpers.testing.conventions import use_conventions


class Loader(SourceFileLoader):
    @functools.lru_cache
    def source_facts(self, module):
        released = Path(os.environ["COURSEGRAD_ROOT"]) / "assignments" / module / f"{module}.py"
        given = links.released_names((module,), {module: released.read_text()})
        return links.link({module: facts.scan(Path(self.path).read_text())}, module, given)


class Finder:
    def __init__(self, folder):
        self.folder = folder

    def find_spec(self, name, path=None, target=None):
        file = os.path.join(self.folder, f"{name}.py")
        if os.path.exists(file):
            return spec_from_file_location(name, file, loader=Loader(name, file))


class Recorder:
    def __init__(self, folder, skipped):
        self.folder = folder
        self.skipped = skipped
        self.seen = {}
        self.warned = []

    def line_that_raised(self, caught):
        # As the engine does: the innermost line of the student's, unless a check failed or it is not written.
        none = not caught or isinstance(caught.value, (AssertionError, NotImplementedError))
        if none or causes.is_unfinished(str(caught.value)):
            return None
        own = [one for one in caught.traceback if str(one.path).startswith(self.folder)]
        return f"{own[-1].path.name}, line {own[-1].lineno + 1}" if own else None

    def pytest_configure(self, config):
        collection.configure(config, tracebacks="no")

    def pytest_collection_modifyitems(self, items):
        items[:] = [one for one in items if one.get_closest_marker("task").args[0] not in self.skipped]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                return (yield)
            finally:
                mine = [one for one in caught if one.filename.startswith(str(item.path.parent))]
                self.warned += [f"{item.name}: {one.message}" for one in mine]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        if call.when == "call":
            task = item.get_closest_marker("task")
            self.seen[item.path.name + "::" + item.name] = {
                "passed": report.passed,
                "task": task.args[0],
                "weight": task.kwargs["weight"],
                "kind": "constraint" if item.get_closest_marker("constraint") else "value",
                "title": item.function.__doc__.splitlines()[0],
                "problem": str(call.excinfo.value) if call.excinfo else "",
                "slip": (call.excinfo.value.likely_cause or "")
                if call.excinfo and getattr(call.excinfo.value, "slip", False)
                else None,
                "raised": self.line_that_raised(call.excinfo),
            }
        return report


def draw_once(key, count, draw=pictures._draw):
    # Suites draw as they are imported: in each fork the same.
    file = Path(f"{key.hex()}-{count}.npz")
    make = lambda: dict(zip(("images", "labels"), draw(key, count)))
    parts = cache.load_or_make(file, make, lambda _: True)
    return parts["images"], parts["labels"]


def run(suite, folder, key, skipped):
    sys.meta_path.insert(0, Finder(folder))
    allowances.let_pass(compile(file.read_bytes(), file, "exec") for file in Path(folder).glob("*.py"))
    hidden_generators.use_key(key.encode())
    recorder = Recorder(folder, skipped)
    with importable(Path(suite)):
        pytest.main([suite, *collection.pytest_arguments(Path(suite)), "--assert=plain"], plugins=[recorder])
    with open(os.path.join(folder, "report.json"), "w") as file:
        json.dump({"tests": recorder.seen, "warned": recorder.warned}, file)


gc.disable()  # imports leave no garbage
stand_ins.install()
pictures._draw = draw_once
suite, jobs, conventions = json.loads(sys.argv[1])
use_conventions(conventions)
gc.collect()
gc.freeze()  # or the forks would copy all of this memory as they look for garbage
for folder, key, skipped in jobs:
    child = os.fork()
    if not child:
        gc.enable()
        try:
            run(suite, folder, key, skipped)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
"""


@dataclass(frozen=True)
class Test:
    """One test of a suite and how it ended."""

    __test__ = False

    id: str
    passed: bool
    task: str
    weight: int
    kind: str
    title: str
    problem: str
    slip: str | None = None
    raised: str | None = None

    def judged(self, points: Fraction) -> Judged:
        """Return the test as the rule about points takes it."""
        kind: Literal["value", "constraint"] = "value" if self.kind == "value" else "constraint"
        hidden = not self.id.startswith("test_public")
        return Judged(self.id, self.task, kind, points, self.passed, self.slip, self.raised, hidden)


@dataclass(frozen=True)
class Grade:
    """The tests of one submission, the points that they give in each task, and what the suite warned of."""

    tests: dict[str, Test]
    points: dict[str, float]
    warned: tuple[str, ...] = ()


def grade_all(
    name: str,
    jobs: Mapping[str, tuple[str, str]],
    scratch: Path,
    conventions: Mapping[str, object] | None = None,
    skipped: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Grade]:
    """Grade sources of a one-module assignment; `jobs` maps a label to the source and the course's secret.

    All but the one that is labeled "stub" hand in the reference's weights. Other conventions than the
    assignment's may be given, and by label tasks whose tests are not run; these earn nothing.
    """
    folders = {label: scratch / str(place) for place, label in enumerate(jobs)}
    for label, folder in folders.items():
        folder.mkdir()
        (folder / f"{name}.py").write_text(jobs[label][0])
        for saved in (ROOT / "solutions" / name).glob("*.pt") if label != "stub" else ():
            shutil.copy(saved, folder)
    arguments: list[Any] = [
        str(ROOT / "autograder" / "suites" / name),
        [(str(folders[x]), jobs[x][1], list((skipped or {}).get(x, ()))) for x in jobs],
    ]
    arguments.append(_settings(name).get("conventions", {}) if conventions is None else dict(conventions))
    environment = os.environ | {
        "COURSEGRAD_ROOT": str(ROOT),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    command = [sys.executable, "-c", DRIVER, json.dumps(arguments)]
    subprocess.run(command, env=environment, cwd=scratch, capture_output=True, check=True, timeout=PATIENCE)
    return {label: _grade(name, json.loads((folders[label] / "report.json").read_text())) for label in jobs}


def _settings(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "solutions" / name / "assignment.toml").read_text(encoding="utf-8"))


def _grade(name: str, report: dict[str, Any]) -> Grade:
    tests = {test: Test(id=test, **fields) for test, fields in report["tests"].items()}
    judged, worth = [], {}
    for task in _settings(name)["tasks"]:
        mine = [test for test in tests.values() if test.task == task["id"]]
        whole = sum(test.weight for test in mine)
        worth[task["id"]] = mine
        judged += [test.judged(Fraction(task["points"]) * test.weight / whole) for test in mine]
    credits = assign_credit(judged)
    points = {
        task: float(sum((credits[test.id].points for test in mine), Fraction()))
        for task, mine in worth.items()
    }
    return Grade(tests, points, tuple(report["warned"]))
