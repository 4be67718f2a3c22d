"""Source in the encodings that Python reads and Windows writes is read as what it is."""

from __future__ import annotations

import pytest

from autograder.intake.files.snapshot import Unreadable
from autograder.intake.search import encodings

TEXT = "name = 'Zoë'\r\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"# -*- coding: latin-1 -*-\n" + TEXT.encode("latin-1"), "iso8859-1"),
        (b"#!/usr/bin/env python\n# vim: set fileencoding=cp1252 :\n" + TEXT.encode("cp1252"), "cp1252"),
        (("# coding: utf-8\n" + TEXT).encode("utf-16"), "utf-16"),
        (TEXT.encode("utf-32"), "utf-32"),
    ],
)
def test_other_encodings_become_utf8(content: bytes, name: str) -> None:
    source, said = encodings.as_utf8("knn.py", content)
    assert TEXT in source.decode().removeprefix("\ufeff")
    assert said == f"knn.py is text in {name} and was read as that."
    names: dict[str, object] = {}
    exec(compile(source, "knn.py", "exec"), names)
    assert names["name"] == "Zoë"


@pytest.mark.parametrize(
    "content", [TEXT.encode(), b"\xef\xbb\xbf" + TEXT.encode(), b"# coding: utf8\n", b""]
)
def test_utf8_stays_as_it_is(content: bytes) -> None:
    assert encodings.as_utf8("knn.py", content) == (content, "")


@pytest.mark.parametrize("codec", ["rot13", "unicode_escape", "zip", "idna", "punycode", "nonsense", "utf-7"])
def test_codecs_that_do_more_than_characters_are_none(codec: str) -> None:
    plain = f"# coding: {codec}\n".encode()
    assert encodings.as_utf8("knn.py", plain) == (plain, "")
    with pytest.raises(Unreadable, match=r"not UTF-8 text"):
        encodings.as_utf8("knn.py", plain + b"\xe9")


def test_a_file_that_is_not_what_it_says() -> None:
    with pytest.raises(Unreadable, match="declares the encoding gbk but is not in it"):
        encodings.as_utf8("knn.py", b"# coding: gbk\n\xff\xff")
    with pytest.raises(Unreadable, match=r"not UTF-8 text \(byte 6\)"):
        encodings.as_utf8("knn.py", b"x = '\xe9'")
