"""The pictures of an answer, gathered under names of the kit's own."""

from __future__ import annotations

import re
from urllib.parse import quote

from autograder.graded.answers import Image
from autograder.intake.notebooks.pictures import Refused, read_picture
from autograder.intake.notebooks.saved_cells import SavedCell
from autograder.untrusted import line

MAX_PICTURES = 20
ATTACHMENT = "attachment:"
_EMBEDDED = re.compile(r"data:image/[a-z+.\-]{1,20};base64,([A-Za-z0-9+/]+={0,2})")
_TAG = re.compile(r"""<img\b[^<>]{0,400}?\bsrc\s*=\s*["']?(attachment:[^"'\s<>]{1,300})[^<>]{0,400}>""", re.I)
_NAME_LENGTH = 60


class Album:
    """Pictures by name, and sentences about those that were left out."""

    def __init__(self) -> None:
        self.pictures: dict[str, Image] = {}
        self.notes: list[str] = []

    def markdown(self, cell: SavedCell) -> str:
        """Return the text of a cell, in which every picture is called as it is here."""
        text = _EMBEDDED.sub(lambda found: self._reference("A picture", found[1]), cell.source)
        for name, bundle in sorted(cell.attachments.items(), key=lambda item: -len(item[0])):
            forms = [form for form in dict.fromkeys((name, quote(name))) if f"{ATTACHMENT}{form}" in text]
            encoded = next((data for kind, data in bundle.items() if kind.startswith("image/")), "")
            if name and forms and encoded:
                own = self._reference(line(name)[:_NAME_LENGTH], encoded)
                for form in forms:
                    text = text.replace(f"{ATTACHMENT}{form}", own)
        return _TAG.sub(r"![](\1)", text)

    def picture_markdown(self, encoded: str) -> str:
        """Return Markdown that shows a picture."""
        return f"![]({self._reference('A picture', encoded)})"

    def _reference(self, name: str, encoded: str) -> str:
        """Keep a picture, and return what stands for it."""
        if len(self.pictures) >= MAX_PICTURES:
            self._leave_out(f"More than {MAX_PICTURES} pictures were handed in; the others were left out.")
            return f"{ATTACHMENT}left-out"
        try:
            image = read_picture(encoded)
        except Refused as reason:
            self._leave_out(f"{name} {reason}; it was left out.")
            return f"{ATTACHMENT}left-out"
        own = f"picture-{len(self.pictures) + 1}"
        self.pictures[own] = image
        return f"{ATTACHMENT}{own}"

    def _leave_out(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)
