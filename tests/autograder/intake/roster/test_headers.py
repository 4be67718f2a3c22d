"""Columns are known by the names that platforms give them, in one table."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.intake.roster import headers
from autograder.intake.roster.headers import Field
from autograder.intake.roster.table import Table


def recognize(*header: str) -> headers.Columns:
    return headers.recognize(Table(Path("roster.csv"), header, (), ","))


@pytest.mark.parametrize("platform", headers.FORMATS)
def test_no_name_of_a_platform_means_two_things(platform: str) -> None:
    columns = headers.FORMATS[platform].columns
    names = [" ".join(name.split()).casefold() for spelled in columns.values() for name in spelled]
    assert len(set(names)) >= len(names) - 1, "ID number and ID-nummer are one"
    for field, spelled in columns.items():
        for name in spelled:
            assert headers._matches([name], platform) == {0: field}, name


def test_the_platform_is_recognized() -> None:
    assert recognize("Student", "ID", "Section", "Email").platform == "Canvas"
    assert recognize("LastName", "FirstName", "ID", "SIS Login ID", "Section").platform == "Canvas"
    assert recognize("id", "last_name", "first_name", "email").platform == "nbgrader"
    assert recognize("Name", "SID", "Email", "Role").platform == "Gradescope"
    assert recognize("Vorname", "Nachname", "E-Mail-Adresse", "Gruppen").platform == "Moodle"
    assert recognize("student", "id", "section").platform == "CSV"


def test_what_a_column_is_called_in_canvas_and_elsewhere() -> None:
    assert recognize("Student", "ID", "Section").fields == {0: Field.name, 1: Field.id, 2: Field.section}
    assert recognize("Student", "E-Mail").fields == {0: Field.student, 1: Field.email}
    assert recognize("Prénom", "Nom", "Courriel").fields == {0: Field.first, 1: Field.last, 2: Field.email}


def test_a_table_of_ones_own_may_name_columns_after_a_platform() -> None:
    for name, field in (
        ("Canvas ID", Field.id),
        ("canvas_user_id", Field.id),
        ("OrgDefinedId", Field.number),
    ):
        assert recognize("name", name).fields == {0: Field.name, 1: field}
        assert recognize("name", name, "login").platform == "CSV"


def test_spelling_does_not_matter_and_the_first_of_two_columns_counts() -> None:
    columns = recognize(" e_mail ", "E-MAIL", "FULL  name", "Nume\u0301ro d’identification")  # noqa: RUF001
    assert columns.fields == {0: Field.email, 2: Field.name, 3: Field.number}
    assert columns.keys == [0, 3]


def test_a_header_without_students_is_shown() -> None:
    with pytest.raises(ConfigError, match="its header is `Punkte`, `Note`; expected `student`"):
        recognize("Punkte", "Note")
