"""A small stand-in for Google Colab: the modules that its runtimes have, and a shell of IPython 7."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


class FakeColab:
    """What student-side code asked of Colab, and what Colab answers.

    Attributes
    ----------
    mounted, downloads : list of str
        Where Drive was mounted, and what was offered for download.
    drive_error : Exception or None
        What mounting raises.
    notebook : dict or None
        What the browser says of the notebook.
    """

    def __init__(self, mount: Path) -> None:
        self.mount = mount
        self.mounted: list[str] = []
        self.downloads: list[str] = []
        self.drive_error: Exception | None = None
        self.download_error: Exception | None = None
        self.notebook: dict[str, Any] | None = {"cells": []}

    def mount_drive(self, mountpoint: str, force_remount: bool = False, timeout_ms: int = 120000) -> None:
        """Do what ``drive.mount`` does."""
        if self.drive_error is not None:
            raise self.drive_error
        self.mounted.append(mountpoint)
        (Path(mountpoint) / "MyDrive").mkdir(parents=True, exist_ok=True)

    def download(self, file: str) -> None:
        """Do what ``files.download`` does."""
        if self.download_error is not None:
            raise self.download_error
        self.downloads.append(file)

    def blocking_request(self, kind: str, request: str = "", timeout_sec: int = 5) -> dict[str, Any] | None:
        """Answer as the browser does, or not at all."""
        assert kind == "get_ipynb"
        return None if self.notebook is None else {"ipynb": self.notebook}


def install(patch: pytest.MonkeyPatch, mount: Path) -> FakeColab:
    """Make this process look like a Colab runtime until the test ends."""
    fake = FakeColab(mount)
    parts: dict[str, dict[str, object]] = {
        "google": {},
        "google.colab": {},
        "google.colab.drive": {"mount": fake.mount_drive},
        "google.colab.files": {"download": fake.download},
        "google.colab._message": {"blocking_request": fake.blocking_request},
    }
    for name, names in parts.items():
        module = ModuleType(name)
        vars(module).update(names)
        patch.setitem(sys.modules, name, module)
    return fake


class FakeShell:
    """A notebook's shell: it tells registered callbacks about cells, and names the running one."""

    def __init__(self) -> None:
        self.callbacks: dict[str, list[Callable[[object], None]]] = {"pre_run_cell": [], "post_run_cell": []}
        self.events = SimpleNamespace(register=self._register)
        self.published: list[dict[str, str]] = []
        self.display_pub = SimpleNamespace(publish=self.published.append)
        self.cell: str | None = None
        self.user_ns: dict[str, object] = {}
        self.custom_exceptions: tuple[type[BaseException], ...] = ()

    def set_custom_exc(self, types: tuple[type[BaseException], ...], handler: object) -> None:
        """Do what IPython does, but for calling the handler."""
        self.custom_exceptions = types

    def _register(self, event: str, callback: Callable[[object], None]) -> None:
        if callback not in self.callbacks[event]:
            self.callbacks[event].append(callback)

    def get_parent(self) -> dict[str, Any]:
        """Return the message that asked for the running cell."""
        return {"metadata": {} if self.cell is None else {"cellId": self.cell}}

    def start(self, cell: str | None = None) -> None:
        """Begin to run a cell."""
        self.cell = cell
        for callback in self.callbacks["pre_run_cell"]:
            callback(None)

    def end(self) -> None:
        """Finish the running cell."""
        for callback in self.callbacks["post_run_cell"]:
            callback(None)
