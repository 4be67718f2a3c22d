"""Canvas: what *Download Submissions* gives, its gradebook's export as a roster, and what it imports."""

from __future__ import annotations

from autograder.platforms.canvas import download, gradebook, roster
from autograder.platforms.interface import Platform

PLATFORM = Platform(
    "Canvas",
    download.DOWNLOAD,
    roster=roster.FORMAT,
    gradebook=gradebook,
    aliases=roster.ALIASES,
)
