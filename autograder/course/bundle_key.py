"""What a bundle for a submission server holds in place of the course secret: the key of one assignment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from autograder.errors import ConfigError

FILE: Final = "bundle.json"
"""In the private folder of the course that a bundle holds."""


class BundleKey(BaseModel):
    """What makes a course that lies in a bundle grade as the whole course does.

    Attributes
    ----------
    assignment : str
        The only assignment that the bundle holds.
    key : str
        What `Course.key` returns for it, as 64 hexadecimal digits. The secret cannot be found from it.
    secret_id : str
        What `Course.secret_id` returns, so that results tell which secret was used.
    suite : str
        The hash over suite and reference. A bundle holds no reference, so it could not be worked out again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    assignment: str
    key: str
    secret_id: str
    suite: str


def find(root: Path) -> BundleKey | None:
    """Return the key that the course in ``root`` has in place of a secret; None if it is no bundle's.

    Raises
    ------
    ConfigError
        The file is damaged, or nobody but another user may look for it.
    """
    path = root / ".coursegrad" / FILE
    try:
        return BundleKey.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        found = f"cannot be read ({error.strerror})"
        raise ConfigError(str(path.parent), found, "run it as the owner of the course") from None
    except ValidationError:
        raise ConfigError(str(path), "is damaged", "make the bundle again: autograder bundle") from None
