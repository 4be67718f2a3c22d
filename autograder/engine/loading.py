"""Bring a submission into workers: have it read, put stubs in the place of what is broken, import it once.

What a worker says before it runs student code, in its first frame, is believed: code, facts, and which files
are not Python. Which module failed while student code ran is not: it can only cost the module that is named.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.engine import newer, verdict
from autograder.engine.jobs import Remarks
from autograder.engine.link import End, WorkerEnded
from autograder.engine.slot import Slot, WorkerHandle
from autograder.engine.verdict import ImportFailed
from autograder.graded.results import Feedback
from helpers.source import links
from helpers.source.facts import ModuleFacts
from helpers.statuses import Status
from helpers.submission import prefetch, problems, python_files
from helpers.submission.problems import Problem

_WORD = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class ImportRules:
    """What the modules of an assignment are imported by.

    Attributes
    ----------
    modules : tuple of str
        The modules that are handed in.
    packages : tuple of str
        Import names of the packages that student code may use.
    stubs : dict of str to bytes
        File of each module to what students received of it.
    imports : dict
        What stands for modules of other kits, as `helpers.other_kits.use` takes it.
    """

    modules: tuple[str, ...]
    packages: tuple[str, ...]
    stubs: dict[str, bytes]
    imports: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def given(self) -> dict[str, Container[str]]:
        """Module to the names that the assignment has it define; all of them where that is not known."""
        texts = {name.removesuffix(".py"): content.decode() for name, content in self.stubs.items()}
        return links.released_names(self.modules, texts)

    @functools.cached_property
    def _defined(self) -> dict[str, str]:
        """Functions, classes and methods of the stubs to their file."""
        return {name: file for file, text in self.stubs.items() for name in links.definitions(text.decode())}

    def missing(self, units: Mapping[str, Container[str]]) -> dict[str, str]:
        """Return what the stubs define and a submission does not, to its file.

        Parameters
        ----------
        units : mapping of str to container of str
            File to the names that the submission defines in it.
        """
        return {name: file for name, file in self._defined.items() if name not in units.get(file, ())}


@dataclass
class Loaded:
    """A submission that workers can import.

    Attributes
    ----------
    code : dict
        What a worker needs in order to import it: module to file and marshalled code.
    facts : dict of str to ModuleFacts
        Module that was handed in to the facts of its source.
    units : dict of str to set of str
        File to the names that it defines.
    lines : dict of str to int
        File to its number of lines.
    replaced : dict of str to Problem
        File that cannot be imported to why; its stub takes its place.
    notes : tuple of str
        What students should know of their files.
    needs : str
        The newer Python that some of it needs, such as ``"3.13"``; empty if it needs none.
    known : verdict.Known
        Its names, and those that it lacks.
    """

    code: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, ModuleFacts] = field(default_factory=dict)
    units: dict[str, set[str]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, Problem] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    needs: str = ""
    known: verdict.Known = field(default_factory=verdict.Known)

    def replace(self, found: Iterable[Problem], rules: ImportRules, sources: dict[str, bytes]) -> None:
        """Put stubs in the place of modules, where that leaves something to grade.

        Raises
        ------
        ImportFailed
            If it does not.
        """
        for problem in found:
            if problem.file in self.replaced or problem.file not in rules.stubs:
                raise ImportFailed(problem)
            self.replaced[problem.file] = problem
            if len(self.replaced) == len(rules.modules):
                raise ImportFailed(next(iter(self.replaced.values())))
            sources[problem.file] = rules.stubs[problem.file]

    def note_newer(self, found: Iterable[Problem], sources: Mapping[str, bytes]) -> None:
        """Find out whether files that are no Python are one of a newer Python."""
        for problem in found:
            is_syntax = problem.error.startswith("SyntaxError") and python_files.EMPTY not in problem.error
            if is_syntax and not self.needs:
                self.needs = newer.find_python(sources[problem.file], problem)

    def stub_at(self, status: Status, feedback: Feedback) -> Problem | None:
        """Return why there is a stub, where a test ended because it met one."""
        place = feedback.location
        if place is None or status is not Status.not_implemented:
            return None
        return self.replaced.get(place.file)

    @property
    def remarks(self) -> Remarks:
        """What the page and the report say of all this."""
        replaced = [_describe(problem) for problem in self.replaced.values()]
        return Remarks((*self.notes, *replaced, *self._note_on_python()), self.needs)

    def remarks_without(self, problem: Problem) -> Remarks:
        """Return what is said where nothing ran, which the outcomes tell of one module already."""
        others = [_describe(other) for other in self.replaced.values() if other.file != problem.file]
        return Remarks((*self.notes, *others), self.needs)

    def _note_on_python(self) -> tuple[str, ...]:
        return (f"{newer.describe(self.needs)}; your instructor has been told.",) if self.needs else ()


def _describe(problem: Problem) -> str:
    """Return a sentence on a module that cannot be imported, and what that means for its tasks."""
    cause = f" Likely cause: {problem.cause}." if problem.cause else ""
    return f"{problem.sentence} Checks that need it earn no points; the others were graded.{cause}"


class Loader:
    """Load one submission.

    Parameters
    ----------
    rules : ImportRules
        What its modules are imported by.
    slot : Slot
        Where workers come from.
    spawn : callable
        Makes a worker for the first test.
    seed : int
        What that worker's random numbers begin with.
    cpu_seconds : int
        What that worker may use.
    """

    def __init__(
        self,
        rules: ImportRules,
        slot: Slot,
        spawn: Callable[[], WorkerHandle],
        *,
        seed: int,
        cpu_seconds: int,
    ) -> None:
        self.loaded = Loaded()
        self._rules = rules
        self._slot = slot
        self._spawn = spawn
        self._seed = seed
        self._cpu_seconds = cpu_seconds
        self._sources: dict[str, bytes] = {}
        self._loops: dict[str, int] = {}
        self._at_work: list[str] = []
        self._killed = False

    def load(self, sources: Mapping[str, bytes], broken: Mapping[str, str]) -> WorkerHandle:
        """Return a worker that has imported the submission, with stubs in the place of what is broken.

        Parameters
        ----------
        sources : mapping of str to bytes
            Path to content of the Python files.
        broken : mapping of str to str
            File of each module that is missing or cannot be read, to a sentence that says so.

        Raises
        ------
        ImportFailed
            If nothing of it can be imported; `loaded` says what is known.
        """
        self._sources = dict(sources)
        found: list[Problem] | None
        found = [Problem(file, sentence.rstrip(".")) for file, sentence in broken.items()]
        while True:
            self.loaded.replace(found, self._rules, self._sources)
            worker = self._spawn()
            try:
                found = self._read_and_import(worker)
            except WorkerEnded as error:
                found = self._explain_end(worker, error)
            else:
                if found is None:
                    return worker
                self._slot.end(worker, look=False)

    def _read_and_import(self, worker: WorkerHandle) -> list[Problem] | None:
        """Have a worker read and import everything; return what is wrong, or None if it is ready."""
        self._at_work = []
        modules, packages = list(self._rules.modules), list(self._rules.packages)
        names = {"modules": modules, "packages": packages, "imports": self._rules.imports}
        worker.link.tell({"seed": self._seed, "sources": self._sources, **names})
        header = worker.link.hear()
        found = self._read(header)
        # Packages that take long to import are imported once, by the zygote; then a worker begins anew.
        if found or self._slot.preload(prefetch.select_modules(header["imports"], packages)):
            return found
        return self._await_import(worker)

    def _read(self, header: dict[str, Any]) -> list[Problem]:
        """Take the one frame that can be believed: it was written before student code ran there."""
        facts = {name: ModuleFacts.from_plain(plain) for name, plain in header["facts"].items()}
        paths = {name: path for name, (path, _) in header["code"].items()}
        loaded = self.loaded
        loaded.code = header["code"]
        loaded.units = {paths[name]: set(known.units) for name, known in facts.items()}
        loaded.lines = {path: content.count(b"\n") + 1 for path, content in self._sources.items()}
        loaded.notes = tuple(header["notes"])
        loaded.facts = {
            name: links.link(facts, name, self._rules.given) for name in self._rules.modules if name in facts
        }
        self._loops = header["loops"]
        texts = (text for path in self._sources for text in self._texts(path).values())
        words = (word for text in texts for word in _WORD.findall(text))
        loaded.known = verdict.Known(frozenset(words), self._rules.missing(loaded.units))
        found = [Problem(**plain) for plain in header["problems"]]
        loaded.note_newer(found, self._sources)
        return found

    def _await_import(self, worker: WorkerHandle) -> list[Problem] | None:
        """Follow the import; what is said of it now comes from student code."""
        # Of each module that its import begins and that it ends, and at last what became of all.
        for _ in range(2 * len(self._rules.modules) + 1):
            header = worker.link.hear()
            if "ready" in header:
                return None
            if "importing" in header:
                self._at_work.append(self._module(header["importing"]))
            elif "imported" in header and header["imported"] in self._at_work:
                self._at_work.remove(header["imported"])
            else:
                return [self._parse_problem(header.get("error"))]
        raise worker.link.distrust("the worker did not say what became of the import")

    def _parse_problem(self, plain: Any) -> Problem:
        """Return a problem as a worker reports it, with what may be shown of it."""
        plain = plain if type(plain) is dict else {}
        texts = {name: plain.get(name) for name in ("file", "error", "place")}
        file, error, place = (text if type(text) is str else "" for text in texts.values())
        line = plain.get("line")
        if type(line) is not int or place not in self._sources or not 1 <= line <= self.loaded.lines[place]:
            place, line = "", 0
        file = f"{self._module(file.removesuffix('.py'))}.py"
        return problems.locate_problem(file, error or "Exception", place, line, self._texts(place))

    def _explain_end(self, worker: WorkerHandle, error: WorkerEnded) -> list[Problem]:
        """Return what is wrong where a worker is gone; a first kill from outside is nobody's fault."""
        _, exit = self._slot.end(worker, look=error.end is End.crashed)
        if verdict.was_killed(exit, self._cpu_seconds) and not self._killed:
            self._killed = True
            return []
        file = f"{self._at_work[-1] if self._at_work else self._rules.modules[0]}.py"
        line = self._loops.get(file, 0)
        said = verdict.explain_end(error, exit, self._cpu_seconds).rstrip(".")
        return [problems.locate_problem(file, said, file if line else "", line, self._texts(file))]

    def _module(self, name: object) -> str:
        """Return a name that a worker gives a module, if the assignment has such a one."""
        return name if type(name) is str and name in self._rules.modules else self._rules.modules[0]

    def _texts(self, file: str) -> dict[str, str]:
        content = self._sources.get(file)
        return {file: content.decode("utf-8", "replace")} if content is not None else {}
