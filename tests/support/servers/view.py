"""See a folder as the root of the file system, at the folders of a server, and run a command there.

    python -m tests.support.servers.view ROOT LEVEL FOLDER COMMAND...

ROOT holds what the server has laid out, such as ``autograder``; everything else in it is this machine's.
FOLDER is where the command works, LEVEL one of `tests.support.levels`, or ``root`` for all that root may do.
Linux on x86-64, as root.
"""

from __future__ import annotations

import ctypes
import os
import sys
import zipfile
from pathlib import Path

from tests.support import levels

_NEW_MOUNTS, _BIND, _REC, _PRIVATE = 0x00020000, 1 << 12, 1 << 14, 1 << 18
_VIEW = ".view"
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Enter the view, then become the command."""
    root, level, folder, *command = sys.argv[1:]
    enter(Path(root))
    if level != "root":
        levels.LEVELS[level]()
    os.chdir(folder)
    os.environ.pop("PYTHONPATH", None)  # it was for this module alone
    os.execvp(command[0], command)


def enter(root: Path) -> None:
    """Make a folder the root of this process; what is missing in it is that of the machine.

    Python and its packages can be read by everybody in it, as on a server.
    """
    packages = [Path(entry) for entry in sys.path if Path(entry).name == "site-packages"]
    levels.show([Path(sys.base_prefix), *packages, root])
    _checked(_LIBC.unshare(_NEW_MOUNTS))
    _checked(_LIBC.mount(None, b"/", None, _REC | _PRIVATE, None))
    own, seen = {path.name: path for path in root.iterdir()}, root / _VIEW
    seen.mkdir(exist_ok=True)
    _checked(_LIBC.mount(b"none", os.fsencode(seen), b"tmpfs", 0, b"mode=755"))
    for name, path in ({path.name: path for path in Path("/").iterdir()} | own).items():
        if path.is_symlink():
            (seen / name).symlink_to(path.readlink())
        elif path.is_dir() and name != _VIEW:
            (seen / name).mkdir()
            _checked(_LIBC.mount(os.fsencode(path), os.fsencode(seen / name), None, _BIND | _REC, None))
    os.chroot(seen)


def install(venv: Path, wheel: Path, *, at: str) -> None:
    """Make an environment of this interpreter's packages and of a wheel, without pip.

    Parameters
    ----------
    venv : Path
        Where to make it.
    wheel : Path
        The kit, as a bundle holds it.
    at : str
        The folder that `venv` is in the view.
    """
    version = "python{}.{}".format(*sys.version_info)
    packages = venv / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    home = Path(sys.base_prefix) / "bin"
    (venv / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    others = [entry for entry in sys.path if Path(entry).name == "site-packages"]
    (packages / "others.pth").write_text("".join(f"{entry}\n" for entry in others))
    script = venv / "bin" / "autograder"
    script.write_text(f"#!{at}/bin/python\nfrom autograder.commands.main import main\n\nmain()\n")
    script.chmod(0o755)


def _checked(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main()
