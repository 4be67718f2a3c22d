"""A web server on a port of this machine, for as long as a block lasts."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Generic, TypeVar

SiteT = TypeVar("SiteT")


class Handler(BaseHTTPRequestHandler):
    """Answers one request at a time, and writes no log.

    Attributes
    ----------
    site : object
        What is on the server.
    """

    site: Any
    lock: threading.Lock

    def log_message(self, format: str, *args: object) -> None:
        pass

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, kind: str, content: bytes, **headers: str) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class Server(Generic[SiteT]):
    """A server in threads; a context manager.

    Parameters
    ----------
    site : object
        What is on it.
    handler : type of Handler
        What answers requests.

    Attributes
    ----------
    url : str
        Its address, without a slash at the end.
    """

    def __init__(self, site: SiteT, handler: type[Handler]) -> None:
        self.site = site
        own = type("Handler", (handler,), {"site": site, "lock": threading.Lock()})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), own)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Server[SiteT]:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
