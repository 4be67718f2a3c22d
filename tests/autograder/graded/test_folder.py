"""The folder of a graded class: results and decisions are the truth, and what is damaged is named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.errors import ConfigError
from autograder.graded.folder import GradedFolder
from autograder.graded.records import Override
from autograder.graded.results import SubmissionResult

OVERRIDE = Override(
    task="first", points=7, reason="a typing error", by="Grace", at=datetime(2026, 3, 1, tzinfo=UTC)
)


@pytest.fixture
def folder(tmp_path: Path) -> GradedFolder:
    """Return an empty folder, ready to be written to."""
    folder = GradedFolder(tmp_path / "graded")
    with folder.lock():
        return folder


def test_results_survive_the_round_trip_in_order(folder: GradedFolder, result: SubmissionResult) -> None:
    bob = result.model_copy(update={"student": "Bob"})
    folder.save(result)
    folder.save(bob)
    (folder.root / "results" / ".draft-1.json").write_text("half")
    assert list(folder.results().items()) == [("Bob", bob), ("ada", result)]


def test_no_results_yet(tmp_path: Path) -> None:
    assert GradedFolder(tmp_path / "nowhere").results() == {}


def test_damaged_and_renamed_results_are_named(folder: GradedFolder, result: SubmissionResult) -> None:
    folder.save(result)
    path = folder.result_file(result.student)
    path.rename(folder.result_file("eve"))
    with pytest.raises(ConfigError, match="holds the result of 'ada'"):
        folder.results()
    folder.result_file("eve").write_text(path.name)
    with pytest.raises(ConfigError, match=r"eve\.json: is not a result"):
        folder.results()


def test_results_of_another_assignment_are_not_mixed_in(
    folder: GradedFolder, result: SubmissionResult
) -> None:
    folder.save(result)
    folder.require_assignment(result.assignment)
    with pytest.raises(ConfigError, match="choose another folder with --output"):
        folder.require_assignment("other")


def test_a_result_that_waits_is_no_result_until_it_is_saved(
    folder: GradedFolder, result: SubmissionResult
) -> None:
    better = result.model_copy(update={"score": 6.0})
    folder.save(result)
    folder.hold(better)
    assert (folder.results(), folder.pending_results()) == ({"ada": result}, {"ada": better})
    folder.save(better)
    assert (folder.results(), folder.pending_results()) == ({"ada": better}, {})


def test_decisions_are_kept_apart_from_results(folder: GradedFolder, result: SubmissionResult) -> None:
    folder.decide("ada", (OVERRIDE,))
    folder.save(result)
    (record,) = folder.records()
    assert (record.score, record.result.score, record.overrides) == (7, 5, (OVERRIDE,))
    folder.decide("ada", ())
    assert folder.overrides("ada") == ()
    assert not folder.override_file("ada").exists()


def test_damaged_decisions_are_named(folder: GradedFolder) -> None:
    folder.decide("ada", (OVERRIDE,))
    folder.override_file("ada").write_text("[{}]")
    with pytest.raises(ConfigError, match=r"ada\.json: is not a list of overrides"):
        folder.overrides("ada")


def test_writing_clears_drafts_and_keeps_others_out(folder: GradedFolder) -> None:
    draft = folder.root / "results" / ".draft-0"
    draft.write_text("half")
    with folder.lock():
        assert not draft.exists()
        with pytest.raises(ConfigError, match="another command is writing to it"), folder.lock():
            pass
