"""The API of Submitty.

Its answers have a status of their own, whatever that of HTTP is: ``success``, ``fail`` or ``error``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from autograder.errors import ServerError
from autograder.exporters.servers.connection import Connection

_REFUSED: Final = frozenset({401, 403, 429})
"""Statuses of HTTP that say enough."""


class Api(Connection):
    """A connection to Submitty; use it as a context manager."""

    title: ClassVar[str] = "Submitty"
    source: ClassVar[str] = "get one from api/token of the server"
    right: ClassVar[str] = "ask an instructor of the course to make you one"

    def create_gradeable(self, semester: str, course: str, body: Mapping[str, Any]) -> bool:
        """Make a gradeable; return whether it was made, and not there already.

        Raises
        ------
        ServerError
            The server cannot be reached or refuses, has no such course, or does not know the token.
        """
        path = f"/api/{semester}/{course}/upload"
        answer = self.send("POST", path, json=body)
        if answer.status_code in _REFUSED or answer.status_code >= 500:
            raise self.refusal(answer, "POST", path)
        said = self.require_keys(self.json(answer, path), path, ["status"])
        if said["status"] == "success":
            return True
        message = said.get("message")
        if said["status"] not in ("fail", "error") or not isinstance(message, str):
            raise self.strange(path)
        if "already exists" in message:
            return False
        raise self._explain(message, path, f"{semester} {course}")

    def _explain(self, message: str, path: str, course: str) -> ServerError:
        """Return the error that a message stands for."""
        if "Unauthenticated" in message:
            return self.denial()
        if "have access" in message:
            return ServerError(self.url, f"the owner of the token is no instructor of {course}", self.right)
        if "load course" in message:
            remedy = "correct `semester` and `course` below [servers.submitty] in course.toml"
            return ServerError(self.url, f"has no course {course}", remedy)
        if "Endpoint not found" in message:
            found = "is of a version whose API makes no gradeables"
            return ServerError(self.url, found, "create the gradeable on the page of the course")
        found = f"answers POST {path} with: {self.quote(message)}"
        return ServerError(self.url, found, "correct what it names, and run it again")
