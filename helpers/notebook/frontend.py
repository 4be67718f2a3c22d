"""The notebook or terminal in front of this code, and what it can show."""

from __future__ import annotations

import importlib
import sys
from typing import Any


def shell() -> Any | None:
    """Return the running IPython shell, or None where there is none; never imports IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def show(html: str, text: str) -> None:
    """Show one thing: as HTML where a notebook listens, else as text."""
    running = shell()
    if running is None:
        say(text)
    else:
        running.display_pub.publish({"text/html": html, "text/plain": text})


def say(text: str) -> None:
    """Print a text; symbols that the terminal's encoding lacks become question marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def in_colab() -> bool:
    """Tell whether this is a Google Colab runtime, which loads ``google.colab`` at its start."""
    return "google.colab" in sys.modules


def colab_part(name: str) -> Any:
    """Return a module of ``google.colab``, such as ``drive``; raises ImportError outside of Colab."""
    return importlib.import_module(f"google.colab.{name}")
