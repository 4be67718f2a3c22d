"""The file of the course secret: read without following a link, made once, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from autograder import files
from autograder.errors import ConfigError

SECRET_BYTES = 32


def read(path: Path) -> bytes:
    """Read a secret through one descriptor, so that what was checked is what is read.

    Raises
    ------
    FileNotFoundError
        There is none yet.
    ConfigError
        Others can read it, it is not a regular file, or it does not hold 64 hexadecimal digits.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        remedy = "it must be a regular file that you own; restore it from a backup"
        raise ConfigError(str(path), f"cannot be opened ({error.strerror})", remedy) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(str(path), "is not a regular file", "restore it from a backup")
        if status.st_mode & 0o077:
            raise ConfigError(str(path), "other users can read the course secret", f"run: chmod 600 {path}")
        content = file.read(4 * SECRET_BYTES)
    try:
        secret = bytes.fromhex(content.decode("ascii"))
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        found = f"does not hold {2 * SECRET_BYTES} hexadecimal digits"
        raise ConfigError(str(path), found, "restore it from a backup; a new one changes the hidden inputs")
    return secret


def make(path: Path) -> None:
    """Write a new secret; where two processes race, the first one's secret stays."""
    files.private_folder(path.parent)
    files.write_private(path, secrets.token_hex(SECRET_BYTES) + "\n", replace=False)
