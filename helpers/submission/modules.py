"""The modules of an assignment: which parts the student wrote, and what a notebook adds.

Grading and `submit.build` put a module and the cells of a notebook together here, so that what is said of it
before it is handed in is what it earns.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

from helpers.source import outline
from helpers.source.outline import Block
from helpers.submission import cells
from helpers.submission.cells import Cell


@dataclass(frozen=True)
class Module:
    """A module that students hand in.

    Attributes
    ----------
    file : str
        ``"knn.py"``.
    stub : str
        Its source as students received it; empty if the assignment was never released.
    names : frozenset of str
        The functions and classes that students find in it.
    """

    file: str
    stub: str
    names: frozenset[str]

    @classmethod
    def by(cls, file: str, stub: str, solution: str = "") -> Module:
        """Return a module by its stub; where it was never released, by its solution."""
        found = definitions(outline.blocks(stub or solution))
        return cls(file, stub, frozenset(name for name in found if not name.startswith("_")))

    @cached_property
    def given(self) -> dict[str, Block]:
        """The functions and classes of the stub, by name."""
        return definitions(outline.blocks(self.stub))

    def defines(self, blocks: list[Block]) -> frozenset[str]:
        """Return which of the names some source defines."""
        return self.names & definitions(blocks).keys()

    def untouched_names(self, blocks: list[Block]) -> frozenset[str]:
        """Return which of the names are in some source as students received them."""
        found = definitions(blocks)
        return frozenset(
            name for name in self.given if name in found and found[name].bare == self.given[name].bare
        )

    def changed_names(self, blocks: list[Block]) -> frozenset[str]:
        """Return which of the names some source defines otherwise than the stub."""
        return self.defines(blocks) - self.untouched_names(blocks)

    def is_stub(self, blocks: list[Block]) -> bool:
        """Tell whether a source is what students received, but for comments and white space."""
        return bool(self.given) and self.untouched_names(blocks) == definitions(blocks).keys()


def definitions(blocks: list[Block]) -> dict[str, Block]:
    """Return the functions and classes of a source by name; of several of one name, the last."""
    return {block.names[0]: block for block in blocks if block.kind == "definition"}


def from_notebook(
    module: Module, base: str, found: list[Cell], released: Collection[str]
) -> tuple[str, frozenset[str]]:
    """Return the module that a notebook holds, for a hand-in without work in the module's own file.

    A cell that writes the file comes first; else what the cells define stands in the stub.

    Parameters
    ----------
    base : str
        The file's source if it defines what the stub does, else an empty text.
    released : collection of str
        The digests of the cells as students received them.

    Returns
    -------
    str, frozenset of str
        The module, empty if there is none, and the names that came from cells; none of them if a cell
        writes the whole file.
    """
    text = cells.read_written(found, module.file)
    if text:
        return text, frozenset()
    return merge(module, base, cells.code(found, released))


def complete(
    module: Module, text: str, found: list[Cell], released: Collection[str]
) -> tuple[str, frozenset[str]]:
    """Return a module with functions of the notebook in the place of those that it leaves undone.

    Parameters and results are those of `from_notebook`; the text is empty if the notebook adds nothing.
    """
    return merge(module, text, cells.code(found, released))


def merge(module: Module, base: str, statements: list[Block]) -> tuple[str, frozenset[str]]:
    """Put functions and classes of a notebook into a module that leaves them as they were released.

    Each takes the place of the one that it replaces, so that what follows there finds it. With them come what
    they need of the notebook: imports, other functions, and values at the left margin.

    Parameters
    ----------
    base : str
        The module's source; empty if none was handed in, and then the stub takes its place.

    Returns
    -------
    str, frozenset of str
        The module, and the names that the notebook gave; none of them and an empty text if it gives nothing.
    """
    blocks = outline.blocks(base or module.stub)
    undone = module.names - module.changed_names(blocks)
    given = module.changed_names(statements) & undone
    if not given:
        return "", frozenset()
    taken = _select_needed(statements, given, module, definitions(blocks).keys() - given)
    parts = _Merger(blocks, taken).parts()
    if _has_future(statements) and not _has_future(blocks):
        parts.insert(1 if blocks and not blocks[0].bare else 0, _FUTURE)
    return "\n\n".join(part.strip("\n") for part in parts) + "\n", given


_FUTURE = "from __future__ import annotations\n"


def _has_future(blocks: list[Block]) -> bool:
    return any(block.kind == "import" and block.text.startswith("from __future__") for block in blocks)


class _Merger:
    """Statements of a notebook on their way into a module, each before what needs it as it runs."""

    def __init__(self, blocks: list[Block], taken: list[Block]) -> None:
        self._blocks = blocks
        self._taken = taken
        self._last = {name: place for place, block in enumerate(blocks) for name in _definition_names(block)}
        self._given = {name: number for number, one in enumerate(taken) for name in _definition_names(one)}
        self._replacing = {number for name, number in self._given.items() if name in self._last}
        self._binding: dict[str, list[int]] = {}
        for number, one in enumerate(taken):
            for name in one.names:
                self._binding.setdefault(name, []).append(number)
        self._left = set(range(len(taken)))
        self._parts: list[str] = []

    def parts(self) -> list[str]:
        """Return the statements of the module with those of the notebook in their places."""
        for place, block in enumerate(self._blocks):
            name = next(iter(_definition_names(block)), "")
            if name not in self._given:
                if block.kind != "import":
                    self._place(self._dependencies_of(block.uses_at_once, self._left - self._replacing))
                self._parts.append(block.text)
            elif self._last[name] == place:
                self._place_definition(self._given[name])
        self._place(self._left)
        return self._parts

    def _place_definition(self, number: int) -> None:
        """Place a definition where the module has its own, after what it needs of the notebook before it."""
        earlier, block = set(range(number)), self._taken[number]
        needed = self._dependencies_of(block.uses_at_once, earlier)
        later = self._dependencies_of(block.uses, earlier) - self._replacing
        # A function finds what it calls by the time it is called; values call at once.
        values = [self._taken[one] for one in later if self._taken[one].kind != "definition"]
        needed |= later | self._dependencies_of({name for one in values for name in one.uses}, earlier)
        self._place(needed | self._stars(earlier) | {number})

    def _place(self, numbers: Collection[int]) -> None:
        """Place statements in the order of the notebook, each once."""
        for number in sorted(self._left.intersection(numbers)):
            self._left.discard(number)
            self._parts.append(self._taken[number].text)

    def _dependencies_of(self, names: Collection[str], among: set[int]) -> set[int]:
        """Return the statements that bind some names, and those that bind what these use in turn."""
        found: set[int] = set()
        waiting = list(names)
        while waiting:
            new = among.intersection(self._binding.get(waiting.pop(), ())) - found
            found |= new
            waiting += [name for number in new for name in self._taken[number].uses]
        return found | self._stars(among) if found else found

    def _stars(self, among: set[int]) -> set[int]:
        """Return the imports that may bind any name."""
        return among.intersection(self._binding.get("*", ()))


def _definition_names(block: Block) -> tuple[str, ...]:
    return block.names if block.kind == "definition" else ()


def _select_needed(
    statements: list[Block], names: frozenset[str], module: Module, known: frozenset[str] | set[str]
) -> list[Block]:
    """Return the statements that bind names, and those that bind what these use, in order."""
    chosen: set[int] = set()
    waiting = set(names)
    seen: set[str] = set(known)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        places = list(_bindings_of(statements, name, module))
        for place in places:
            if place not in chosen:
                chosen.add(place)
                waiting |= statements[place].uses - seen
    return [statements[place] for place in sorted(chosen)]


def _bindings_of(statements: list[Block], name: str, module: Module) -> Iterator[int]:
    """Yield where a name is bound: every import, and of the rest the last one, which is the one that counts.

    If that is conditional, the ones before it may count.
    """
    own = re.compile(rf"(?:from|import)\s+{re.escape(module.file.removesuffix('.py'))}\b")
    last: list[int] = []
    for place, block in enumerate(statements):
        if name not in block.names and not (block.kind == "import" and "*" in block.names):
            continue
        if block.kind == "import":
            if not own.match(block.text) and not block.text.startswith("from __future__"):
                yield place
        elif block.kind == "conditional":
            last.append(place)
        else:
            last = [place]
    yield from last
