"""The folder of a graded class: results, what people decided about points, and every view of both."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from autograder.errors import ConfigError
from autograder.files import hold_lock, private_folder, remove_drafts, write_private
from autograder.graded.answers import AnswerSheet, Mark
from autograder.graded.records import Override, Record, WrittenAnswer
from autograder.graded.results import SubmissionResult

_Overrides = TypeAdapter(tuple[Override, ...])
_Notes = TypeAdapter(tuple[str, ...])
_Marks = TypeAdapter(tuple[Mark, ...])
_FOLDERS = ("results", "feedback", "pending", "overrides", "answers", "scores", "questions")
ModelT = TypeVar("ModelT", bound=BaseModel)


class GradedFolder:
    """Where a class is graded into.

    ``results/``, ``answers/``, ``scores/`` and ``overrides/`` are the truth. ``pending/`` holds results of a
    regrade that wait to be accepted. Everything else can be made from these again.

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

    @property
    def class_report(self) -> Path:
        """The report on the whole class."""
        return self.root / "report.html"

    @property
    def changes(self) -> Path:
        """The table of what a regrade would change."""
        return self.root / "pending" / "changes.csv"

    def result_file(self, student: str) -> Path:
        """Return where the result of ``student`` lies."""
        return self.root / "results" / f"{student}.json"

    def pending_file(self, student: str) -> Path:
        """Return where a result of ``student`` waits to be accepted."""
        return self.root / "pending" / f"{student}.json"

    def override_file(self, student: str) -> Path:
        """Return where the overrides of ``student`` lie."""
        return self.root / "overrides" / f"{student}.json"

    def answer_file(self, student: str) -> Path:
        """Return where the written answers of ``student`` lie."""
        return self.root / "answers" / f"{student}.json"

    def score_file(self, student: str) -> Path:
        """Return where the points lie that people gave for the answers of ``student``."""
        return self.root / "scores" / f"{student}.json"

    def question_page(self, question: str) -> Path:
        """Return where the page lies on which the answers to a question are read."""
        return self.root / "questions" / f"{question}.html"

    def feedback_file(self, student: str, form: str = "html") -> Path:
        """Return where the feedback for ``student`` lies, as ``html`` or as ``md``."""
        return self.root / "feedback" / f"{student}.{form}"

    def has_feedback(self, student: str) -> bool:
        """Tell whether feedback for ``student`` is there in every form."""
        return all(self.feedback_file(student, form).exists() for form in ("html", "md"))

    def remove_feedback(self, student: str) -> None:
        """Remove the feedback for ``student``, which is out of date."""
        for form in ("html", "md"):
            self.feedback_file(student, form).unlink(missing_ok=True)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Make the folders and keep other runs out of them; what killed runs left half done is removed.

        Raises
        ------
        ConfigError
            The folder cannot be written to, or another run is writing to it.
        """
        private_folder(self.root)
        with hold_lock(self.root):
            for name in ("results", "feedback"):
                private_folder(self.root / name)
            for name in ("", *_FOLDERS):
                remove_drafts(self.root / name)
            yield

    def save(self, result: SubmissionResult) -> None:
        """Write ``result``, replacing an earlier one of the same student, also one that was pending."""
        write_private(self.result_file(result.student), _json(result))
        self.pending_file(result.student).unlink(missing_ok=True)

    def hold(self, result: SubmissionResult) -> None:
        """Write ``result`` to where it waits to be accepted."""
        private_folder(self.root / "pending")
        write_private(self.pending_file(result.student), _json(result))

    def settle(self) -> None:
        """Remove the folder of what waits, once nothing does."""
        self.changes.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not there, or something else is in it
            self.changes.parent.rmdir()

    def results(self) -> dict[str, SubmissionResult]:
        """Read all results, by student, in order of their names.

        Raises
        ------
        ConfigError
            A file is damaged, was renamed, or was written by another version of the kit.
        """
        return dict(self._read("results"))

    def pending_results(self) -> dict[str, SubmissionResult]:
        """Read the results that wait to be accepted; raises as `results` does."""
        return dict(self._read("pending"))

    def keep_notes(self, notes: Sequence[str]) -> None:
        """Write what intake said about the class, for reports that are made later."""
        write_private(self._notes_file, json.dumps(list(notes), indent=2) + "\n")

    def notes(self) -> tuple[str, ...]:
        """Read what intake said about the class; nothing if that is not on record."""
        try:
            return _Notes.validate_json(self._notes_file.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise _unreadable(self._notes_file, error) from None
        except ValidationError:
            found = "is not a list of sentences"
            raise ConfigError(str(self._notes_file), found, "remove it, and grade again") from None

    @property
    def _notes_file(self) -> Path:
        return self.root / "notes.json"

    def records(self, names: Mapping[str, str] | None = None) -> list[Record]:
        """Read all results with what people decided about them; raises as `results` does.

        Parameters
        ----------
        names : mapping of str to str, optional
            Names for people to read, by student, where they are known better than by the result.
        """
        known = names or {}
        return [self.record(result, known.get(student, "")) for student, result in self.results().items()]

    def record(self, result: SubmissionResult, name: str = "") -> Record:
        """Return a result with what people decided about it; raises ConfigError if a file is damaged."""
        student = result.student
        marks = {mark.question: mark for mark in self.marks(student)}
        sheet = self.answer_sheet(student)
        answers = sheet.answers if sheet is not None else []
        written = tuple(WrittenAnswer(answer, marks.get(answer.question)) for answer in answers)
        return Record(result, self.overrides(student), name or result.name, written=written)

    def overrides(self, student: str) -> tuple[Override, ...]:
        """Read the overrides of ``student``; raises ConfigError if the file is damaged."""
        return _read_list(self.override_file(student), _Overrides, "overrides")

    def decide(self, student: str, overrides: tuple[Override, ...]) -> None:
        """Write the overrides of ``student``, all of them; none removes the file."""
        _write_list(self.override_file(student), overrides)

    def answer_sheet(self, student: str) -> AnswerSheet | None:
        """Read the written answers of ``student``; raises ConfigError if the file is damaged."""
        path = self.answer_file(student)
        try:
            sheet = AnswerSheet.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unreadable(path, error) from None
        except ValidationError:
            found = "is not a sheet of answers that this version of the kit wrote"
            raise ConfigError(str(path), found, "move it away and grade again") from None
        if sheet.student != student:
            raise ConfigError(
                str(path), f"holds the answers of {sheet.student!r}", f"rename it to {sheet.student}.json"
            )
        return sheet

    def keep_answers(self, sheet: AnswerSheet) -> None:
        """Write the written answers of a student."""
        path = self.answer_file(sheet.student)
        private_folder(path.parent)
        write_private(path, _json(sheet))

    def marks(self, student: str) -> tuple[Mark, ...]:
        """Read the points for the answers of ``student``; of those for one question the last counts."""
        return _read_list(self.score_file(student), _Marks, "scores")

    def keep_marks(self, student: str, marks: tuple[Mark, ...]) -> None:
        """Write the points for the answers of ``student``, all of them."""
        _write_list(self.score_file(student), marks)

    def require_assignment(self, name: str) -> None:
        """Raise ConfigError if the folder already holds results of another assignment."""
        for result in self.results().values():
            if result.assignment != name:
                found = f"holds results of the assignment {result.assignment!r}"
                raise ConfigError(str(self.root), found, "choose another folder with --output")

    def _read(self, folder: str) -> Iterator[tuple[str, SubmissionResult]]:
        for path in sorted((self.root / folder).glob("*.json")):
            if not path.name.startswith("."):
                yield path.stem, _read_result(path)


def _read_list(path: Path, adapter: TypeAdapter[tuple[ModelT, ...]], what: str) -> tuple[ModelT, ...]:
    """Read a list of what people decided; it is empty without a file."""
    try:
        return adapter.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValidationError:
        raise ConfigError(str(path), f"is not a list of {what}", "restore it, or move it away") from None


def _write_list(path: Path, entries: Sequence[BaseModel]) -> None:
    """Write a list of what people decided; an empty one removes the file."""
    if entries:
        plain = [entry.model_dump(mode="json") for entry in entries]
        private_folder(path.parent)
        write_private(path, json.dumps(plain, indent=2) + "\n")
    else:
        path.unlink(missing_ok=True)


def _json(model: BaseModel) -> str:
    return model.model_dump_json(indent=2) + "\n"


def _read_result(path: Path) -> SubmissionResult:
    try:
        result = SubmissionResult.model_validate_json(path.read_bytes())
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValidationError:
        found = "is not a result that this version of the kit wrote"
        raise ConfigError(str(path), found, "move it away and grade again") from None
    if result.student != path.stem:
        raise ConfigError(
            str(path), f"holds the result of {result.student!r}", f"rename it to {result.student}.json"
        )
    return result


def _unreadable(path: Path, error: OSError) -> ConfigError:
    return ConfigError(str(path), f"cannot be read ({error.strerror})", "check its permissions")
