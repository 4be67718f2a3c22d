"""Google Drive: the folder that ``COLAB_DRIVE`` names; without one, the student has declined."""

import os
import subprocess
from pathlib import Path


def mount(mountpoint: str, force_remount: bool = False, timeout_ms: int = 120000) -> None:
    """Mount the Drive, or fail as Colab does."""
    drive = os.environ.get("COLAB_DRIVE")
    if drive is None:
        raise ValueError("mount failed")
    home = Path(mountpoint) / "MyDrive"
    if not home.is_mount():
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "--bind", drive, str(home)], check=True)
    print(f"Mounted at {mountpoint}")
