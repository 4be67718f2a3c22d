"""A zygote that is killed is replaced, and what happened is said."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection

import pytest

from autograder.engine.slot import Slot, ready
from autograder.errors import EngineError
from autograder.sandbox import SandboxPlan, choose_plan


@pytest.fixture(scope="module")
def plan() -> SandboxPlan:
    return choose_plan(weak=True)


def test_a_zygote_killed_before_it_is_ready_is_replaced(
    plan: SandboxPlan, capsys: pytest.CaptureFixture[str]
) -> None:
    first = Slot(plan)
    os.kill(first.pid, signal.SIGKILL)
    slot = ready(first)
    try:
        assert slot.pid != first.pid
        said = capsys.readouterr().err
        assert said == "A zygote was killed by signal 9 while it started; another one is started.\n"
    finally:
        slot.close()


def test_a_zygote_that_is_killed_whenever_it_starts_ends_the_run_with_advice(
    plan: SandboxPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Slot.__init__

    def start_and_kill(
        slot: Slot, plan: SandboxPlan, packages: Collection[str] = (), *, is_only: bool = False
    ) -> None:
        started(slot, plan, packages, is_only=is_only)
        os.kill(slot.pid, signal.SIGKILL)

    monkeypatch.setattr(Slot, "__init__", start_and_kill)
    with pytest.raises(EngineError) as caught:
        ready(Slot(plan))
    assert str(caught.value) == (
        "zygote: was killed by signal 9 while it started, 4 times in a row; "
        "free some memory, or grade fewer submissions at a time with --jobs"
    )


def test_a_zygote_killed_later_is_named(plan: SandboxPlan) -> None:
    slot = ready(Slot(plan))
    os.kill(slot.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="was killed by signal 9"):
        slot.ready()
