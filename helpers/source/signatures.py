"""The real type of a file, by its first bytes, whatever its name says."""

from __future__ import annotations

_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF87a", "a GIF picture"),
    (b"GIF89a", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"{\\rtf", "a text document (RTF)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a document of Microsoft Office"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x8b\x08", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x7fELF", "a program"),
)
_IN_ZIP = (
    (b"word/", "a Word document"),
    (b"xl/", "an Excel workbook"),
    (b"ppt/", "a PowerPoint presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument", "a LibreOffice document"),
    (b"Index/Document.iwa", "a Pages document"),
)
_LOOKED_AT = 20_000
"""Bytes of a zip in which the names of its first members are sought."""


def kind(content: bytes) -> str | None:
    """Return what a file is that holds no Python, in words with an article; None if no signature fits.

    Examples
    --------
    >>> kind(b"%PDF-1.7 ...")
    'a PDF'
    >>> kind(b"import torch") is None
    True
    """
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        head = content[:_LOOKED_AT] + content[-_LOOKED_AT:]  # names stand at the end as well
        return next((name for part, name in _IN_ZIP if part in head), "a zip archive")
    if content[4:8] == b"ftyp":
        return "a picture (HEIC)" if content[8:11] in (b"hei", b"mif") else "a video"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "a WebP picture"
    return next((name for start, name in _SIGNATURES if content.startswith(start)), None)
