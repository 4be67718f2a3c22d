"""Gradescope, *Export Submissions*: ``submission_metadata.yml`` beside folders such as ``submission_11/``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from autograder.errors import IntakeError
from autograder.platforms.interface import Entry, Export, Field, Layout, Platform, RosterFormat

_TITLE = "a Gradescope export"
_FILE = "submission_metadata.yml"
MAX_BYTES = 200_000_000
_MAX_DEPTH = 50
_COLUMNS = {
    Field.name: ("Name", "Full Name"),
    Field.first: ("First Name",),
    Field.last: ("Last Name",),
    Field.number: ("SID", "Student ID"),
    Field.email: ("Email", "Email Address"),
    Field.section: ("Section", "Sections", "Section Name"),
    Field.role: ("Role",),
}


def _is_export(names: Sequence[str]) -> bool:
    return _FILE in names


def _layout(folder: Path, names: Sequence[str]) -> Layout:
    """Read Gradescope's list; a submission of a group is one of each of its members.

    Parameters
    ----------
    names : sequence of str
        What the folder holds.

    Raises
    ------
    IntakeError
        The list is damaged, or lists nothing.
    """
    path = folder / _FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise IntakeError(str(path), "is larger than 200 MB", "export the submissions again")
        content = _parse(path.read_bytes())
    except OSError as error:
        raise IntakeError(str(path), f"cannot be read ({error.strerror})", "check its permissions") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise IntakeError(str(path), "is damaged", "export the submissions again") from None
    listed = content if isinstance(content, dict) else {}
    entries = [entry for key, item in listed.items() for entry in _members(folder, str(key), item)]
    if not entries:
        raise IntakeError(str(path), "lists no submission", "export the submissions again")
    known = {str(key) for key in listed} | {_FILE}
    return Layout(_TITLE, tuple(entries), tuple(name for name in names if name not in known))


def _parse(text: bytes) -> Any:
    """Parse YAML into texts, lists and mappings, and nothing else; raises YAMLError where it is too deep."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    depth = 0
    for event in yaml.parse(text, Loader=loader):  # what follows recurses, in C, until the stack is used up
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise yaml.YAMLError("nested too deeply")
    return yaml.load(text, Loader=loader)


def _members(folder: Path, key: str, item: Any) -> Iterator[Entry]:
    """Yield the submission under one key of the list for every student who made it."""
    is_name = re.fullmatch(r"[\w-]+", key)
    people = item.get(":submitters") if isinstance(item, dict) else None
    if not is_name or not isinstance(people, list):
        return
    for person in people:
        if isinstance(person, dict):
            name, email, sid = (str(person.get(f":{part}") or "") for part in ("name", "email", "sid"))
            identifiers = tuple(part for part in (sid, email, name) if part) or (key,)
            order = (str(item.get(":created_at") or ""), key)
            yield Entry(identifiers, folder / key, name=name, order=order)


PLATFORM = Platform(
    "Gradescope",
    export=Export(_TITLE, _is_export, _layout),
    roster=RosterFormat(_COLUMNS, roles=frozenset({"instructor", "ta", "reader"})),
)
