"""The API of autograder.io: requests with a token, each answered, or refused in one line.

The token is sent to no other address, and appears in no message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import requests
from requests.auth import AuthBase

from autograder.errors import ConfigError, ServerError
from autograder.untrusted import line

TOKEN_FILE: Final = ".agtoken"
_TOKEN: Final = re.compile(r"[\x21-\x7e]{8,200}")
_SECONDS: Final = (10, 120)
"""To connect, and to wait for each part of an answer."""
_DENIED: Final = re.compile(r"token|credential", re.IGNORECASE)
"""How servers say that they do not know who is asking, although the status says that he may not."""
_MAX_PAGES: Final = 10_000
_MOST_SHOWN: Final = 200


@dataclass(frozen=True)
class Token:
    """What proves to the server who is asking.

    Attributes
    ----------
    path : Path
        The file that it was read from.
    """

    path: Path
    secret: str = field(repr=False)


def find_token(name: str = TOKEN_FILE) -> Token:
    """Read the token, found as `autograder-cli` finds it.

    Parameters
    ----------
    name : str
        A path with a folder in it is taken as it is. A mere name is looked for in the current folder and in
        those above, up to the home folder; elsewhere, in the home folder alone.

    Raises
    ------
    ConfigError
        There is none, or it is not one line of a token.
    """
    remedy = "download it from https://autograder.io/web/__apitoken__ and save it there"
    places = list(_places(name))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ConfigError(str(places[-1]), "there is no token of autograder.io", remedy)
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), f"cannot be read ({type(error).__name__})", remedy) from None
    if not _TOKEN.fullmatch(secret):
        raise ConfigError(str(path), "does not hold one token, and nothing else", remedy)
    return Token(path, secret)


def _places(name: str) -> Iterator[Path]:
    if Path(name).name != name:
        yield Path(name).expanduser().absolute()
        return
    here, home = Path.cwd(), Path.home().absolute()
    if here == home or home in here.parents:
        for folder in (here, *here.parents):
            yield folder / name
            if folder == home:
                return
    yield home / name


class _Header(AuthBase):
    """The header that the server wants; as authentication, so that no .netrc takes its place."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Token {self._token.secret}"
        return request


class Api:
    """A connection to a server; use it as a context manager.

    Parameters
    ----------
    url : str
        Address of the server, without a slash at the end.
    token : Token
        Who is asking.
    """

    def __init__(self, url: str, token: Token) -> None:
        self.url = url
        self._token = token
        self._session = requests.Session()
        self._session.auth = _Header(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def get(self, path: str, *keys: str, missing: str = "") -> dict[str, Any]:
        """Return the object at a path.

        Parameters
        ----------
        *keys : str
            What it must have.
        missing : str
            What to say if there is none: what was looked for, and after a semicolon what to do.
        """
        return self._object(self._json(self._request("GET", path, missing=missing), path), path, keys)

    def get_all(self, path: str, *keys: str) -> list[dict[str, Any]]:
        """Return the objects at a path, each with these keys."""
        return self._objects(self._json(self._request("GET", path), path), path, keys)

    def get_numbers(self, path: str) -> list[int]:
        """Return the number at a path, or those of a list."""
        found = self._json(self._request("GET", path), path)
        numbers = found if isinstance(found, list) else [found]
        if not all(isinstance(one, int) for one in numbers):
            raise self.strange(path)
        return numbers

    def get_pages(self, path: str, params: Mapping[str, str], *keys: str) -> Iterator[dict[str, Any]]:
        """Yield the objects of every page."""
        for page in range(1, _MAX_PAGES):
            answer = self._json(self._request("GET", path, params={**params, "page": str(page)}), path)
            found = self._object(answer, path, ("results",))
            yield from self._objects(found["results"], path, keys)
            if found.get("next") is None:
                return
        raise self.strange(path)

    def content(self, path: str) -> bytes:
        """Return a file."""
        return self._request("GET", path).content

    def create(self, path: str, body: Mapping[str, Any], *keys: str) -> dict[str, Any]:
        """Make an object, and return it with these keys."""
        return self._object(self._json(self._request("POST", path, json=body), path), path, keys)

    def create_file(self, path: str, name: str, content: bytes) -> dict[str, Any]:
        """Make a file, and return what the server says of it."""
        answer = self._request("POST", path, files={"file_obj": (name, content)})
        return self._object(self._json(answer, path), path, ("pk", "name"))

    def change(self, path: str, body: Mapping[str, Any]) -> None:
        """Change some values of an object."""
        self._request("PATCH", path, json=body)

    def change_order(self, path: str, numbers: Sequence[int]) -> None:
        """Bring objects into another order."""
        self._request("PUT", path, json=numbers)

    def change_file(self, path: str, name: str, content: bytes) -> None:
        """Give a file another content."""
        self._request("PUT", path, files={"file_obj": (name, content)})

    def strange(self, path: str) -> ServerError:
        """Return the error that an answer is none of the API that the kit knows."""
        found = f"answers {path} with something else than its API does"
        return ServerError(
            self.url, found, "check `url` in course.toml, or install a newer version of the kit"
        )

    def _request(self, method: str, path: str, *, missing: str = "", **options: Any) -> requests.Response:
        try:
            answer = self._session.request(
                method,
                self.url + path,
                timeout=_SECONDS,
                allow_redirects=False,
                **options,
            )
        except requests.RequestException as error:
            found = f"cannot be reached ({_reason(error)})"
            raise ServerError(
                self.url, found, "check the address and the network, and run it again"
            ) from None
        if answer.ok and not answer.is_redirect:
            return answer
        raise self._refusal(answer, method, path, missing)

    def _refusal(self, answer: requests.Response, method: str, path: str, missing: str) -> ServerError:
        status, said = answer.status_code, self._detail(answer)
        if answer.is_redirect:
            return ServerError(
                self.url, "sends requests elsewhere", "set `url` to the address that it has now"
            )
        if status == 401 or (status == 403 and _DENIED.search(said)):
            remedy = "download a new token from the page web/__apitoken__ of the server"
            return ServerError(str(self._token.path), f"{self.url} does not accept this token", remedy)
        if status == 404 and missing:
            found, _, remedy = missing.partition("; ")
            return ServerError(self.url, found, remedy)
        found = f"answers {method} {path} with {status}{said}"
        if status == 403:
            return ServerError(self.url, found, "ask an admin of the course to make you one")
        if status >= 500 or status == 429:
            return ServerError(self.url, found, "wait a while and run it again: it goes on where it stopped")
        return ServerError(self.url, found, "correct what it names, and run it again")

    def _detail(self, answer: requests.Response) -> str:
        """Return what the server says, without what it may have repeated of the token."""
        if answer.status_code >= 500:
            return ""
        try:
            said = answer.json()
        except ValueError:
            return ""
        parts = said.items() if isinstance(said, Mapping) else [("", said)]
        text = ", ".join(f"{key}: {_words(value)}" if key else _words(value) for key, value in parts)
        shown = line(text.replace(self._token.secret, "[token]")).rstrip(".")
        return f" ({shown[:_MOST_SHOWN]})" if shown else ""

    def _json(self, answer: requests.Response, path: str) -> Any:
        try:
            return answer.json()
        except ValueError:
            raise self.strange(path) from None

    def _object(self, found: Any, path: str, keys: Sequence[str]) -> dict[str, Any]:
        if not isinstance(found, dict) or not found.keys() >= set(keys):
            raise self.strange(path)
        return found

    def _objects(self, found: Any, path: str, keys: Sequence[str]) -> list[dict[str, Any]]:
        if not isinstance(found, list):
            raise self.strange(path)
        return [self._object(one, path, keys) for one in found]


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _reason(error: requests.RequestException) -> str:
    """Say what failed without the request, which holds the token."""
    kinds = {
        requests.exceptions.SSLError: "its certificate is not valid",
        requests.Timeout: "no answer in time",
        requests.ConnectionError: "no connection",
    }
    return next((words for kind, words in kinds.items() if isinstance(error, kind)), type(error).__name__)
