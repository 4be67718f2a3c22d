"""Turn one student's hand-in into a submission; a problem is a result, not an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from autograder.intake.files import archive
from autograder.intake.files.inventory import Inventory
from autograder.intake.files.members import enumerate_names, limit_names, list_names, shorten_path
from autograder.intake.search import siblings
from autograder.intake.search.candidates import Candidate
from autograder.intake.search.file_names import Likeness
from autograder.intake.search.search import Found, Search, path_text
from autograder.intake.search.wanted import Wanted
from autograder.intake.submission import Submission
from helpers.source import outline
from helpers.submission.handout import CHECKS_FILE, TEST_FILE
from helpers.submission.modules import Module

NAMED_AT_MOST = 5
MANIFEST = "manifest.json"
"""What the zip that `helpers.notebook.submit` builds says about itself."""
COLLECTED = frozenset({"timestamp.txt", "submission_secret.txt"})
"""What nbgrader adds to a hand-in."""
RELEASED = frozenset({CHECKS_FILE, TEST_FILE, "helpers"})
"""What students receive beside their modules; whoever hands in the whole folder hands it in, too."""
WAITS = "Waits for a decision"
"""How the problem of a submission begins that an instructor has to choose files for."""


def say_missing(names: list[str]) -> str:
    """Return the problem of a submission without these files."""
    return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing."


def read(
    inventory: Inventory,
    student: str,
    path: Path,
    wanted: Wanted,
    decided: Mapping[str, str] | None = None,
) -> Submission:
    """Find what an assignment asks for in a hand-in, and read it.

    Parameters
    ----------
    path : Path
        Where the hand-in lies, for messages.
    decided : mapping of str to str, optional
        Paths in the hand-in that a person has chosen, by the name of the file that they are taken for.
    """
    search = Search(wanted, inventory, dict(decided or {}))
    taking = _Taking(search, wanted)
    for file, found in search.modules().items():
        taking.module(next(one for one in wanted.modules if one.file == file), found)
    for file, found in search.weights().items():
        taking.weights(file, found)
    notebook = taking.notebook()
    taking.siblings()
    return Submission(
        student,
        path,
        {} if taking.problem else taking.files,
        taking.problem,
        broken={} if taking.problem else taking.broken,
        notebook=notebook,
        undecided=tuple(path for paths in taking.open.values() for path in paths),
        open=taking.open,
        listing=tuple(path_text(one.path) for one in inventory.members),
        stale=tuple(search.stale()),
        notes=taking.notes,
        taken={} if taking.problem else taking.taken,
    )


@dataclass
class _Taking:
    """What is taken of a hand-in, step by step."""

    search: Search
    wanted: Wanted
    files: dict[str, bytes] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    open: dict[str, tuple[str, ...]] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    used: dict[str, PurePosixPath] = field(default_factory=dict)
    others: list[PurePosixPath] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def module(self, module: Module, found: Found) -> None:
        """Take a module, or note why there is none."""
        choice = found.choice
        if choice.open:
            self._wait(module.file, choice.open)
        elif choice.taken is None:
            self.broken[module.file] = " ".join(limit_names(found.refusals)) or say_missing([module.file])
        elif outline.is_blank(choice.taken.content.decode()):
            self.broken[module.file] = f"{shorten_path(str(choice.taken.path))} is empty."
            self.used[module.file] = choice.taken.path
        else:
            self.said += limit_names(found.refusals)
            self._take(module.file, self.search.complete(module, choice.taken), choice.others)
            if choice.is_decided:
                self.said.append(f"{module.file} is {choice.taken.shown}, as an instructor decided.")

    def weights(self, file: str, found: Found) -> None:
        """Take saved weights; without them only their checks fail."""
        self.said += limit_names(f"{refusal} It was left out." for refusal in found.refusals)
        if found.choice.open:
            self._wait(file, found.choice.open)
        elif found.choice.taken is not None:
            self._take(file, found.choice.taken, found.choice.others)

    def notebook(self) -> bytes | None:
        """Return the notebook."""
        found, refusals = self.search.notebook()
        self.said += limit_names(refusals)
        if found is None:
            return None
        self.said += found.notes
        self.used[self.wanted.notebook] = found.path
        return found.content

    def siblings(self) -> None:
        """Take the other Python files beside the modules."""
        places = [self.used[file].parent for file in self.wanted.files if file in self.files]
        if places:
            folder = min(places, key=lambda place: len(place.parts))
            passed = {*self.used.values(), *self.others}
            found = siblings.read(self.search.inventory.members, folder, passed, self.wanted)
            self.files |= {name: content for name, content in found.files.items() if name not in self.files}
            self.used |= {f"/{place}": place for place in found.places}
            self.said += limit_names(found.notes)

    @property
    def problem(self) -> str | None:
        """Why nothing can be graded, if so."""
        if self.waiting:
            return f"{WAITS}: {'; '.join(self.waiting)}."
        if not self.files.keys().isdisjoint(self.wanted.files):
            return None
        missing = [file for file, why in self.broken.items() if why == say_missing([file])]
        said = [why for file, why in self.broken.items() if file not in missing]
        refused = self.search.inventory.refused
        if said or refused:
            return " ".join(limit_names([*said, *refused]))
        there = [one.shown for one in self.search.inventory.members]
        if not there:
            return say_missing(missing)
        them = "it" if len(there) == 1 else "them"
        has_code = any(".py" in one.name or ".ipynb" in one.name for one in self.search.inventory.members)
        code = f"code of {' and '.join(missing)}" if has_code else "Python code"
        return f"{say_missing(missing)} Handed in: {enumerate_names(there)}; no {code} was found in {them}."

    @property
    def notes(self) -> tuple[str, ...]:
        """What the student should know, and the instructor."""
        refused = self.search.inventory.refused if self.problem is None else []
        return (*self._places(), *self.said, *limit_names(refused), *self._ignored_places())

    def _wait(self, file: str, candidates: Iterable[Candidate]) -> None:
        paths = tuple(path_text(one.path) for one in candidates)
        self.open[file] = paths
        more = " or others" if len(paths) > NAMED_AT_MOST else ""
        self.waiting.append(f"{file} could be {' or '.join(map(shorten_path, paths[:NAMED_AT_MOST]))}{more}")

    def _take(self, file: str, one: Candidate, others: Iterable[Candidate]) -> None:
        self.files[file] = one.content
        self.used[file] = one.path
        self.said += one.notes
        passed = [other.path for other in others]
        self.others += passed
        if passed:
            self.said.append(
                f"Not taken for {file}: {enumerate_names(shorten_path(str(path)) for path in passed)}."
            )
        is_home = one.path.parent == PurePosixPath() or str(one.path.parent) == self.wanted.assignment
        if one.likeness is not Likeness.exact or not is_home or one.from_notebook:
            self.taken[file] = str(one.path)

    def _places(self) -> list[str]:
        """Say where files come from that were not where they should be."""
        away = {file: PurePosixPath(path) for file, path in self.taken.items()}
        told = [
            file for file, path in away.items() if any(shorten_path(str(path)) in said for said in self.said)
        ]
        moved = {path.parent for file, path in away.items() if path.name == file and file not in told}
        notes = []
        for folder in sorted(moved):
            is_packed = archive.is_archive(folder.name)
            notes.append(f"Taken from {'' if is_packed else 'the folder '}{shorten_path(str(folder))}.")
        renamed = [file for file, path in away.items() if path.name != file and file not in told]
        return notes + [f"{file} was taken from {shorten_path(str(away[file]))}." for file in renamed]

    def _ignored_places(self) -> list[str]:
        """Name what was not looked at, folders as a whole."""
        used = {*self.used.values(), *self.others}
        opened = {parent for path in used for parent in path.parents}
        members = self.search.inventory.members
        told = {MANIFEST, *COLLECTED, *self.wanted.weights, self.wanted.notebook, *self.broken}
        released = RELEASED if any(one.name == CHECKS_FILE for one in members) else frozenset()
        left = [
            one.path
            for one in members
            if one.path not in used | opened and one.name not in told and released.isdisjoint(one.path.parts)
        ]
        places = {path.parent for path in self.used.values()}
        names = dict.fromkeys(_label(path, places) for path in left)
        return [f"Ignored: {list_names(names)}."] if names and self.used else []


def _label(path: PurePosixPath, places: set[PurePosixPath]) -> str:
    """Return how a file that was ignored is listed: by its name, or by that of a folder without use."""
    for depth in range(1, len(path.parts)):
        folder = PurePosixPath(*path.parts[:depth])
        if not any(place.is_relative_to(folder) for place in places):
            return shorten_path(str(folder)) + ("" if archive.is_archive(folder.name) else "/")
    return shorten_path(str(path))
