"""Pictures that others control: their type and size, read off the first bytes; nothing is decoded."""

from __future__ import annotations

import base64
import binascii
import struct

from autograder.graded.answers import Image, ImageType

MAX_BYTES = 2_000_000
MAX_PIXELS = 50_000_000
_MAGIC: dict[bytes, ImageType] = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


class Refused(Exception):
    """A picture that is left out; the message says why, to follow its name."""


def read_picture(encoded: str) -> Image:
    """Return a picture whose type is that of its bytes, whatever it was declared to be.

    Parameters
    ----------
    encoded : str
        Base64.

    Raises
    ------
    Refused
        It is not a PNG, JPEG, GIF or WebP, or too large in bytes or pixels.
    """
    if len(encoded) > 2 * MAX_BYTES:
        raise Refused(f"is larger than {MAX_BYTES // 1_000_000} MB")
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Refused("is damaged") from None
    if len(content) > MAX_BYTES:
        raise Refused(f"is larger than {MAX_BYTES // 1_000_000} MB")
    kind = _kind(content)
    try:
        width, height = _size(content, kind)
    except (struct.error, IndexError):
        raise Refused("is damaged") from None
    if width * height > MAX_PIXELS:
        raise Refused(f"has more than {MAX_PIXELS // 1_000_000} million pixels")
    return Image(type=kind, data=base64.b64encode(content).decode())


def _kind(content: bytes) -> ImageType:
    for start, kind in _MAGIC.items():
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    raise Refused("is not a PNG, JPEG, GIF or WebP")


def _size(content: bytes, kind: ImageType) -> tuple[int, int]:
    """Return width and height."""
    if kind == "image/png":
        width, height = struct.unpack_from(">II", content, 16)
    elif kind == "image/gif":
        width, height = struct.unpack_from("<HH", content, 6)
    elif kind == "image/jpeg":
        width, height = _jpeg_size(content)
    else:
        width, height = _webp_size(content)
    return width, height


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Go from segment to segment up to the one that begins a frame (ITU T.81, annex B)."""
    place = 2
    while True:
        marker, length = struct.unpack_from(">HH", content, place)
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        if length < 2:
            raise Refused("is damaged")
        place += 2 + length


def _webp_size(content: bytes) -> tuple[int, int]:
    """Read the size off the first chunk: extended, lossless or lossy (RFC 9649, section 2)."""
    chunk = content[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(content[24:27], "little") + 1
        return width, int.from_bytes(content[27:30], "little") + 1
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", content, 26)
    return width & 0x3FFF, height & 0x3FFF
