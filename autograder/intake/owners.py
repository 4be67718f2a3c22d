"""The owner of each hand-in, a student, known by names of folders, ids of platforms and the roster."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from autograder.intake.decisions import Decisions
from autograder.intake.files.members import shorten_path
from autograder.intake.roster import Person, Roster
from autograder.intake.submission import Submission
from autograder.platforms.interface import Entry
from autograder.untrusted import file_name, line

NOTHING = "Nothing was handed in."


@dataclass
class Assigned:
    """The hand-ins of each student.

    Attributes
    ----------
    entries : dict of str to list of Entry
        By what the student is called in results.
    notes : list of str
        What the instructor should know.
    """

    entries: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    notes: list[str] = field(default_factory=list)


def assign(entries: Sequence[Entry], roster: Roster | None, decisions: Decisions) -> Assigned:
    """Map students to their hand-ins. Names that a file system might confuse become different ones.

    Names are compared composed: macOS and Moodle write an umlaut as two characters, rosters as one.
    """
    found = Assigned()
    taken: dict[str, str] = {}
    for entry in entries:
        decided = _decided_student(entry, decisions)
        owner = _owner(decided, entries, decisions) if decided else entry
        identifiers = [compose(one) for one in owner.identifiers]
        person = roster.find(*identifiers) if roster else None
        identity = person.student if person else identifiers[0]
        called = compose(owner.called) or identity
        wished = person.student if person else file_name(called)
        student = wished or "unnamed"
        number = 1
        while taken.setdefault(student.casefold(), identity) != identity:
            number += 1
            student = f"{wished or 'unnamed'}-{number}"
        if student != wished:
            found.notes.append(f"{shorten_path(entry.label)} is called {student} in the results.")
        if decided:
            found.notes.append(f"{shorten_path(entry.label)} is {student}'s, as {decisions.path.name} says.")
        found.entries[student].append(entry)
    return found


def labels(entry: Entry) -> set[str]:
    """Return how an entry and its files are called in the class folder."""
    return {line(entry.label), *file_names(entry)}


def file_names(entry: Entry) -> list[str]:
    """Return the names of an entry, or of its files, in the class folder."""
    paths = [entry.path] if entry.path is not None else [*entry.files.values(), *entry.parts.values()]
    return [line(path.name) for path in paths if path is not None]


def keys(entries: Sequence[Entry]) -> list[str]:
    """Return for each entry the name of a file or folder in the class folder that is its own, if one is.

    Decisions are kept under it, because it stays the same whatever a roster calls the student.
    """
    counted = Counter(name for entry in entries for name in file_names(entry))
    return [
        next((name for name in reversed(file_names(entry)) if counted[name] == 1), file_names(entry)[0])
        for entry in entries
    ]


def alias(entry: Entry) -> str:
    """Return what the results of an entry are called where there is no roster."""
    return file_name(compose(entry.called) or compose(entry.identifiers[0])) or "unnamed"


def names(entry: Entry) -> set[str]:
    """Return the names by which people may speak of an entry, with a roster or without."""
    return {*labels(entry), alias(entry), *(line(compose(one)) for one in entry.identifiers)}


def is_ignored(entry: Entry, decisions: Decisions) -> bool:
    """Tell whether a person decided that an entry is nobody's."""
    return not names(entry).isdisjoint(decisions.ignore)


def _decided_student(entry: Entry, decisions: Decisions) -> str:
    return next((decisions.students[one] for one in sorted(names(entry)) if one in decisions.students), "")


def _owner(decided: str, entries: Sequence[Entry], decisions: Decisions) -> Entry:
    """Return what tells who the student is whom people named: a hand-in of theirs, or the name itself."""
    own = [one for one in entries if decided in names(one) and not _decided_student(one, decisions)]
    if not own:
        return Entry((decided,))
    return replace(own[0], identifiers=(*own[0].identifiers, decided))


def compose(text: str) -> str:
    """Return a name with each letter and its accents as one character, where there is one."""
    return unicodedata.normalize("NFC", text)


def match_roster(
    submissions: Sequence[Submission], roster: Roster, excused: Collection[str] = ()
) -> tuple[list[Submission], list[str]]:
    """Give submissions the names of the roster, and add those that are missing, excused students apart."""
    people = {person.student: person for person in roster.people}
    named = [_add_name(one, people.get(one.student)) for one in submissions]
    present = {one.student for one in submissions}
    unknown = [one.student for one in submissions if one.student not in people]
    absent = [person for person in roster.people if person.student not in present]
    named += [
        Submission(
            person.student,
            roster.path,
            problem=NOTHING,
            absent=True,
            excused=person.student in excused,
            name=line(person.name),
        )
        for person in absent
    ]
    notes = []
    absent = [person for person in absent if person.student not in excused]
    if unknown:
        notes.append(f"Not on the roster, but graded: {'; '.join(map(line, unknown))}.")
    if absent:
        names = [line(person.name or person.student) for person in absent]
        notes.append(f"Nothing was handed in by {'; '.join(names)}.")
    return named, notes


def _add_name(submission: Submission, person: Person | None) -> Submission:
    if person is None or not person.name:
        return submission
    return replace(submission, name=line(person.name))
