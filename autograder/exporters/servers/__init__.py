"""Submission servers: bundles that grade there as the kit grades here."""

from __future__ import annotations

import difflib
from importlib import import_module
from typing import Final

from autograder.errors import ConfigError
from autograder.exporters.servers.interface import Server

NAMES: Final = ("gradescope", "autograder_io", "autolab", "prairielearn", "classroom50", "submitty")
"""Each is a module of this room, which is imported only where it is asked for."""


def suggest(name: str) -> str:
    """Say which server somebody may have meant by a name that is none."""
    near = difflib.get_close_matches(name, NAMES, n=1)
    return f"did you mean {near[0]}?" if near else f"choose one of: {', '.join(NAMES)}"


def find_server(name: str) -> Server:
    """Return a server by its name.

    Raises
    ------
    ConfigError
        There is none of this name.
    """
    chosen = name.replace("-", "_").replace(".", "_").casefold()
    if chosen not in NAMES:
        raise ConfigError(name, "the kit knows no such server", suggest(chosen))
    server: Server = import_module(f"{__name__}.{chosen}").SERVER
    return server
