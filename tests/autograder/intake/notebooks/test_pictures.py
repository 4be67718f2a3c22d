"""Pictures are what their first bytes say, and neither large nor secretly so."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image as Pillow

from autograder.intake.notebooks.pictures import MAX_BYTES, Refused, read_picture
from tests.support import written_class as made


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "webp"])
def test_pictures_of_every_kind(form: str) -> None:
    file = io.BytesIO()
    Pillow.new("RGB", (30, 20), "blue").save(file, form)
    found = read_picture(made.encoded(file.getvalue()))
    assert (found.type, found.data) == (f"image/{form}", made.encoded(file.getvalue()))


@pytest.mark.parametrize("form", ["png", "jpeg", "gif", "webp"])
def test_pictures_with_more_pixels_than_anybody_looks_at(form: str) -> None:
    file = io.BytesIO()
    Pillow.new("1" if form != "webp" else "RGB", (8000, 7000)).save(
        file, form, **({"lossless": True} if form == "webp" else {})
    )
    with pytest.raises(Refused, match="more than 50 million pixels"):
        read_picture(made.encoded(file.getvalue()))


def test_a_small_file_that_claims_to_be_huge() -> None:
    with pytest.raises(Refused, match="million pixels"):
        read_picture(made.encoded(made.png(claimed=(2**31, 2**31))))


def test_line_breaks_in_base64_do_no_harm() -> None:
    whole = made.encoded(made.png())
    assert read_picture(f"{whole[:20]}\n{whole[20:]}\n").data == whole


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not a PNG, JPEG, GIF or WebP"),
        (b"<html><script>alert(1)</script>", "not a PNG"),
        (b"", "not a PNG"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"\xff\xd8\xff", "damaged"),
        (b"\xff\xd8\xff\xe0\x00\x00", "damaged"),
        (b"GIF89a", "damaged"),
        (b"RIFF" + struct.pack("<I", 4) + b"WEBPVP8 ", "damaged"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 400_000, "damaged"),
        (made.png() + b"\0" * MAX_BYTES, "larger than 2 MB"),
        (b"\0" * 5_000_000, "larger than 2 MB"),
    ],
)
def test_what_is_left_out(content: bytes, why: str) -> None:
    with pytest.raises(Refused, match=why):
        read_picture(made.encoded(content))


def test_what_is_no_base64() -> None:
    with pytest.raises(Refused, match="damaged"):
        read_picture("<script>")
