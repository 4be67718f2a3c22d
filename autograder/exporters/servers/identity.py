"""What a bundle says about itself, and whether it is still the one that would be made now."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograder
from autograder.course import bundle_key, provenance
from autograder.course.assignment import Assignment
from autograder.course.bundle_key import BundleKey
from autograder.errors import ConfigError
from autograder.exporters.servers.contents import COURSE, MANIFEST
from autograder.exporters.servers.interface import Manifest


@dataclass(frozen=True)
class Identity:
    """What a bundle says about itself.

    Attributes
    ----------
    manifest : Manifest
        Whom it is for and what made it.
    key : BundleKey
        What stands for the course secret, with the hash of the suite.
    """

    manifest: Manifest
    key: BundleKey

    @classmethod
    def read(cls, member: Callable[[str], bytes]) -> Identity:
        """Read it.

        Parameters
        ----------
        member : callable
            `member(path)` returns a file of what every bundle holds (`Contents.files`).

        Raises
        ------
        ValueError
            A file is damaged, or of another version of the kit; besides, whatever `member` raises.
        """
        manifest = Manifest.model_validate_json(member(MANIFEST))
        key = member(f"{COURSE}/.coursegrad/{bundle_key.FILE}")
        return cls(manifest, BundleKey.model_validate_json(key))

    def require_current(
        self, path: Path, server: str, assignment: Assignment, settings: Any, *, apart: Collection[str]
    ) -> None:
        """Check that a bundle is what would be made now.

        Parameters
        ----------
        path : Path
            Where it is, for messages.
        server : str
            Name of the server that it has to be for.
        apart : collection of str
            Settings that have no say in what a bundle holds.

        Raises
        ------
        ConfigError
            It is of another server, assignment or version of the kit, or suite or settings have changed.
        """
        if problem := self._find_change(server, assignment, settings, apart):
            raise ConfigError(str(path), problem, f"run: autograder bundle {assignment.name} {server}")

    def _find_change(self, server: str, assignment: Assignment, settings: Any, apart: Collection[str]) -> str:
        """Say what has changed; nothing if nothing has."""
        manifest = self.manifest
        if (manifest.server, manifest.assignment) != (server, assignment.name):
            return f"grades {manifest.assignment} on {manifest.server}"
        if manifest.kit != autograder.__version__:
            return f"was made by version {manifest.kit} of the kit, and this is {autograder.__version__}"
        if self.key.suite != provenance.suite_hash(assignment):
            return f"was made before the tests or the reference of {assignment.name} changed"
        for name, value in settings.model_dump(mode="json", exclude=set(apart)).items():
            if manifest.settings.get(name) != value:
                return f"was made when course.toml said something else of `servers.{server}.{name}`"
        return ""
