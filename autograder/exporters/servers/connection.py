"""A connection to a submission server: requests with a token, each answered, or refused in one line.

The token is sent to no other address, and appears in no message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self

import requests
from requests.auth import AuthBase

from autograder.errors import ConfigError, ServerError
from autograder.untrusted import line

_TOKEN: Final = re.compile(r"[\x21-\x7e]{8,4096}")
_SECONDS: Final = (10, 120)
"""To connect, and to wait for each part of an answer."""
_DENIED: Final = re.compile(r"token|credential", re.IGNORECASE)
"""How servers say that they do not know who is asking, although the status says that he may not."""
_MOST_SHOWN: Final = 200


@dataclass(frozen=True)
class Token:
    """What proves to a server who is asking.

    Attributes
    ----------
    path : Path
        The file that it was read from.
    """

    path: Path
    secret: str = field(repr=False)


def find_token(name: str, title: str, remedy: str) -> Token:
    """Read a token.

    Parameters
    ----------
    name : str
        A path with a folder in it is taken as it is. A mere name is looked for in the current folder and in
        those above, up to the home folder; elsewhere, in the home folder alone.
    title, remedy : str
        The server, and where it gives tokens, for messages.

    Raises
    ------
    ConfigError
        There is none, or it is not one line of a token.
    """
    places = list(_places(name))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise ConfigError(str(places[-1]), f"there is no token of {title}", f"{remedy}, and save it there")
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        found = f"cannot be read ({type(error).__name__})"
        raise ConfigError(str(path), found, f"{remedy}, and save it there") from None
    if not _TOKEN.fullmatch(secret):
        found = "does not hold one token, and nothing else"
        raise ConfigError(str(path), found, f"{remedy}, and save it there")
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
    """The header that a server wants; as authentication, so that no .netrc takes its place."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._value
        return request


class Connection:
    """A connection to a server; use it as a context manager. A class of its own knows the server's API.

    Parameters
    ----------
    url : str
        Address of the server, without a slash at the end.
    token : Token
        Who is asking.

    Attributes
    ----------
    title : str
        The server, as people write it.
    scheme : str
        What stands before the token in the header.
    source : str
        What to do for a token, in words.
    right : str
        What to do for the right to do what was asked, in words.
    """

    title: ClassVar[str]
    scheme: ClassVar[str] = ""
    source: ClassVar[str]
    right: ClassVar[str]

    def __init__(self, url: str, token: Token) -> None:
        self.url = url
        self._token = token
        self._session = requests.Session()
        self._session.auth = _Header(self.scheme + token.secret)
        # An address without https is this machine, and no proxy is to read the token.
        self._session.trust_env = url.startswith("https:")

    @classmethod
    def open(cls, url: str, token_file: str) -> Self:
        """Return a connection with the token that `find_token` finds; raises ConfigError if there is none."""
        return cls(url, find_token(token_file, cls.title, cls.source))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request, and return what the server answers, whatever that is.

        Raises
        ------
        ServerError
            The server cannot be reached, or is elsewhere.
        """
        try:
            answer = self._session.request(
                method, self.url + path, timeout=_SECONDS, allow_redirects=False, **options
            )
        except requests.RequestException as error:
            found = f"cannot be reached ({_reason(error)})"
            remedy = "check the address and the network, and run it again"
            raise ServerError(self.url, found, remedy) from None
        if answer.is_redirect:
            remedy = "set `url` to the address that it has now"
            raise ServerError(self.url, "sends requests elsewhere", remedy)
        return answer

    def request(self, method: str, path: str, *, missing: str = "", **options: Any) -> requests.Response:
        """Send a request, and return the answer of a server that does what it is asked.

        Parameters
        ----------
        missing : str
            What to say if nothing is there: what was looked for, and after a semicolon what to do.

        Raises
        ------
        ServerError
            The server cannot be reached, or refuses.
        """
        answer = self.send(method, path, **options)
        if answer.ok:
            return answer
        raise self.refusal(answer, method, path, missing)

    def refusal(self, answer: requests.Response, method: str, path: str, missing: str = "") -> ServerError:
        """Return the error that a status stands for."""
        status, said = answer.status_code, self._detail(answer)
        if status == 401 or (status == 403 and _DENIED.search(said)):
            return self.denial()
        if status == 404 and missing:
            found, _, remedy = missing.partition("; ")
            return ServerError(self.url, found, remedy)
        found = f"answers {method} {path} with {status}{said}"
        if status == 403:
            return ServerError(self.url, found, self.right)
        if status >= 500 or status == 429:
            return ServerError(self.url, found, "wait a while and run it again")
        return ServerError(self.url, found, "correct what it names, and run it again")

    def denial(self) -> ServerError:
        """Return the error that the server does not know the token."""
        return ServerError(
            str(self._token.path),
            f"{self.url} does not accept this token",
            f"{self.source}, and save it there",
        )

    def strange(self, path: str) -> ServerError:
        """Return the error that an answer is none of the API that the kit knows."""
        found = f"answers {path} with something else than its API does"
        remedy = "check `url` in course.toml, or install a newer version of the kit"
        return ServerError(self.url, found, remedy)

    def json(self, answer: requests.Response, path: str) -> Any:
        """Return what an answer holds; raises ServerError if it is no JSON."""
        try:
            return answer.json()
        except ValueError:
            raise self.strange(path) from None

    def require_keys(self, found: Any, path: str, keys: Sequence[str]) -> dict[str, Any]:
        """Return what was found if it is an object with these keys; raises ServerError otherwise."""
        if not isinstance(found, dict) or not found.keys() >= set(keys):
            raise self.strange(path)
        return found

    def quote(self, text: str) -> str:
        """Return what a server says, on a line, and without what it may have repeated of the token."""
        return line(text.replace(self._token.secret, "[token]")).rstrip(".")[:_MOST_SHOWN]

    def _detail(self, answer: requests.Response) -> str:
        """Return what a server says about a refusal, in parentheses."""
        if answer.status_code >= 500:
            return ""
        try:
            said = answer.json()
        except ValueError:
            return ""
        parts = said.items() if isinstance(said, Mapping) else [("", said)]
        shown = self.quote(
            ", ".join(f"{key}: {_words(value)}" if key else _words(value) for key, value in parts)
        )
        return f" ({shown})" if shown else ""


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
