"""A git repository, driven by commands, and everything that its history holds."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.errors import ReleaseError

_SCP = re.compile(r"(?:[^/@]+@)?(?P<host>[^/:]+):(?P<path>(?!//).+)")
_URL = re.compile(r"(?!file:)[a-z+]+://(?:[^/@]+@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+)")
_FILE_MODES = ("100644", "100755")
_LOCAL = {
    *(
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_NAMESPACE",
    ),
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE"),
}
"""Variables by which git, running a hook, would have its children work in its own repository."""


class Repository:
    """A repository in a folder.

    Parameters
    ----------
    folder : Path
        Where git works; need not be a repository yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str, data: bytes = b"") -> bytes:
        """Run git and return what it prints; raises ReleaseError if it fails or is not installed."""
        environment = {name: value for name, value in os.environ.items() if name not in _LOCAL}
        command = ["git", "-C", str(self.folder), *arguments]
        try:
            done = subprocess.run(command, input=data, capture_output=True, env=environment, check=False)
        except FileNotFoundError:
            raise ReleaseError("git", "is not installed", "install git") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().split("\n")
            found = next((line for line in said if line.startswith(("fatal:", "error:"))), said[0])
            remedy = "check the address in course.toml, and that you may write there"
            raise ReleaseError(f"git {arguments[0]}", found or f"exit status {done.returncode}", remedy)
        return done.stdout

    def lines(self, *arguments: str) -> list[str]:
        """Run git and return the lines that it prints, none if it fails."""
        try:
            return self.git(*arguments).decode(errors="replace").splitlines()
        except ReleaseError:
            return []

    def commit(self, files: Mapping[str, bytes], message: str, parent: str | None) -> str:
        """Store files as a commit on top of ``parent``, if there is one, and return it."""
        entries = []
        for path, content in sorted(files.items()):
            blob = self.git("hash-object", "-w", "--stdin", data=content).decode().strip()
            entries.append(f"100644 {blob}\t{path}\0")
        self.git("read-tree", "--empty")
        self.git("update-index", "-z", "--index-info", data="".join(entries).encode())
        tree = self.git("write-tree").decode().strip()
        onto = ["-p", parent] if parent else []
        return self.git("commit-tree", tree, *onto, "-m", message).decode().strip()

    def files(self, commit: str, folder: str) -> dict[str, bytes]:
        """Return the files that a commit holds in a folder, by path; links and repositories are left out."""
        found = {}
        for mode, blob, path in self._entries(commit):
            if mode in _FILE_MODES and path.startswith(f"{folder}/"):
                found[path] = self.git("cat-file", "blob", blob)
        return found

    def history(self) -> Iterator[tuple[str, bytes]]:
        """Yield every file of every commit that a reference leads to, and the commits and tags themselves.

        Raises
        ------
        ReleaseError
            There is a link, or a repository within the repository.
        """
        seen: set[tuple[str, str]] = set()
        for commit in self.lines("rev-list", "--all"):
            yield f"commit {commit[:12]}", self.git("cat-file", "commit", commit)
            for mode, blob, path in self._entries(commit):
                place = f"commit {commit[:12]}!{path}"
                if mode not in _FILE_MODES:
                    raise ReleaseError(place, "a link or repository", "publish to a repository without it")
                if (blob, path) not in seen:
                    seen.add((blob, path))
                    yield place, self.git("cat-file", "blob", blob)
        for line in self.lines("for-each-ref", "--format=%(objecttype) %(objectname) %(refname)"):
            kind, name, reference = line.split(" ", 2)
            yield reference, self.git("cat-file", "tag", name) if kind == "tag" else b""

    def _entries(self, commit: str) -> Iterator[tuple[str, str, str]]:
        """Yield mode, object and path of everything in a commit but folders."""
        for entry in self.git("ls-tree", "-r", "-z", "--full-tree", commit).split(b"\0")[:-1]:
            details, _, path = entry.partition(b"\t")
            mode, _, name = details.decode().split()
            yield mode, name, path.decode(errors="replace")


def identity(url: str, base: Path) -> str:
    """Return what a git URL points to, the same for all its spellings: a folder, or a host and a path.

    Parameters
    ----------
    base : Path
        Folder that relative paths start from.
    """
    match = _URL.fullmatch(url) or _SCP.fullmatch(url)
    if match and not (base / url).exists():
        return f"{match['host']}/{match['path']}".lower().rstrip("/").removesuffix(".git")
    return str((base / url.removeprefix("file://")).resolve()).removesuffix("/.git")


def location(url: str, base: Path) -> str:
    """Return a URL that git understands from any folder."""
    return (
        url
        if "/" not in identity(url, base)[:1] or url.startswith("file://")
        else str((base / url).resolve())
    )
