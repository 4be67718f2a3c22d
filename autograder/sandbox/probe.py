"""Prove the confinement by trying: every layer must refuse what it is there to refuse.

Two children are forked: a confined one and an unconfined one, the control. A layer is proved when each
escape failed in the first in the way this layer makes it fail, and worked in the second; where even an
unconfined process cannot do it on this machine, the escape says so and counts by its failure alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from autograder.errors import SandboxError
from autograder.sandbox import children, syscalls
from autograder.sandbox.confinement import STANDARD_STREAMS, confine, prepare
from autograder.sandbox.credentials import lease_uid
from autograder.sandbox.escapes import MARK, all_escapes
from autograder.sandbox.limits import GRACE_SECONDS, Limits
from autograder.sandbox.plan import REMEDY, SandboxPlan
from autograder.sandbox.scene import Escape, Held, Scene
from autograder.sandbox.scratch import scratch

if TYPE_CHECKING:  # the zygote imports this package, and has no need of pydantic
    from autograder.graded.results import SandboxReport

LAYERS: Final = ("process", "no_new_privs", "rlimits", "filesystem", "seccomp", "uid")
BUDGET: Final = Limits(cpu_seconds=2, memory_mb=64, threads=8, open_files=40)
"""Small, so that using more takes little time and memory, but enough to try the escapes."""
_BURN: Final = "compute without end"


@dataclass(frozen=True)
class Trial:
    """One escape that was tried and how it went, in words for a table."""

    escape: str
    layer: str
    held: bool
    """Whether it was refused as it should be, and the control shows that this means something."""
    outcome: str


@dataclass(frozen=True)
class Proof:
    """What was found out about one layer."""

    layer: str
    state: Literal["proved", "not proved", "off"]
    trials: tuple[Trial, ...] = ()

    @property
    def words(self) -> str:
        """The proof in one line."""
        if self.state == "off":
            return "off"
        failed = [f"{trial.escape}: {trial.outcome}" for trial in self.trials if not trial.held]
        if failed:
            return f"not proved: {failed[0]}" + (f" (and {len(failed) - 1} more)" if failed[1:] else "")
        count = len(self.trials)
        return f"proved: {count} escape{'s'[: count > 1]} failed"


@dataclass(frozen=True)
class _Reply:
    """What one child said about one escape."""

    kind: Literal["reached", "refused", "held", "silent"]
    words: str
    error: int | None = None


def prove(plan: SandboxPlan, *, hidden: Iterable[Path] = (), thorough: bool = False) -> dict[str, Proof]:
    """Try to break out of a plan's confinement.

    Parameters
    ----------
    plan : SandboxPlan
        What to prove.
    hidden : iterable of Path
        Existing files and folders that the course must hide; each is tried. See `SandboxPlan.check_hidden`.
    thorough : bool
        Let a child also burn CPU seconds until it is killed; takes seconds.

    Returns
    -------
    dict of str to Proof
        A proof for each layer, in the order of `LAYERS`.

    Raises
    ------
    SandboxError
        The escapes could not be tried at all.
    """
    if not plan.linux:
        return {layer: Proof(layer, "off") for layer in LAYERS}
    with _scene(plan, tuple(hidden)) as scene:
        escapes = all_escapes(scene)
        confined = _try_all(escapes, scene, confined=True)
        control = _try_all(escapes, scene, confined=False)
        trials = [_judge(*three) for three in zip(escapes, confined, control, strict=True)]
        if thorough:
            trials.append(_burn(scene))
    return {layer: _conclude(layer, [t for t in trials if t.layer == layer]) for layer in LAYERS}


def _conclude(layer: str, trials: list[Trial]) -> Proof:
    if not trials:
        return Proof(layer, "off")
    return Proof(layer, "proved" if all(t.held for t in trials) else "not proved", tuple(trials))


@contextlib.contextmanager
def _scene(plan: SandboxPlan, hidden: tuple[Path, ...]) -> Iterator[Scene]:
    """Make ready what the escapes would reach, and clear it away."""
    with contextlib.ExitStack() as stack:
        uid = stack.enter_context(lease_uid()).uid if plan.dedicated_uids else None
        folder = stack.enter_context(scratch(0o1777))  # where a user of its own could write, too
        outside = stack.enter_context((folder / "outside").open("wb"))
        outside.write(b"what nobody should read")
        outside.flush()
        os.fchmod(outside.fileno(), 0o644)  # for everybody to read: what refuses it must be the confinement
        beside = f"{folder.name}-beside"
        stack.callback(_remove, beside)
        listener = stack.enter_context(socket.socket())
        port = None
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
        yield Scene(
            plan=plan,
            uid=uid,
            budget=BUDGET,
            parent=os.getpid(),
            port=port,
            outside=Path(outside.name),
            hidden=hidden,
            beside=beside,
            descriptor=outside.fileno(),
            kept=frozenset(),
        )


def _remove(name: str) -> None:
    """Remove what a child made and was not allowed to remove: here, or where workers work."""
    for place in (".", "/"):
        with contextlib.suppress(OSError):
            Path(place, name).unlink()


def _try_all(escapes: list[Escape], scene: Scene, *, confined: bool) -> list[_Reply]:
    """Try all escapes in one child and return its replies; those it did not live to give are silent."""
    ended = _in_child(scene, lambda home, inside: _try_each(escapes, inside, confined, home), confined)
    replies: dict[int, _Reply] = {}
    problem = f"the child ended with {ended.status}"
    for line in ended.lines:
        try:
            position, kind, words, error = json.loads(line)
        except ValueError:
            problem = line
            continue
        replies[position] = _Reply(kind, words, error)
    return [replies.get(n, _Reply("silent", problem)) for n in range(len(escapes))]


def _in_child(scene: Scene, task: Callable[[children.Home, Scene], None], confined: bool) -> children.Ended:
    """Run a task in a child that is confined, or not, as the scene's plan says."""
    prepared = prepare(scene.plan)

    def run(home: children.Home) -> None:
        os.environ[MARK] = "what nobody should read"
        if confined:
            confine(prepared, scene.budget, scene.uid, {home.descriptor})
        task(home, replace(scene, kept=STANDARD_STREAMS | {home.descriptor}))

    try:
        return children.ask(run)
    except OSError as error:
        raise SandboxError("sandbox", f"no child can be forked: {error}", "free some memory") from error
    finally:
        prepared.close()


def _try_each(escapes: list[Escape], scene: Scene, confined: bool, home: children.Home) -> None:
    for position, escape in enumerate(escapes):
        if not confined and escape.control == "skip":
            continue
        reply = _try_one(escape, scene)
        home.say(json.dumps([position, reply.kind, reply.words, reply.error]))


def _try_one(escape: Escape, scene: Scene) -> _Reply:
    try:
        return _Reply("reached", escape.run(scene))
    except Held as state:
        return _Reply("held", str(state))
    except OSError as error:
        return _Reply("refused", (error.strerror or str(error)).lower(), error.errno)


def _judge(escape: Escape, confined: _Reply, control: _Reply) -> Trial:
    """Decide whether an escape's failure shows what it should."""

    def trial(held: bool, outcome: str) -> Trial:
        return Trial(escape.name, escape.layer, held, outcome)

    if confined.kind == "reached":
        return trial(False, f"not refused: {confined.words}")
    if confined.kind == "silent":
        return trial(False, f"no answer: {confined.words}")
    if confined.kind == "refused" and confined.error not in escape.expected:
        return trial(False, f"failed for another reason: {confined.words}")
    words = "refused" if confined.kind == "refused" else confined.words
    if control.kind == "reached" or escape.control == "skip":
        return trial(True, words)
    if escape.control == "may work":
        return trial(True, f"{words} (and not possible here without confinement either)")
    return trial(False, f"{words}, but it is so without confinement too: {control.words}")


def _burn(scene: Scene) -> Trial:
    """Compute without end in a confined child that ignores the warning; the kernel must kill it."""

    def forever(home: children.Home, inside: Scene) -> None:
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True:
            pass

    ended = _in_child(scene, forever, confined=True)
    seconds = scene.budget.cpu_seconds + GRACE_SECONDS
    killed = ended.status == -signal.SIGKILL
    outcome = f"killed after {seconds} CPU seconds" if killed else f"not killed: {ended.status}"
    return Trial(_BURN, "rlimits", killed, outcome)


def rows(proofs: Mapping[str, Proof]) -> list[tuple[str, str, str]]:
    """Return what was tried as rows of a table: escape, layer, outcome."""
    return [(t.escape, t.layer, t.outcome) for proof in proofs.values() for t in proof.trials]


def report(plan: SandboxPlan, proofs: Mapping[str, Proof]) -> SandboxReport:
    """Sum the proofs up for the result.

    Full means that every layer is proved, the dedicated user included where the grader is root; none means
    that neither files are hidden nor system calls filtered.
    """
    from autograder.graded.results import SandboxReport

    proved = {layer for layer, proof in proofs.items() if proof.state == "proved"}
    needed = set(LAYERS) - (set() if plan.root else {"uid"})
    level: Literal["full", "weak", "none"] = "weak"
    if needed <= proved:
        level = "full"
    elif not proved & {"filesystem", "seccomp"}:
        level = "none"
    return SandboxReport(level=level, layers={layer: _words(plan, proof) for layer, proof in proofs.items()})


def _words(plan: SandboxPlan, proof: Proof) -> str:
    words = proof.words
    if proof.layer == "filesystem" and proof.state != "off":
        return f"{words}, by {plan.filesystem}"
    if proof.layer == "seccomp" and proof.state == "proved":
        return f"{words}, allow-list of {len(syscalls.free(syscalls.architecture() or ''))} system calls"
    if proof.layer == "uid" and proof.state == "off" and plan.linux and not plan.root:
        return "off: the grader is not root, so student code runs as the grader's user"
    return words


def require(report: SandboxReport, *, weak_allowed: bool) -> None:
    """Refuse to grade with less than full confinement, unless the instructor allows it.

    Raises
    ------
    SandboxError
        A layer is off or not proved; the message names it and says what to do.
    """
    if report.level == "full" or weak_allowed:
        return
    faults = [
        f"{layer} is {words}" for layer, words in report.layers.items() if not words.startswith("proved")
    ]
    raise SandboxError("sandbox", "; ".join(faults), REMEDY)
