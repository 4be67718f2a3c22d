"""Moodle, *Download all submissions*: ``Ada Park_4711_assignsubmission_file/``, a folder or file per part.

Files and a text that was typed into the browser are parts of one hand-in; the text never replaces the files.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.platforms.interface import (
    Download,
    Entry,
    Field,
    IsKnown,
    Platform,
    RosterFormat,
    last_change,
)

_PART = re.compile(
    r"(?P<name>.+)_(?P<user>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<original>.*))?", re.DOTALL
)
_COLUMNS = {  # in English, German, French, Spanish, Italian, Dutch and Portuguese
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
}
_ROLES = frozenset(
    {
        *("teacher", "non-editing teacher", "manager", "course creator", "guest"),
        *("trainer/in", "trainer/in ohne bearbeitungsrecht", "dozent/in", "tutor/in", "tutor", "gast"),
        *("enseignant", "enseignant non éditeur", "gestionnaire", "créateur de cours"),
        *("profesor", "profesor sin permiso de edición", "gestor", "docente", "docente non editor"),
        *("leraar", "docent", "leraar zonder bewerkingsrechten", "beheerder", "professor", "moderador"),
    }
)
_PARTICIPANT = re.compile(
    r"(?:participant|teilnehmer/in|teilnehmer|participante|partecipante|deelnemer)\s*(\d+)", re.IGNORECASE
)
"""How Moodle writes the number of a participant, which is in the names of what it lets one download."""


def _is_one(name: str, is_folder: bool) -> bool:
    """Tell whether Moodle gave the name."""
    found = _PART.fullmatch(name)
    return found is not None and (is_folder or bool(found["original"]))


def _entries(parts: Mapping[str, Path], is_known: IsKnown) -> Iterator[Entry]:
    """Yield the hand-in of every student."""
    by_user: dict[tuple[str, str], dict[str, Path]] = defaultdict(dict)
    for name, path in parts.items():
        found = _PART.fullmatch(name)
        assert found is not None
        by_user[found["name"], found["user"]][name] = path
    for (name, user), listed in by_user.items():
        yield _entry(name, user, listed)


def _entry(name: str, user: str, listed: Mapping[str, Path]) -> Entry:
    folder: Path | None = None
    files: dict[str, Path] = {}
    others: dict[str, Path] = {}
    for full, path in listed.items():
        found = _PART.fullmatch(full)
        assert found is not None
        if found["kind"] != "file":
            others[found["kind"]] = path
        elif path.is_dir() and folder is None:
            folder = path
        else:
            files[found["original"] or path.name] = path
    if folder is None and not files:
        folder = next((path for path in others.values() if path.is_dir()), None)
        kind = next(iter(others))
        others = {key: path for key, path in others.items() if path != folder}
        if folder is None:
            files = {f"{kind}.html": others.pop(kind)}
    if folder is not None:
        others |= {f"file {number}": path for number, path in enumerate(files.values(), 1)}
        files = {}
    order = max(last_change(path) for path in ([folder] if folder else list(files.values())))
    return Entry((user, name), folder, files, others, called=f"{name}_{user}", name=name, order=order)


PLATFORM = Platform(
    "Moodle",
    Download("a Moodle download", _is_one, _entries),
    roster=RosterFormat(_COLUMNS, roles=_ROLES, participant=_PARTICIPANT),
)
