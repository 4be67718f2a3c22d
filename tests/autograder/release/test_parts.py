"""The leak check reads whatever a file holds, however it is packed or encoded."""

from __future__ import annotations

import base64
import bz2
import gzip
import html
import io
import json
import lzma
import tarfile
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.release import parts
from autograder.release.fingerprints import normalize_words
from autograder.release.parts import UnreadableError

SECRET = "dists = compute(x_train)\nfor i, row in enumerate(dists):\n    total += row\n"


def readable(blob: bytes, sought: str = SECRET) -> bool:
    return any(
        normalize_words(sought) in normalize_words(text)
        for _, part in parts.walk("", blob)
        for text in parts.texts(part)
    )


def zipped(data: bytes, **options: object) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/b.txt", data)
    return buffer.getvalue()


def tarred(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("a.txt")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def unlisted(data: bytes) -> bytes:
    """Return a zip archive whose directory does not list its first member."""
    first, second = zipped(data), zipped(b"harmless")
    end = first.index(b"PK\x01\x02")
    return first[:end] + second


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda data: data,
    "zip": zipped,
    "zip with an unlisted member": unlisted,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "tar": tarred,
    "zlib in a binary file": lambda data: b"\x89PNG\0\xff" + zlib.compress(data, 9) + b"\0",
    "Base64": base64.b64encode,
    "Base64 in lines": base64.encodebytes,
    "Base64 in lines in JSON": lambda data: json.dumps(base64.encodebytes(data).decode()).encode(),
    "Base64 of URLs": lambda data: b"data:text/plain;base64," + base64.urlsafe_b64encode(data),
    "Base64 after a word": lambda data: b"path/" + base64.b64encode(data),
}


@pytest.mark.parametrize("packing", PACKINGS)
def test_packed_text_is_found(packing: str) -> None:
    assert readable(PACKINGS[packing](SECRET.encode()))
    assert not readable(
        PACKINGS[packing](b"something else, of the same length or longer, for what it is worth")
    )


@given(st.lists(st.sampled_from(sorted(PACKINGS)), max_size=3))
def test_text_packed_several_times_is_found(packings: list[str]) -> None:
    blob = SECRET.encode()
    for packing in packings:
        blob = PACKINGS[packing](blob)
    assert readable(blob)


LINES = SECRET.splitlines()
WRITINGS: dict[str, bytes] = {
    "indented": "".join(f"        {line}\n" for line in LINES).encode(),
    "in capitals and on one line": " ".join(LINES).upper().encode(),
    "commented out": "".join(f"# {line}\n" for line in LINES).encode(),
    "quoted": "".join(f"> {line}\n" for line in LINES).encode(),
    "with comments": "".join(f"{line}  # why\n\n# more\n" for line in LINES).encode(),
    "numbered": "".join(f"---> {n:4} {line}\n" for n, line in enumerate(LINES, 8)).encode(),
    "numbered with colons": "".join(f"{n}: {line}\n" for n, line in enumerate(LINES, 98)).encode(),
    "colored by a terminal": "".join(
        f"\x1b[0;32m    {n}\x1b[0m {line}\n" for n, line in enumerate(LINES)
    ).encode(),
    "a repr": repr(SECRET).encode(),
    "a list in JSON": json.dumps(SECRET.splitlines(keepends=True), indent=1).encode(),
    "JSON in JSON in JSON": json.dumps(json.dumps(json.dumps({"text": SECRET}))).encode(),
    "a colored traceback in JSON": json.dumps(
        [f"\x1b[1;32m{n} {line}" for n, line in enumerate(LINES)]
    ).encode(),
    "a traceback in one string": json.dumps(
        "".join(f"\x1b[1m{n}\x1b[0m {li}\n" for n, li in enumerate(LINES))
    ).encode(),
    "comments in a string": json.dumps("".join(f"{line}  # why\n" for line in LINES)).encode(),
    "HTML": html.escape(SECRET).replace("\n", "<br>").encode(),
    "highlighted HTML": "".join(f"<p><b>{line.replace(' ', '</b> <i>')}</i></p>" for line in LINES).encode(),
    "a URL": urllib.parse.quote(SECRET).encode(),
    "UTF-16": SECRET.encode("utf-16"),
    "UTF-16 without a mark": SECRET.encode("utf-16-be"),
    "UTF-32": SECRET.encode("utf-32"),
    "Latin-1 around it": b"\xe9\xff" + SECRET.encode(),
}


@pytest.mark.parametrize("writing", WRITINGS)
def test_text_is_found_however_it_is_written(writing: str) -> None:
    assert readable(WRITINGS[writing])


def test_lines_are_those_of_the_file() -> None:
    blob = json.dumps({"a": "x\ny\nz", "source": ["one\n", "two"]}, indent=1).encode()
    count = blob.count(b"\n")
    assert {text.count("\n") for text in parts.texts(blob)} == {count}


def test_comments_and_extra_fields_of_archives_are_parts() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        entry = zipfile.ZipInfo("a.txt")
        entry.comment = b"of the entry"
        entry.extra = b"\xfe\xca\x05\x00extra"
        archive.writestr(entry, b"content")
        archive.comment = b"of the archive"
    found = dict(parts.walk("x.zip", buffer.getvalue()))
    assert found["x.zip!comment"] == b"of the archive"
    assert found["x.zip!a.txt"] == b"content"
    assert found["x.zip!a.txt!comment"] == b"of the entry"
    assert found["x.zip!a.txt!extra"].endswith(b"extra")


def bomb() -> bytes:
    return zipped(b"\0" * (parts.MAX_BYTES + 1))


def encrypted() -> bytes:
    blob = bytearray(zipped(b"text"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        blob[blob.index(signature) + offset] |= 1
    return bytes(blob)


def nested() -> bytes:
    blob = b"text"
    for _ in range(parts.MAX_DEPTH + 2):
        blob = zipped(blob)
    return blob


def broken() -> bytes:
    blob = bytearray(zipped(SECRET.encode() * 9))
    blob[60] ^= 0xFF
    return bytes(blob)


@pytest.mark.parametrize(
    "make", [bomb, encrypted, nested, broken, lambda: b"\x1f\x8b\x08" + bytes(7) + b"\xff" * 9]
)
def test_what_cannot_be_looked_into_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(UnreadableError):
        list(parts.walk("x", make()))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(blob: bytes) -> None:
    try:
        for _, part in parts.walk("x", blob):
            list(parts.texts(part))
    except UnreadableError:
        pass
