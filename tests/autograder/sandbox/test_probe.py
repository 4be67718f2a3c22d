"""The proof holds here, and is not vacuous: a layer that does nothing is found out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.graded.results import SandboxReport
from autograder.sandbox import (
    SandboxPlan,
    children,
    choose_plan,
    credentials,
    kernel,
    landlock,
    limits,
    probe,
    prove,
    report,
    require,
    rows,
    seccomp,
)
from autograder.sandbox.plan import NO_PLAN

pytestmark = pytest.mark.skipif(not kernel.LINUX, reason="there is nothing to prove elsewhere")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def plan() -> SandboxPlan:
    """Return the plan of the test's machine."""
    return choose_plan(weak=False)


def test_everything_is_proved_here(plan: SandboxPlan) -> None:
    """Every layer of the chosen plan holds, and says how many escapes it withstood."""
    proofs = prove(plan)
    expected = dict.fromkeys(probe.LAYERS, "proved")
    if not plan.root:
        expected["uid"] = "off"
    assert {layer: proof.state for layer, proof in proofs.items()} == expected
    summary = report(plan, proofs)
    assert summary.level == "full"
    assert "system calls" in summary.layers["seccomp"]
    require(summary, weak_allowed=False)


def test_the_thorough_proof_burns_cpu_seconds(plan: SandboxPlan) -> None:
    """An endless loop is killed by the kernel."""
    table = rows(prove(plan, thorough=True))
    assert ("compute without end", "rlimits", "killed after 3 CPU seconds") in table
    assert len(table) == len({(escape, layer) for escape, layer, _ in table})


def test_what_the_course_hides_is_tried(plan: SandboxPlan, tmp_path: Path) -> None:
    """Each path is opened for real; one beneath a readable folder is found out."""
    secret = tmp_path / "secret"
    secret.write_text("0" * 32)
    proof = prove(plan, hidden=[secret, tmp_path])["filesystem"]
    assert [(t.escape, t.held) for t in proof.trials[-2:]] == [
        (f"read {secret}", True),
        (f"read {tmp_path}", True),
    ]
    if plan.filesystem == "landlock":
        everybodys = Path("/etc/group")  # no file mode hides it, so that Landlock alone can
        shown = replace(plan, readable=(*plan.readable, str(everybodys)))
        assert f"read {everybodys}: not refused" in prove(shown, hidden=[everybodys])["filesystem"].words


@as_root
def test_chroot_proves_itself() -> None:
    """Where there is no Landlock, an empty root folder hides the files."""
    plan = choose_plan(weak=False, filesystem="chroot")
    assert report(plan, prove(plan)).level == "full"


def nothing(*given: object, **named: object) -> None:
    """Stand in for a layer that does not work."""


@pytest.mark.parametrize(
    ("owner", "name", "stand_in", "broken"),
    [
        (seccomp, "install", nothing, {"seccomp"}),
        (landlock, "enter", nothing, {"filesystem"}),
        (limits, "apply", nothing, {"rlimits"}),
        pytest.param(credentials, "become_user", nothing, {"uid", "rlimits"}, marks=as_root),
        pytest.param(credentials, "bounding_set", lambda: (), {"uid"}, marks=as_root),
    ],
    ids=["seccomp", "landlock", "limits", "user", "bounding set"],
)
def test_a_layer_that_does_nothing_is_found_out(
    plan: SandboxPlan,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    stand_in: Callable[..., object],
    broken: set[str],
) -> None:
    """The plan claims the layer, its code is sabotaged, and the proof must notice."""
    if name == "bounding_set":  # sabotaged where it drops, not where the probe looks
        monkeypatch.setattr(credentials, "_empty_bounding_set", nothing)
    else:
        monkeypatch.setattr(owner, name, stand_in)
    proofs = prove(plan)
    assert {layer for layer, proof in proofs.items() if proof.state == "not proved"} == broken
    summary = report(plan, proofs)
    assert summary.level == "weak"
    with pytest.raises(SandboxError, match=f"{min(broken)}.*--allow-weak-sandbox"):
        require(summary, weak_allowed=False)
    require(summary, weak_allowed=True)


def test_a_kept_descriptor_and_environment_are_found_out(
    plan: SandboxPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process itself is a layer: what it inherits counts."""
    monkeypatch.setattr("autograder.sandbox.confinement._close_others", nothing)
    proof = prove(plan)["process"]
    assert proof.state == "not proved"
    assert "use an inherited descriptor" in proof.words


@pytest.mark.parametrize("layer", ["filesystem", "seccomp"])
def test_a_layer_switched_off_is_refused(plan: SandboxPlan, layer: str) -> None:
    """Off is not proved."""
    weaker = (
        replace(plan, filesystem="none", keep_search=False)
        if layer == "filesystem"
        else replace(plan, seccomp=False)
    )
    proofs = prove(weaker)
    assert proofs[layer].state == "off"
    summary = report(weaker, proofs)
    assert summary.level == "weak"
    with pytest.raises(SandboxError, match=f"{layer} is off"):
        require(summary, weak_allowed=False)


def test_no_layers_at_all_is_level_none() -> None:
    """As on macOS and Windows."""
    summary = report(NO_PLAN, prove(NO_PLAN))
    assert summary == SandboxReport(level="none", layers=dict.fromkeys(probe.LAYERS, "off"))
    require(summary, weak_allowed=True)


@as_root
def test_a_confinement_that_fails_proves_nothing(plan: SandboxPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that could not be confined gives no answers; silence is not success."""

    def fail(*given: object, **named: object) -> None:
        raise OSError(1, "sabotaged")

    monkeypatch.setattr(credentials, "become_user", fail)
    proofs = prove(plan)
    assert {proof.state for proof in proofs.values()} == {"not proved"}
    assert "sabotaged" in proofs["uid"].words


def test_an_attempt_that_never_works_proves_nothing(
    plan: SandboxPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If even the control cannot do it, its failure under confinement means nothing."""
    escapes = probe.all_escapes

    def impossible(scene: probe.Scene) -> list[probe.Escape]:
        def refuse(_: probe.Scene) -> str:
            raise PermissionError(1, "never")

        return [*escapes(scene), probe.Escape("do the impossible", "seccomp", refuse)]

    monkeypatch.setattr(probe, "all_escapes", impossible)
    assert "it is so without confinement too" in prove(plan)["seccomp"].words


@pytest.fixture
def open_python() -> Iterator[str]:
    """Return an interpreter that every user may run."""
    for path in ("/usr/bin/python3", "/usr/local/bin/python3"):
        check = "import sys; sys.exit(sys.version_info < (3, 11))"
        if Path(path).exists() and subprocess.run([path, "-c", check], check=False).returncode == 0:
            yield path
            return
    pytest.skip("no interpreter of Python 3.11 or newer that every user may run")


AS_USER = """
from autograder.sandbox import choose_plan, prove
plan = choose_plan(weak=False)
print(plan.filesystem, plan.root, plan.dedicated_uids, plan.keep_search)
print({layer: proof.words.split(":")[0] for layer, proof in prove(plan).items()})
"""


@as_root
@pytest.mark.skipif(landlock.abi() == 0, reason="an ordinary user needs Landlock")
def test_an_ordinary_user_proves_it_too(open_python: str, open_folder: Path) -> None:
    """No privilege is needed; the kit is copied where every user may read it."""
    package = Path(sys.modules["autograder"].__file__ or "").parent
    (open_folder / "autograder").mkdir()
    for name in ("__init__.py", "errors.py"):
        shutil.copy(package / name, open_folder / "autograder")
    shutil.copytree(package / "sandbox", open_folder / "autograder" / "sandbox")
    ended = subprocess.run(
        [open_python, "-W", "error", "-B", "-c", AS_USER],
        cwd="/",
        env={"PYTHONPATH": str(open_folder)},
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == [
        "landlock False False False",
        str({layer: "proved" if layer != "uid" else "off" for layer in probe.LAYERS}),
    ]


@as_root
def test_the_same_process_as_an_ordinary_user(plan: SandboxPlan) -> None:
    """The same code, without another interpreter: a child gives up root first."""

    def task(home: children.Home) -> None:
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        own = choose_plan(weak=True)
        home.say(str(sorted({proof.state for proof in prove(own).values()})))

    assert children.ask(task).lines == ("['off', 'proved']",)
