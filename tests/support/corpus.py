"""The corpus of attacks: hostile submissions to the course of `vault`, and what each is worth."""

from __future__ import annotations

import ast
import importlib.util
import py_compile
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support import vault

FOLDER = Path(__file__).parents[1] / "course" / "attacks"


@dataclass(frozen=True)
class Attack:
    """One hostile submission; the fields are those of ``corpus.toml``."""

    file: str
    title: str
    points: int
    number: int | None = None
    extras: dict[str, str] = field(default_factory=dict)
    bytecode: bool = False
    says: str | None = None
    reached: tuple[str, ...] = ()
    unconfined: tuple[str, ...] = ()
    unconfined_points: int | None = None
    markers: int = 1
    gap: str | None = None

    @property
    def source(self) -> str:
        return (FOLDER / f"{self.file}.py").read_text()

    def compiled_files(self) -> dict[str, bytes]:
        """Return the bytecode that it hands in, of honest code, under names that Python looks for."""
        if not self.bytecode:
            return {}
        with tempfile.TemporaryDirectory() as place:
            honest = Path(place) / "honest.txt"
            honest.write_text(vault.REFERENCE)
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            target = str(honest.with_suffix(".pyc"))
            py_compile.compile(str(honest), cfile=target, dfile="vault.py", invalidation_mode=mode)
            content = Path(target).read_bytes()
        return dict.fromkeys((importlib.util.cache_from_source("vault.py"), "vault.pyc"), content)

    @property
    def announced(self) -> set[str]:
        """What it says, in plain words, that it tries; each of that must have been tried."""
        calls = [node for node in ast.walk(ast.parse(self.source)) if isinstance(node, ast.Call)]
        named = [call for call in calls if getattr(call.func, "id", "") in ("try_to", "did") and call.args]
        return {call.args[0].value for call in named if isinstance(call.args[0], ast.Constant)}


def make_toolbox(places: Mapping[str, Any]) -> str:
    """Return the file that all attacks share, which knows some places."""
    text = (FOLDER / "toolbox.py").read_text()
    assert "PLACES = {}" in text
    return text.replace("PLACES = {}", f"PLACES = {dict(places)!r}")


CORPUS = [
    Attack(**entry) for entry in tomllib.loads((FOLDER / "corpus.toml").read_text(encoding="utf-8"))["attack"]
]
