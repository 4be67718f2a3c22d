"""The API of autograder.io."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Final

from autograder.exporters.servers.connection import Connection

_MAX_PAGES: Final = 10_000


class Api(Connection):
    """A connection to autograder.io; use it as a context manager."""

    title: ClassVar[str] = "autograder.io"
    scheme: ClassVar[str] = "Token "
    source: ClassVar[str] = "download one from the page web/__apitoken__ of the server"
    right: ClassVar[str] = "ask an admin of the course to make you one"

    def get(self, path: str, *keys: str, missing: str = "") -> dict[str, Any]:
        """Return the object at a path.

        Parameters
        ----------
        *keys : str
            What it must have.
        missing : str
            What to say if there is none: what was looked for, and after a semicolon what to do.
        """
        return self.require_keys(self.json(self.request("GET", path, missing=missing), path), path, keys)

    def get_all(self, path: str, *keys: str) -> list[dict[str, Any]]:
        """Return the objects at a path, each with these keys."""
        return self._objects(self.json(self.request("GET", path), path), path, keys)

    def get_numbers(self, path: str) -> list[int]:
        """Return the number at a path, or those of a list."""
        found = self.json(self.request("GET", path), path)
        numbers = found if isinstance(found, list) else [found]
        if not all(isinstance(one, int) for one in numbers):
            raise self.strange(path)
        return numbers

    def get_pages(self, path: str, params: Mapping[str, str], *keys: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of every page."""
        for page in range(1, _MAX_PAGES):
            answer = self.json(self.request("GET", path, params={**params, "page": str(page)}), path)
            found = self.require_keys(answer, path, ("results",))
            yield from self._objects(found["results"], path, keys)
            if found.get("next") is None:
                return
        raise self.strange(path)

    def content(self, path: str) -> bytes:
        """Return a file."""
        return self.request("GET", path).content

    def create(self, path: str, body: Mapping[str, Any], *keys: str) -> dict[str, Any]:
        """Make an object, and return it with these keys."""
        return self.require_keys(self.json(self.request("POST", path, json=body), path), path, keys)

    def create_file(self, path: str, name: str, content: bytes) -> dict[str, Any]:
        """Make a file, and return what the server says of it."""
        answer = self.request("POST", path, files={"file_obj": (name, content)})
        return self.require_keys(self.json(answer, path), path, ("pk", "name"))

    def change(self, path: str, body: Mapping[str, Any]) -> None:
        """Change some values of an object."""
        self.request("PATCH", path, json=body)

    def change_order(self, path: str, numbers: Sequence[int]) -> None:
        """Bring objects into another order."""
        self.request("PUT", path, json=numbers)

    def change_file(self, path: str, name: str, content: bytes) -> None:
        """Give a file another content."""
        self.request("PUT", path, files={"file_obj": (name, content)})

    def _objects(self, found: Any, path: str, keys: Sequence[str]) -> list[dict[str, Any]]:
        if not isinstance(found, list):
            raise self.strange(path)
        return [self.require_keys(one, path, keys) for one in found]
