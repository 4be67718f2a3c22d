"""autograder.io as a server on a port of this machine: its API, with the checks of the real one.

Requests and answers must fit the schema that `autograder-cli` brings; keys that it does not name are refused.
`autograder_io_site` says what requests do, and `autograder_io_grading` how submissions are graded.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.servers import autograder_io_schema as schemas
from tests.support.servers import local
from tests.support.servers.autograder_io_site import MAX_FILE, ROUTES, Refused, Site, results

TOKEN = "0123456789abcdef0123456789abcdef01234567"


class _Handler(local.Handler):
    site: Site

    def _serve(self) -> None:
        with self.lock:
            parts = urlsplit(self.path)
            body = self.read_body()
            self.site.seen.append(self.headers.get("Authorization", ""))
            try:
                status, answer = self._answer(parts.path, parse_qs(parts.query), body)
            except Refused as refusal:
                status, answer = refusal.status, refusal.said
            except ConnectionAbortedError:
                self.close_connection = True
                return
            except Exception as error:
                self.site.faults.append(f"{self.command} {self.path}: {error!r}")
                status, answer = 500, {"detail": "Server error."}
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        kind = "application/octet-stream" if isinstance(answer, bytes) else "application/json"
        headers = {"Location": "http://127.0.0.1:9/elsewhere"} if self.site.redirects else {}
        self.reply(status, kind, content, **headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        site, method = self.site, self.command
        if site.redirects:
            return 302, {}
        if site.status is not None:
            raise Refused(site.status, {"detail": f"Not now, {self.headers.get('Authorization')}."})
        if site.answer is not None:
            return 200, site.answer
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            raise Refused(401, {"detail": "Invalid token."})
        found = schemas.operation(method, path)
        if found is None:
            raise Refused(404, {"detail": "Not found."})
        template, operation = found
        self._check_query(operation, query)
        content = self._body(operation, body)
        if method != "GET":
            if site.breaks_after is not None and len(site.changes) >= site.breaks_after:
                raise ConnectionAbortedError
            site.changes.append(f"{method} {template}")
        pattern = "([^/]+)".join(map(re.escape, schemas.PARAMETER.split(template)))
        match = re.fullmatch(pattern, path)
        assert match is not None
        serve = ROUTES.get((method, template))
        if serve is None:
            raise Refused(405, {"detail": f"{method} {template} is not emulated."})
        values = [unquote(part) for part in match.groups()]
        if template.endswith("all_ultimate_submission_results/"):
            answer = results(site, *values, query=query)
        else:
            answer = serve(site, *values, *([content] if method != "GET" else []))
        status, described = next(iter(operation["responses"].items()))
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is not None:
            # What the description forbids although servers send it: no next page is null.
            kept = isinstance(answer, dict) and "results" in answer
            shown = {k: v for k, v in answer.items() if v is not None} if kept else answer
            if fault := schemas.problem(shown, schema):
                site.faults.append(f"{method} {template}: {fault}")
        return int(status), answer

    def _check_query(self, operation: dict[str, Any], query: dict[str, list[str]]) -> None:
        parameters = schemas.load()["components"]["parameters"]
        known = {}
        for one in operation.get("parameters", ()):
            full = parameters[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
            if full["in"] == "query":
                known[full["name"]] = full["schema"]
        for name, (value, *_) in query.items():
            if name not in known:
                raise Refused(400, {name: "unknown parameter"})
            typed: object = int(value) if known[name].get("type") == "integer" else value
            if fault := schemas.problem(typed, known[name]):
                raise Refused(400, {name: fault})

    def _body(self, operation: dict[str, Any], body: bytes) -> Any:
        wanted = operation.get("requestBody", {}).get("content", {})
        if not wanted:
            return None
        kind = self.headers.get("Content-Type", "").partition(";")[0]
        if kind not in wanted:
            raise Refused(415, {"detail": f"Unsupported media type {kind!r} in request."})
        if kind == "multipart/form-data":
            return _files(self.headers["Content-Type"], body, set(wanted[kind]["schema"]["properties"]))
        try:
            content = json.loads(body)
        except ValueError:
            raise Refused(400, {"detail": "JSON parse error"}) from None
        if fault := schemas.problem(content, wanted[kind]["schema"], closed=True):
            raise Refused(400, {"detail": fault})
        return content


def _files(kind: str, body: bytes, keys: set[str]) -> tuple[str, bytes]:
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    parts = list(message.iter_parts())
    if len(parts) != 1 or parts[0].get_param("name", header="content-disposition") not in keys:
        raise Refused(400, {"file_obj": ["This field is required."]})
    content = parts[0].get_payload(decode=True)
    assert isinstance(content, bytes)
    if len(content) > MAX_FILE:
        raise Refused(400, {"file_obj": [f"Project files cannot exceed {MAX_FILE} bytes."]})
    return parts[0].get_filename() or "", content


@contextlib.contextmanager
def serve(site: Site) -> Iterator[local.Server[Site]]:
    """Run the server for the length of a block, and then require that its own answers were right."""
    with local.Server(site, _Handler) as server:
        yield server
    assert not site.faults, site.faults
