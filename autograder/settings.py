"""Read a TOML file into a typed model, with errors that name the file, the key and what was expected."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, ValidationError

from autograder.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class TomlTable(BaseModel):
    """Base of every table in a settings file: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


TableT = TypeVar("TableT", bound=TomlTable)


def read(path: Path, model: type[TableT]) -> TableT:
    """Read the TOML file ``path`` into ``model``.

    Numbers with a decimal point arrive as `decimal.Decimal`, so that points stay exact.

    Raises
    ------
    ConfigError
        The file is missing, is not TOML, or a key of it is unknown, missing or of the wrong type.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        raise ConfigError(str(path), "there is no such file", "create it, or check the name") from None
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", "check its permissions") from None
    except UnicodeDecodeError:
        raise ConfigError(str(path), "is not UTF-8 text", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not valid TOML ({error})", "correct that line") from None
    return check(path, content, model)


def check(path: Path, content: object, model: type[TableT], *, within: tuple[str, ...] = ()) -> TableT:
    """Take what a TOML file holds into ``model``.

    Parameters
    ----------
    path : Path
        The file, for messages.
    content : object
        What it holds, or a table of it.
    within : tuple of str
        The keys that lead to that table.

    Raises
    ------
    ConfigError
        A key is unknown, missing or of the wrong type.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        details = error.errors(include_url=False)
        for detail in details:
            detail["loc"] = (*within, *detail["loc"])
        raise _config_error(path, _nest(content, within), details) from None


def _nest(content: object, within: tuple[str, ...]) -> object:
    for key in reversed(within):
        content = {key: content}
    return content


def zone(path: Path, name: str) -> ZoneInfo:
    """Return the time zone ``name`` that ``path`` asks for; raises ConfigError if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        remedy = "expected an IANA zone such as 'Europe/Berlin' or 'UTC'"
        raise ConfigError(str(path), f"`timezone` is {name!r}", remedy) from None


def _config_error(path: Path, content: object, details: Sequence[ErrorDetails]) -> ConfigError:
    """Return the error that says what to correct first, and in which table, if that has an id."""
    detail = details[0]
    key = _key(detail["loc"])
    of = _id(content, detail["loc"])
    if detail["type"] == "extra_forbidden":
        return ConfigError(str(path), f"unknown key `{key}`{of}", "check its spelling, or remove it")
    expected = detail["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    if detail["type"] == "missing":
        # A key that is misspelled is missing under its own name and unknown under the other.
        unknown = [
            str(one["loc"][-1])
            for one in details
            if one["type"] == "extra_forbidden" and one["loc"][:-1] == detail["loc"][:-1]
        ]
        if not unknown:
            return ConfigError(str(path), f"`{key}` is missing{of}", "add it")
        found = f"`{key}` is missing{of}, and `{'`, `'.join(unknown)}` is unknown there"
        wanted = str(detail["loc"][-1])
        near = difflib.get_close_matches(wanted, unknown, n=1)
        remedy = f"rename `{near[0]}` to `{wanted}`" if near else f"add `{wanted}`, and remove the other"
        return ConfigError(str(path), found, remedy)
    return ConfigError(str(path), f"`{key}` is {_short(detail['input'])}", expected)


def _id(content: object, location: tuple[int | str, ...]) -> str:
    """Say which of several tables a key is in, by its id; nothing if it has none."""
    for part in location[:-1]:
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and isinstance(part, int):
            content = content[part]
    named = content.get("id") if isinstance(content, dict) else None
    return f" in {named!r}" if isinstance(named, str) else ""


def _key(location: tuple[int | str, ...]) -> str:
    """Write a pydantic location as a TOML reader would: ``tasks[2].points`` (counted from 1)."""
    key = ""
    for part in location:
        if isinstance(part, int):
            key += f"[{part + 1}]"
        elif part != "[key]":
            key += f".{part}" if key else part
    return key


def _short(value: object) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
