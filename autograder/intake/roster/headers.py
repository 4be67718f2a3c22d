"""The columns of rosters: what each platform calls a student's name, login, number, section and role."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from autograder.errors import ConfigError
from autograder.intake.roster.names import comparable
from autograder.intake.roster.table import Table

_SHOWN = 15


class Field(StrEnum):
    """What a column says about a student."""

    student = "student"
    """What results are to be called."""
    login = "login"
    email = "email"
    number = "number"
    """What the university knows somebody by."""
    id = "id"
    """What the platform itself knows somebody by, which its downloads have in the names of files."""
    name = "name"
    first = "first name"
    last = "last name"
    section = "section"
    role = "role"


NAMING = (Field.student, Field.login, Field.email, Field.number, Field.id)
"""Fields that identify a student; the first that has a value names the results."""

PLATFORMS: dict[str, dict[Field, tuple[str, ...]]] = {
    "Canvas": {
        Field.name: ("Student",),
        Field.last: ("LastName",),
        Field.first: ("FirstName",),
        Field.id: ("ID",),
        Field.login: ("SIS Login ID",),
        Field.number: ("SIS User ID", "Integration ID"),
        Field.section: ("Section",),
    },
    "nbgrader": {
        Field.login: ("id",),
        Field.first: ("first_name",),
        Field.last: ("last_name",),
        Field.email: ("email",),
        Field.id: ("lms_user_id",),
    },
    "Gradescope": {
        Field.name: ("Name", "Full Name"),
        Field.first: ("First Name",),
        Field.last: ("Last Name",),
        Field.number: ("SID", "Student ID"),
        Field.email: ("Email", "Email Address"),
        Field.section: ("Section", "Sections", "Section Name"),
        Field.role: ("Role",),
    },
    "Moodle": {  # in English, German, French, Spanish, Italian, Dutch and Portuguese
        Field.id: (
            *("Identifier", "ID", "Identifiant", "Identificador", "Identificativo", "Identificatie"),
            *("User ID", "Nutzer-ID"),
        ),
        Field.name: (
            *("Full name", "Vollständiger Name", "Nom complet", "Nombre completo", "Nome completo"),
            *("Volledige naam", "First name / Last name", "First name / Surname", "Vorname / Nachname"),
        ),
        Field.first: (
            *("First name", "Vorname", "Prénom", "Nombre", "Nombres", "Nome", "Nome próprio", "Voornaam"),
        ),
        Field.last: (
            *("Last name", "Surname", "Nachname", "Nom", "Nom de famille", "Apellido(s)", "Apellidos"),
            *("Apellido", "Cognome", "Achternaam", "Sobrenome", "Apelido"),
        ),
        Field.number: (
            *("ID number", "ID-Nummer", "Matrikelnummer", "Numéro d'identification", "Número de ID"),
            *("Codice identificativo", "Matricola", "ID-nummer", "Número de identificação"),
            *("Número de identificação (ID)", "Número de identificación", "Numéro d'étudiant"),
        ),
        Field.login: (
            *("Username", "Anmeldename", "Nutzername", "Nom d'utilisateur", "Nombre de usuario"),
            *("Gebruikersnaam", "Identificação de usuário", "Nome de utilizador"),
        ),
        Field.email: (
            *("Email address", "E-Mail-Adresse", "E-Mail", "Adresse de courriel", "Adresse e-mail"),
            *("Courriel", "Dirección de correo", "Dirección Email", "Dirección de correo electrónico"),
            "Correo electrónico",
            *("Indirizzo email", "E-mailadres", "Endereço de email", "Endereço de e-mail"),
        ),
        Field.section: ("Groups", "Group", "Gruppen", "Gruppe", "Groupes", "Grupos", "Gruppi", "Groepen"),
        Field.role: (
            *("Roles", "Rollen", "Rolle", "Rôles", "Rôle", "Ruoli", "Ruolo", "Rol", "Papéis", "Funções"),
        ),
    },
    "CSV": {
        Field.student: ("Student",),
        Field.login: (
            *("Login", "Login ID", "SIS Login ID", "User", "User name", "NetID", "UNI", "Account", "Kennung"),
            "GitHub username",
        ),
        Field.email: ("Email", "Mail", "Mail address"),
        Field.number: (
            *("SID", "SIS ID", "SIS User ID", "SIS", "Student number", "Student No", "University ID"),
            *("Matriculation number", "Matrikelnr", "Matrikel", "Matr.-Nr.", "Registration number"),
            "OrgDefinedId",
        ),
        Field.id: ("ID", "Canvas ID", "Canvas user ID", "LMS user ID"),
        Field.name: ("Name", "Student name", "Display name", "Sortable name"),
        Field.first: ("Given name", "Forename", "Given names"),
        Field.last: ("Family name", "Lastname"),
        Field.section: ("Section", "Sections", "Class", "Tutorial"),
        Field.role: ("Role", "Roles"),
    },
}
"""The names of columns, by platform. Blanks, hyphens, underscores and upper case do not matter."""

_OWN = ("Canvas", "nbgrader")
"""Platforms whose columns mean something else than the same names elsewhere."""


@dataclass(frozen=True)
class Columns:
    """Which column of a table holds what.

    Attributes
    ----------
    platform : str
        Whose export it is; ``"CSV"`` if nobody's.
    fields : dict of int to Field
        By the place of the column.
    """

    platform: str
    fields: dict[int, Field]

    def of(self, *fields: Field) -> list[int]:
        """Return the places of the columns that hold these fields, in the order of the fields."""
        return [place for field in fields for place, own in self.fields.items() if own is field]

    @property
    def keys(self) -> list[int]:
        """Columns that identify a student, the one that names results first."""
        return self.of(*NAMING)


def familiar(header: Sequence[str]) -> int:
    """Return how many columns of a header are known."""
    return len(_recognised(header).fields)


def recognise(table: Table) -> Columns:
    """Return which column holds what; raises ConfigError if none of them could identify a student."""
    columns = _recognised(table.header)
    if not columns.of(*NAMING, Field.name, Field.first, Field.last):
        more = len(table.header) - _SHOWN
        listed = ", ".join(f"`{' '.join(name.split())}`" for name in table.header[:_SHOWN])
        found = f"has no column that identifies a student; its header is {listed}"
        found += f" and {more} more" if more > 0 else ""
        remedy = (
            "expected `student`, `login`, `email`, `sid`, `id` or `name`, or an export of Canvas, Moodle, "
            "Gradescope or nbgrader as it is"
        )
        raise ConfigError(str(table.path), found, remedy)
    return columns


def _recognised(header: Sequence[str]) -> Columns:
    names = [name.strip() for name in header]
    own = "Canvas" if _is_canvas(names) else "nbgrader" if _is_nbgrader(names) else None
    if own is not None:
        return Columns(own, _matches(names, own))
    found = {platform: _matches(names, platform) for platform in PLATFORMS if platform not in _OWN}
    together: dict[int, Field] = {}
    for matches in found.values():
        together = matches | together
    complete = [name for name, matches in found.items() if name != "CSV" and len(matches) == len(together)]
    return Columns(next(iter(complete), "CSV"), dict(sorted(together.items())))


def _is_canvas(names: Sequence[str]) -> bool:
    """Tell whether a header is that of Canvas' gradebook: to the letter, it is the same in all languages."""
    is_named = "Student" in names or {"LastName", "FirstName"} <= set(names)
    return is_named and "ID" in names and not {"Section", "SIS Login ID", "SIS User ID"}.isdisjoint(names)


def _is_nbgrader(names: Sequence[str]) -> bool:
    return {"id", "first_name", "last_name"} <= set(names)


def _matches(names: Sequence[str], platform: str) -> dict[int, Field]:
    """Return the columns that a platform knows; of several of the same name, the first."""
    known = {_plain(one): field for field, spelled in PLATFORMS[platform].items() for one in spelled}
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(_plain(name), place)
    return {place: known[name] for name, place in places.items() if name in known}


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", comparable(name).replace("’", "'"))  # noqa: RUF001
