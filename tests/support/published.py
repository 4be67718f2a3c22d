"""The course, released and published by the kit's own commands, and served from disk in GitHub's place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from tests.support.command import run_command

ROOT = Path(__file__).parents[2]
REPOSITORY = "university/deep-learning"
ADDRESS = f"https://github.com/{REPOSITORY}.git"


@dataclass(frozen=True)
class Public:
    """A public repository with a release of the course.

    Attributes
    ----------
    folder : Path
        Holds ``course``, the instructor's side, and ``public.git``.
    """

    folder: Path

    @property
    def course(self) -> Path:
        """The instructor's folder."""
        return self.folder / "course"

    @property
    def student(self) -> Path:
        """The student tree as released."""
        return self.course / "dist" / "student"

    def notebook(self, name: str) -> Path:
        """Return a notebook as students get it."""
        return self.student / "assignments" / name / f"{name}.ipynb"

    @property
    def online(self) -> dict[str, str]:
        """An environment in which git finds GitHub here."""
        return _clean() | _git(f"url.file://{self.folder}/public.git.insteadOf", ADDRESS)

    @property
    def offline(self) -> dict[str, str]:
        """An environment without a network."""
        return _clean() | {"https_proxy": "http://127.0.0.1:9"}

    def release(self, tag: str, *names: str) -> None:
        """Release the course as it is now, or some of its assignments, under a tag, and publish it."""
        settings = self.course / "course.toml"
        text = settings.read_text().replace(
            'status = "draft"', 'status = "released"'
        )  # drafts are tried, too
        text = re.sub(r'(?m)^repository = "[^"]*"', f'repository = "{REPOSITORY}"', text)
        settings.write_text(re.sub(r'(?m)^tag = "[^"]*"', f'tag = "{tag}"', text))
        for command in ("release", "publish"):
            run(command, *names, "--course", self.course, environment=self.online)


def publish_once(shared: Path, own: Path) -> Public:
    """Copy to the new folder `own` a release that whoever comes first makes in the folder `shared`."""
    made = shared / "public"
    with FileLock(shared / "public.lock"):
        if not made.exists():
            publish(shared / "new").folder.rename(made)
    return Public(Path(shutil.copytree(made, own)))


def publish(folder: Path) -> Public:
    """Copy the course to a folder, and release it to a repository beside it."""
    public = Public(folder)
    skipped = shutil.ignore_patterns("__pycache__")
    for part in ("solutions", "autograder/suites"):
        shutil.copytree(ROOT / part, public.course / part, ignore=skipped)
    shutil.copy(ROOT / "course.toml", public.course)
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder / "public.git")], check=True)
    public.release("v1")
    return public


def run(*arguments: str | Path, environment: Mapping[str, str] | None = None) -> str:
    """Run the command line of the kit and return what it prints."""
    done = run_command(arguments, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _clean() -> dict[str, str]:
    """Return the environment with a git of nobody's own settings."""
    names = {f"GIT_{role}_NAME": "Instructor" for role in ("AUTHOR", "COMMITTER")}
    mails = {f"GIT_{role}_EMAIL": "instructor@example.org" for role in ("AUTHOR", "COMMITTER")}
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    return dict(os.environ) | names | mails | own


def _git(key: str, value: str) -> dict[str, str]:
    """Return variables that have git use a setting."""
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": key, "GIT_CONFIG_VALUE_0": value}
