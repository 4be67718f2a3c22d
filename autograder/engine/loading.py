"""Bring a submission into workers: have it read, put stubs in the place of what is broken, import it once.

What a worker says before it runs student code, in its first frame, is believed: code, facts, and which files
are not Python. Which module failed while student code ran is not: it can only cost the module that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.engine import newer, preload, verdict
from autograder.engine.jobs import Remarks
from autograder.engine.link import End, WorkerEnded
from autograder.engine.slot import Slot, Worker
from autograder.engine.verdict import ImportFailed, KilledFromOutside
from helpers import imports, links, problems
from helpers.constraints import ModuleFacts
from helpers.problems import Problem

_MAX_TEXT = 600


@dataclass(frozen=True)
class Rules:
    """What the modules of an assignment are imported by.

    Attributes
    ----------
    modules : tuple of str
        The modules that are handed in.
    packages : tuple of str
        Import names of the packages that student code may use.
    stubs : dict of str to bytes
        File of each module to what students received of it.
    """

    modules: tuple[str, ...]
    packages: tuple[str, ...]
    stubs: dict[str, bytes]

    @property
    def given(self) -> dict[str, frozenset[str]]:
        """Module to the names that the assignment has it define."""
        return {
            name.removesuffix(".py"): links.defined(content.decode()) for name, content in self.stubs.items()
        }


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
    """

    code: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, ModuleFacts] = field(default_factory=dict)
    units: dict[str, set[str]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, Problem] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    needs: str = ""

    @property
    def remarks(self) -> Remarks:
        """What the page and the report say of all this."""
        return Remarks((*self.notes, *(one.sentence for one in self.replaced.values())), self.needs)


class Loader:
    """Load one submission.

    Parameters
    ----------
    rules : Rules
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
        self, rules: Rules, slot: Slot, spawn: Callable[[], Worker], *, seed: int, cpu_seconds: int
    ) -> None:
        self.loaded = Loaded()
        self._rules = rules
        self._slot = slot
        self._spawn = spawn
        self._seed = seed
        self._cpu_seconds = cpu_seconds
        self._sources: dict[str, bytes] = {}
        self._texts: dict[str, str] = {}
        self._work: dict[str, int] = {}

    def load(self, sources: Mapping[str, bytes], broken: Mapping[str, str]) -> Worker:
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
        KilledFromOutside
            If a worker was killed, by the machine perhaps, again and again.
        """
        self._sources = dict(sources)
        self.loaded = Loaded()
        for file, sentence in broken.items():
            self._replace(Problem(file, sentence.rstrip("."), is_missing=True))
        killed = False
        while True:
            self._texts = {name: content.decode("utf-8", "replace") for name, content in self._sources.items()}
            worker = self._spawn()
            try:
                problem = self._first_problem(worker)
            except WorkerEnded as error:
                problem = self._ended(worker, error, self.loaded.at_work, may_be_killed=not killed)
                killed = killed or problem is None
            else:
                if problem is None:
                    return worker
                self._slot.end(worker, look=False)
            if problem is not None:
                self._replace(problem)
