"""The folder that a graded class is written to: private files that are whole or absent, never half."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from pydantic import ValidationError

from autograder.errors import ConfigError
from autograder.results import SubmissionResult


def write_private(path: Path, content: str | bytes, *, replace: bool = True) -> None:
    """Write a file that only its owner can read, in one step.

    The content goes to a draft in the same folder, is flushed to disk and then renamed, so that
    whoever reads ``path`` finds the old content or the new one, also after a crash.

    Parameters
    ----------
    replace : bool
        Whether an existing file is replaced; otherwise it stays and nothing is written.

    Raises
    ------
    ConfigError
        The folder cannot be written to.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    draft = path.with_name(f".draft-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                draft.replace(path)
            else:
                with contextlib.suppress(FileExistsError):
                    os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from None


def private_folder(path: Path) -> Path:
    """Make ``path`` if it is missing, open to its owner only; raises ConfigError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from None
    return path


class GradedFolder:
    """Where the results of a class lie: ``results/``, ``feedback/`` and ``grades.csv``.

    The files in ``results/`` are the truth; everything else can be made from them again.

    Parameters
    ----------
    root : Path
        The folder; made when something is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def gradebook(self) -> Path:
        """The file ``grades.csv``."""
        return self.root / "grades.csv"

    def result_file(self, student: str) -> Path:
        """Return where the result of ``student`` lies."""
        return self.root / "results" / f"{student}.json"

    def feedback_file(self, student: str) -> Path:
        """Return where the feedback page of ``student`` lies."""
        return self.root / "feedback" / f"{student}.html"

    def prepare(self) -> None:
        """Make the folders; raises ConfigError if they cannot be written to."""
        for path in (self.root, self.root / "results", self.root / "feedback"):
            private_folder(path)

    def save(self, result: SubmissionResult) -> None:
        """Write ``result``, replacing an earlier one of the same student."""
        write_private(self.result_file(result.student), result.model_dump_json(indent=2) + "\n")

    def results(self) -> list[SubmissionResult]:
        """Read all results, in order of the students' names.

        Raises
        ------
        ConfigError
            A file is damaged, was renamed, or was written by another version of the kit.
        """
        paths = sorted((self.root / "results").glob("*.json"))
        return [_read_result(path) for path in paths if not path.name.startswith(".")]

    def require_assignment(self, name: str) -> None:
        """Raise ConfigError if the folder already holds results of another assignment."""
        for result in self.results():
            if result.assignment != name:
                found = f"holds results of the assignment {result.assignment!r}"
                raise ConfigError(str(self.root), found, "choose another folder with --output")


def _read_result(path: Path) -> SubmissionResult:
    try:
        result = SubmissionResult.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read ({error.strerror})", "check its permissions") from None
    except ValidationError:
        found = "is not a result that this version of the kit wrote"
        raise ConfigError(str(path), found, "move it away and grade again") from None
    if result.student != path.stem:
        raise ConfigError(str(path), f"holds the result of {result.student!r}", "rename it back")
    return result


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cannot_write(path: Path, error: OSError) -> ConfigError:
    reason = error.strerror or type(error).__name__
    return ConfigError(str(path), f"cannot be written ({reason})", "free the place, or choose another folder")
