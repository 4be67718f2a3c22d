"""Decisions of instructors about hand-ins that were in doubt: ``decisions.toml`` beside the class folder."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, RootModel, ValidationError

from autograder import settings
from autograder.errors import ConfigError
from autograder.files import write_private

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

FILE = "decisions.toml"
_HEADER = """\
Decisions about hand-ins that were in doubt. `autograder map` writes them, and you may edit them.
Each class has a table, named after its folder or archive:

  [knn.files]                              # which file of a hand-in is meant
  "ada-park/knn.py" = "final/knn (1).py"

  [knn.students]                           # whose hand-in it is
  "Ada P (2)" = "ada-park"

  [knn]
  ignore = ["old stuff"]                   # entries of the class folder that belong to no student
"""


class DecisionTable(settings.TomlTable):
    """What was decided about one class, as the file holds it."""

    files: dict[str, str] = Field(default_factory=dict)
    students: dict[str, str] = Field(default_factory=dict)
    ignore: tuple[str, ...] = ()


class _Tables(RootModel[dict[str, DecisionTable]]):
    """All classes beside one another."""


@dataclass(frozen=True)
class Decisions:
    """What was decided about one class.

    Attributes
    ----------
    path : Path
        The file that holds it, or would.
    files : mapping of str to str
        ``"ada-park/knn.py"`` to the path in the hand-in that is taken for it.
    students : mapping of str to str
        The name of an entry of the class folder to the student whose it is.
    ignore : tuple of str
        Entries that are nobody's.
    """

    path: Path
    files: Mapping[str, str] = field(default_factory=dict)
    students: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()

    @classmethod
    def of(cls, folder: Path) -> Decisions:
        """Read what was decided about the class in a folder or archive.

        Raises
        ------
        ConfigError
            The file is damaged, or holds something else.
        """
        whole = folder.resolve()
        path = whole.parent / FILE
        if not path.is_file():
            return cls(path)
        try:
            tables = _Tables.model_validate(tomllib.loads(_text(path))).root
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(str(path), f"is not valid TOML ({error})", "correct that line") from None
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            place = ".".join(map(str, detail["loc"]))
            remedy = "expected tables as the comment at its top shows"
            raise ConfigError(str(path), f"`{place}` is not understood", remedy) from None
        found = tables.get(whole.name, DecisionTable())
        return cls(path, found.files, found.students, found.ignore)

    def chosen_files(self, *names: str) -> dict[str, str]:
        """Return the files that were chosen for a student or hand-in of one of these names."""
        return {
            file: value
            for key, value in self.files.items()
            for name, _, file in [key.rpartition("/")]
            if name in names
        }

    def change(
        self,
        *,
        files: Mapping[str, str] | None = None,
        students: Mapping[str, str] | None = None,
        ignore: Iterable[str] = (),
        forget: Iterable[str] = (),
    ) -> Decisions:
        """Return these decisions with others added.

        Parameters
        ----------
        forget : iterable of str
            Students or entries about whom nothing is decided any more.
        """
        gone = set(forget)
        kept = {key: file for key, file in self.files.items() if key.rpartition("/")[0] not in gone}
        owners = {key: student for key, student in self.students.items() if key not in gone}
        ignored = dict.fromkeys(name for name in (*self.ignore, *ignore) if name not in gone)
        return Decisions(self.path, kept | dict(files or {}), owners | dict(students or {}), tuple(ignored))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", "check its permissions") from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not UTF-8 text", "save it as UTF-8") from None


def write(folder: Path, decisions: Decisions) -> None:
    """Write the decisions about the class in a folder; all else in the file stays as it is.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """
    import tomlkit

    is_new = not decisions.path.is_file()
    document = tomlkit.document() if is_new else tomlkit.parse(_text(decisions.path))
    if is_new:
        for row in _HEADER.splitlines():
            document.add(tomlkit.comment(row) if row else tomlkit.nl())
        document.add(tomlkit.nl())
    tables = {"files": decisions.files, "students": decisions.students}
    _set(document, folder.resolve().name, tables, list(decisions.ignore))
    write_private(decisions.path, tomlkit.dumps(document))


def _set(
    document: TOMLDocument, name: str, merged: Mapping[str, Mapping[str, str]], ignored: list[str]
) -> None:
    """Bring the table of a class up to date, entry by entry, so that comments stay where they are."""
    import tomlkit

    if name not in document:
        document[name] = tomlkit.table()
    table = document[name]
    assert isinstance(table, dict)
    if ignored or "ignore" in table:
        table["ignore"] = ignored
    for key, wanted in merged.items():
        if wanted and key not in table:
            table[key] = tomlkit.table()
        present = table.get(key, {})
        for gone in [one for one in present if one not in wanted]:
            del present[gone]
        for one, value in wanted.items():
            if present.get(one) != value:
                present[one] = value
