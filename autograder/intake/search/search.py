"""Search a hand-in for the files of an assignment, first by name and then by content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from autograder.intake.files.inventory import Inventory
from autograder.intake.files.members import Member, enumerate_names, shorten_path
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search import file_names
from autograder.intake.search.candidates import Candidate, Choice, Worth, choose
from autograder.intake.search.file_contents import Contents
from autograder.intake.search.file_names import Likeness
from autograder.intake.search.wanted import Wanted
from autograder.untrusted import line
from helpers.source import outline
from helpers.source.outline import Block
from helpers.submission import cells, modules
from helpers.submission.cells import Cell
from helpers.submission.modules import Module

MAX_READ = 200
"""Files of a hand-in that are read to see what they hold."""
_SOURCES = (".py", ".txt", ".md", ".html")


@dataclass
class Found:
    """What was found for one file that is asked for.

    Attributes
    ----------
    choice : Choice
        Which candidate is meant.
    refusals : list of str
        Sentences about files of the right name that cannot be read.
    """

    choice: Choice
    refusals: list[str] = field(default_factory=list)


class Search:
    """Look for the files of one hand-in.

    Parameters
    ----------
    wanted : Wanted
        What the assignment asks for.
    inventory : Inventory
        What was handed in.
    decided : dict of str to str
        Paths that a person has chosen, by the name of the file that they are taken for.
    """

    def __init__(self, wanted: Wanted, inventory: Inventory, decided: dict[str, str] | None = None) -> None:
        self._wanted = wanted
        self.inventory = inventory
        self._decided = decided or {}
        self._released = cells.cells(wanted.released_notebook) or []
        self._digests = frozenset(cells.digest(cell.source) for cell in self._released)
        self._contents = Contents(wanted.released_notebook)

    def modules(self) -> dict[str, Found]:
        """Find the modules; archives are opened only if that leaves one without any work."""
        found = {module.file: self._module(module) for module in self._wanted.modules}
        is_wanting = any(map(_is_wanting, found.values())) or bool(self.stale())
        if is_wanting and self.inventory.expand():
            found = {module.file: self._module(module) for module in self._wanted.modules}
        return found

    def weights(self) -> dict[str, Found]:
        """Find saved weights."""
        found = {}
        for file in self._wanted.weights:
            refusals: list[str] = []
            candidates = []
            for member, likeness in self._members_named(file):
                try:
                    candidates.append(Candidate(member.path, member.read(), likeness))
                except Unreadable as error:
                    refusals.append(str(error))
            found[file] = Found(self._choose(file, candidates), refusals)
        return found

    def notebook(self) -> tuple[Candidate | None, list[str]]:
        """Return the notebook that was handed in, repaired if need be: the one nearest to the release.

        Where none can be read, sentences say why.
        """
        best: tuple[tuple[int, ...], Candidate] | None = None
        refusals: list[str] = []
        ids = {cell.id for cell in self._released if cell.id}
        for member in self._notebooks():
            try:
                found = self._contents.notebook(member)
            except Unreadable as error:
                refusals.append(str(error))
                continue
            if not found.cells:
                refusals.append(f"{member.shown} is empty, or damaged beyond repair.")
                continue
            likeness = file_names.measure_likeness(member.name, self._wanted.notebook)
            rank = (len(ids & {c.id for c in found.cells}), likeness or 0, -len(member.path.parts))
            if best is None or rank > best[0]:
                notes = (f"{member.shown} {found.said}",) if found.said else ()
                best = rank, Candidate(member.path, found.content, likeness, notes=notes, from_notebook=True)
        return (best[1], []) if best else (None, refusals)

    def stale(self) -> list[str]:
        """Return the paths that a person has chosen, and that are not there."""
        present = {path_text(one.path) for one in self.inventory.members}
        return sorted(set(self._decided.values()) - present)

    # Modules

    def _module(self, module: Module) -> Found:
        refusals: list[str] = []
        candidates = [
            candidate
            for member, likeness in self._members_named(module.file)
            for candidate in self._read(module, member, likeness, refusals)
        ]
        if not any(one.worth is Worth.work for one in candidates):
            others = list(self._by_content(module, candidates))
            whole = [one for one in others if one.is_whole]
            candidates += whole or ([] if candidates else others)
        return Found(self._choose(module.file, candidates), refusals)

    def _choose(self, file: str, candidates: Sequence[Candidate]) -> Choice:
        decided = self._decided.get(file)
        chosen = [one for one in candidates if path_text(one.path) == decided]
        if chosen:
            return Choice(chosen[0], is_decided=True)
        return choose(candidates, self._wanted.assignment)

    def _members_named(self, file: str) -> Iterator[tuple[Member, Likeness]]:
        """Yield the files whose names are near to a wanted one, and to no other; and what a person chose."""
        others = [name for name in self._wanted.everything if name != file]
        found = 0
        for member in self.inventory.members:
            likeness = file_names.measure_likeness(member.name, file)
            found += likeness is not None
            if found > MAX_READ:
                return
            if path_text(member.path) == self._decided.get(file):
                yield member, likeness or Likeness.near
            elif likeness and not any(
                file_names.measure_likeness(member.name, o) is Likeness.exact for o in others
            ):
                yield member, likeness

    def _read(
        self, module: Module, member: Member, likeness: Likeness | None, refusals: list[str]
    ) -> Iterator[Candidate]:
        """Yield a file as a candidate for a module; if it holds a notebook, the code of that."""
        try:
            source = self._contents.source(member, is_named=likeness is not None)
        except Unreadable as error:
            refusals.append(str(error))
            return
        exported = [] if source.is_notebook else cells.read_export(source.content.decode())
        if source.is_notebook or exported:
            code = list(self._from_notebook(module, member, likeness, exported=exported))
            yield from code
            if not code:
                refusals.append(f"{member.shown} contains a notebook without code for {module.file}.")
            return
        worth, key = _worth(module, source.blocks), _key(source.blocks)
        notes = (source.said,) if source.said else ()
        yield Candidate(member.path, source.content, likeness, worth, key, notes)

    def _by_content(self, module: Module, named: Sequence[Candidate]) -> Iterator[Candidate]:
        """Yield files of other names, and notebooks, that define what the module should."""
        known = {one.path for one in named}
        yield from self._other_sources(module, known)
        base = next((one.content.decode() for one in named if one.worth is Worth.stub), "")
        for member in self._notebooks():
            if member.path not in known:
                yield from self._from_notebook(module, member, None, base)

    def _other_sources(self, module: Module, known: set[PurePosixPath]) -> Iterator[Candidate]:
        likely = [
            member
            for member in self.inventory.members
            if file_names.normalize(member.name).endswith(_SOURCES)
            and member.path not in known
            and not file_names.is_test(member.name)
        ]
        for member in likely[:MAX_READ]:
            for one in self._read(module, member, None, []):
                if one.from_notebook:
                    yield one
                elif one.worth is Worth.work:
                    defined = module.defines(self._contents.source(member, is_named=False).blocks)
                    is_whole = 2 * len(defined) >= len(module.names)
                    # Another module may hold this one's work too, but not a function by chance.
                    if is_whole or not any(
                        file_names.measure_likeness(member.name, file) for file in self._wanted.files
                    ):
                        yield replace(one, is_whole=is_whole)

    def _notebooks(self) -> list[Member]:
        return [one for one in self.inventory.members if file_names.is_notebook(one.name)][:MAX_READ]

    def _from_notebook(
        self,
        module: Module,
        member: Member,
        likeness: Likeness | None,
        base: str = "",
        exported: Sequence[Cell] = (),
    ) -> Iterator[Candidate]:
        """Yield the module that a notebook holds, if it holds one; its cells are known if it was exported."""
        try:
            own = exported or self._contents.notebook(member).cells
        except Unreadable:
            return
        text, given = modules.from_notebook(module, base, list(own), self._digests)
        if text and not given:
            said = f"{module.file} came from the cell of {member.shown} that writes it."
        elif member.name == module.file and exported:
            said = f"{module.file} holds a whole notebook; the functions and classes in it were graded."
        elif member.name == module.file:
            said = f"{module.file} is a notebook, not Python; the code of its cells was graded."
        else:
            what = (
                module.file if given == module.names else f"{enumerate_names(sorted(given))} in {module.file}"
            )
            said = f"{what} came from the cells of {member.shown}."
        if text:
            blocks = outline.blocks(text)
            worth = Worth.work if module.changed_names(blocks) or not module.names else Worth.hollow
            yield Candidate(member.path, text.encode(), likeness, worth, _key(blocks), (said,), True)

    def complete(self, module: Module, taken: Candidate) -> Candidate:
        """Return a module with functions of the notebook in the place of those that it leaves undone."""
        own, _ = self.notebook()
        found = cells.cells(own.content) if own is not None else None
        if own is None or not found or taken.from_notebook:
            return taken
        text, given = modules.complete(module, taken.content.decode(), found, self._digests)
        if not text:
            return taken
        said = (
            f"{enumerate_names(sorted(given))} came from the cells of {shorten_path(str(own.path))}; "
            f"{module.file} leaves that unchanged."
        )
        return Candidate(
            taken.path, text.encode(), taken.likeness, taken.worth, None, (*taken.notes, said), True
        )


def path_text(path: PurePosixPath) -> str:
    """Return a path as people write it into a file of decisions."""
    return line(str(path))


def _is_wanting(found: Found) -> bool:
    """Tell whether no work was found."""
    listed = [found.choice.taken, *found.choice.open]
    return not any(one is not None and one.worth is Worth.work for one in listed)


def _worth(module: Module, blocks: list[Block]) -> Worth:
    if module.is_stub(blocks):
        return Worth.stub
    return Worth.work if module.defines(blocks) else Worth.hollow


def _key(blocks: list[Block]) -> object:
    """Return what two sources share that define the same: comments, layout and prints do not matter."""
    kinds = ("definition", "assignment")
    parts = frozenset(block.bare for block in blocks if block.kind in kinds)
    return parts or tuple(block.bare for block in blocks)
