"""No platform: a folder or an archive for each student, or files that carry the students' names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from autograder.intake.files import archive, snapshot
from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search import file_names
from autograder.intake.search.wanted import Wanted
from autograder.platforms.interface import Entry, IsKnown, last_change
from helpers.source import outline

TITLE = "a folder or archive per student"
LOOSE = "a file per student"
_DOCUMENTS = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".pages")


def entry(path: Path) -> Entry:
    """Return the hand-in in a folder, archive or file that is called as the student is."""
    if path.is_dir():
        return Entry((path.name,), path, order=last_change(path))
    if archive.is_archive(path.name):
        return Entry((archive.stem(path.name),), path, order=last_change(path))
    return Entry((path.stem,), files={path.name: path}, order=last_change(path))


def take_loose(
    folder: Path, listed: Sequence[str], wanted: Wanted, is_known: IsKnown
) -> dict[str, tuple[str, str]]:
    """Return files that carry students' names, to the student and the name that is asked for.

    ``ada_knn.py`` says it by itself; ``ada.py`` is ada's if there is one module only, and the file defines
    what that should, or ada is on the roster. Documents beside such files are hand-ins as well. A folder that
    holds a file of the very name that is asked for belongs to one student.
    """
    if any(file_names.measure_likeness(name, file) for name in listed for file in wanted.files):
        return {}
    found: dict[str, tuple[str, str]] = {}
    for name in listed:
        by_affix = [(file_names.affix(name, file), file) for file in wanted.everything]
        named = [(student, file) for student, file in by_affix if student]
        whole = _whole(folder, name, wanted, is_known)
        if len(named) == 1 and not file_names.is_test(name):
            found[name] = named[0]
        elif whole:
            found[name] = whole
    if found:  # the others hand in files as well
        documents = [name for name in listed if name not in found and name.casefold().endswith(_DOCUMENTS)]
        found |= {name: (PurePath(name).stem, name) for name in documents}
    return found


def _whole(folder: Path, name: str, wanted: Wanted, is_known: IsKnown) -> tuple[str, str] | None:
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    if len(wanted.modules) != 1 or file_names.is_test(name):
        return None
    if is_known(stem):
        file = {".py": wanted.files[0], ".ipynb": wanted.notebook}.get(suffix.casefold(), name)
        return stem, file
    if suffix == ".ipynb":
        return stem, wanted.notebook
    if suffix == ".py" and _defines(folder, name, wanted):
        return stem, wanted.files[0]
    return None


def _defines(folder: Path, name: str, wanted: Wanted) -> bool:
    try:
        with snapshot.open_folder(folder.resolve()) as opened:
            text = snapshot.read_file(name, opened)
    except Unreadable:
        return False
    return bool(wanted.modules[0].defines(outline.blocks(text.decode("utf-8", "replace"))))


def entries(found: Mapping[str, tuple[str, str]], folder: Path) -> Iterator[Entry]:
    """Yield the hand-ins of students whose files carry their names."""
    by_student: dict[str, dict[str, Path]] = defaultdict(dict)
    for name, (student, file) in found.items():
        by_student[student][file] = folder / name
    for student, files in by_student.items():
        yield Entry((student,), files=files, order=max(map(last_change, files.values())))
