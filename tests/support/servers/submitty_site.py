"""Submitty's API on a port of this machine: tokens, and gradeables made of JSON.

Written from https://api.submitty.org, from the page on uploading gradeables in Submitty's documentation, and
from its tests of both. Every answer has a status of its own, and HTTP's is 200. What Submitty ignores is
refused: keys that nobody knows, and folders in which no configuration lies.
"""

from __future__ import annotations

import contextlib
import email.message
import email.parser
import email.policy
import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from tests.support.servers import local

SEMESTER, COURSE = "f26", "dl"
PASSWORD = 'correct "horse" \\battery'
"""Of every user; no shell and no JSON is to change it."""
UPLOAD_ONLY = "/usr/local/submitty/more_autograding_examples/upload_only/config"
TYPES = ("Electronic File", "Checkpoints", "Numeric")
KEYS = {
    *("title", "type", "id", "instructions_url", "syllabus_bucket", "autograding_config_path", "vcs"),
    *("bulk_upload", "team_gradeable", "ta_grading", "grade_inquiries", "grade_inquiries_per_component"),
    *("discussion_based", "discussion_thread_id", "dates", "rubric"),
}
BUCKETS = {
    *("homework", "assignment", "problem-set", "quiz", "test", "exam", "exercise", "lecture-exercise"),
    *("reading", "lab", "recitation", "worksheet", "project", "participation", "note"),
}
ORDER = (
    *("ta_view_start_date", "submission_open_date", "submission_due_date", "grade_start_date"),
    *("grade_due_date", "grade_released_date", "grade_inquiry_start_date", "grade_inquiry_due_date"),
)
OTHER_DATES = {
    *("team_lock_date", "has_due_date", "has_release_date", "late_submission_allowed", "late_days"),
}
LAST = datetime(9999, 2, 1)


class Refused(Exception):
    """A request that is answered with ``fail`` or ``error``."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Site:
    """What is on the server.

    Attributes
    ----------
    tokens : dict of str to str
        User to the only token that is good.
    instructors : set of str
        Users who are instructors of the course; others are its students.
    folders : set of str
        Folders of the server in which a configuration lies.
    gradeables : dict of str to dict
        Id to the gradeable, as it was asked for.
    seen : list of str
        The header ``Authorization`` of every request.
    faults : list of str
        Mistakes of this very server.
    code, answer, redirects
        What to answer instead: a status of HTTP, some bytes, another address.
    """

    tokens: dict[str, str] = field(default_factory=dict)
    instructors: set[str] = field(default_factory=lambda: {"ada"})
    folders: set[str] = field(default_factory=lambda: {UPLOAD_ONLY})
    gradeables: dict[str, dict[str, Any]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    code: int | None = None
    answer: bytes | None = None
    redirects: bool = False

    def issue_token(self, user: str) -> str:
        """Return a new token of a user; an earlier one is good no longer. It looks like a JSON web token."""
        parts = [
            "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
            secrets.token_urlsafe(150),
            secrets.token_urlsafe(32),
        ]
        self.tokens[user] = ".".join(parts)
        return self.tokens[user]


# What is behind each path


def _log_in(site: Site, body: Any) -> str:
    user, password = body.get("user_id"), body.get("password")
    if not user or not password:
        raise Refused("fail", "Cannot leave user id or password blank")
    if password != PASSWORD or user not in site.instructors | {"bob"}:
        raise Refused("fail", "Could not login using that user id or password")
    return str(user)


def _create(site: Site, body: Any) -> str:
    if not all(body.get(key) is not None for key in ("id", "title", "type")):
        raise Refused("error", "JSON requires id, title, and type. See documentation for information")
    if body.keys() - KEYS:
        raise Refused("error", f"Unknown keys: {body.keys() - KEYS}")
    if body["id"] in site.gradeables:
        raise Refused("error", "An error has occurred: Gradeable already exists")
    if problem := _find_problem(site, body):
        raise Refused("error", f"An error has occurred: {problem}")
    site.gradeables[body["id"]] = {"autograding_config_path": UPLOAD_ONLY, **body}
    return str(body["id"])


def _find_problem(site: Site, body: dict[str, Any]) -> str:
    """Say what is wrong with a gradeable; nothing if it is sound."""
    if body["type"] not in TYPES:
        return "Invalid type"
    if not isinstance(body["id"], str) or not re.fullmatch(r"[a-zA-Z0-9_-]+", body["id"]):
        return "Gradeable id must be alpha-numeric/hyphen/underscore only"
    if not isinstance(body["title"], str) or not body["title"]:
        return "Gradeable title must not be blank"
    if body.get("syllabus_bucket", "homework") not in BUCKETS:
        return "Invalid syllabus bucket"
    if body.get("autograding_config_path", UPLOAD_ONLY) not in site.folders:
        return "No configuration in that folder"
    return _find_wrong_date(body.get("dates", {}))


def _find_wrong_date(dates: dict[str, Any]) -> str:
    unknown = dates.keys() - {*ORDER, *OTHER_DATES}
    texts = [dates[name] for name in (*ORDER, "team_lock_date") if name in dates]
    if unknown or not all(re.fullmatch(r"\d{4}-\d\d?-\d\d \d\d:\d\d:\d\d", text) for text in texts):
        return "Invalid date-time value!"
    moments = [datetime.strptime(dates[name], "%Y-%m-%d %H:%M:%S") for name in ORDER if name in dates]
    if moments != sorted(moments) or any(one >= LAST for one in moments):
        return "Date validation failed"
    return ""


class _Handler(local.Handler):
    site: Site

    def _serve(self) -> None:
        site = self.site
        with self.lock:
            body = self.read_body()
            site.seen.append(self.headers.get("Authorization", ""))
            if site.redirects:
                self.reply(302, "text/html", b"", Location="http://127.0.0.1:9/elsewhere")
                return
            if site.answer is not None:
                self.reply(site.code or 200, "text/html", site.answer)
                return
            answer: dict[str, Any]
            try:
                answer = {"status": "success", "data": self._answer(body)}
            except Refused as refusal:
                answer = {"status": refusal.status, "message": str(refusal)}
            except Exception as error:
                site.faults.append(f"{self.command} {self.path}: {error!r}")
                answer = {"status": "error", "message": "Server error"}
            self.reply(site.code or 200, "application/json", json.dumps(answer, indent=4).encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _answer(self, body: bytes) -> Any:
        """Find the route, then the course, then the user, then his rights, as Submitty does."""
        site = self.site
        if site.code is not None:
            raise Refused("fail", f"Not now, {self.headers.get('Authorization')}.")
        if self.path in ("/api/token", "/api/token/invalidate"):
            self._require_post()
            user = _log_in(site, self._read(body))
            if self.path == "/api/token":
                return {"token": site.issue_token(user)}
            site.tokens.pop(user, None)
            return None
        route = re.fullmatch(r"/api/([^/]+)/([^/]+)/upload", self.path)
        if route is None:
            raise Refused("fail", "Endpoint not found.")
        self._require_post()
        if route.groups() != (SEMESTER, COURSE):
            raise Refused("fail", "Failed to load course. Check course title and ensure it exists.")
        users = {token: user for user, token in site.tokens.items()}
        who = users.get(self.headers.get("Authorization", ""))
        if who is None:
            raise Refused("fail", "Unauthenticated access. Please log in.")
        if who not in site.instructors:
            raise Refused("fail", "You don't have access to this endpoint.")
        if self.headers.get_content_type() != "application/json":
            raise Refused("error", "JSON requires id, title, and type. See documentation for information")
        return _create(site, self._read(body))

    def _require_post(self) -> None:
        if self.command != "POST":
            raise Refused("fail", "Method not allowed.")

    def _read(self, body: bytes) -> dict[str, Any]:
        """Return what PHP makes of a body: JSON, or a form in one of two encodings."""
        kind = self.headers.get_content_type()
        if kind == "application/json":
            with contextlib.suppress(ValueError):
                found = json.loads(body)
                return found if isinstance(found, dict) else {}
        if kind == "application/x-www-form-urlencoded":
            return dict(parse_qsl(body.decode()))
        if kind == "multipart/form-data":
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
            return {
                str(part.get_param("name", header="content-disposition")): _text(part)
                for part in message.iter_parts()
                if part.get_filename() is None
            }
        return {}


def _text(part: email.message.Message) -> str:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


@contextlib.contextmanager
def serve(site: Site) -> Iterator[local.Server[Site]]:
    """Run the server for the length of a block, and then require that it made no mistake."""
    with local.Server(site, _Handler) as server:
        yield server
    assert not site.faults, site.faults
