"""Every third attack of the corpus in a container of Gradescope: little memory, and no Landlock."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import bounded, corpus, vault
from tests.support.corpus import CORPUS, Attack
from tests.support.servers import made
from tests.support.servers.gradescope import Gradescope, Run

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders look like Gradescope's"),
]
BODY = re.compile(r"^( +)((?:return|self\.).*)$", re.MULTILINE)
MARKED = r"\1### BEGIN SOLUTION\n\1\2\n\1### END SOLUTION"
"""What students write, so that the stubs of the bundle are worth nothing."""
MEMORY = 768 << 20
COURSE = "/autograder/source/bundle/course"
PLACES: dict[str, Any] = {
    "tcp": 9,
    "udp": 9,
    "unix": "/autograder/socket",
    "abstract": "coursegrad",
    "course": COURSE,
    "suite": f"{COURSE}/suites/vault/test_hidden.py",
    "reference": f"{COURSE}/solutions/vault/vault.py",
    "secret": f"{COURSE}/.coursegrad/bundle.json",
    "class": "/autograder/submission",
    "output": "/autograder/results",
    "confined": True,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Gradescope:
    root = tmp_path_factory.mktemp("course")
    vault.write_course(root)
    solution = root / "solutions" / "vault"
    for name, text in {"vault.py": vault.REFERENCE, "toolbox.py": "def help_out(x):\n    return x\n"}.items():
        (solution / name).write_text(BODY.sub(MARKED, text))
    done = made.run("bundle", "vault", "gradescope", "--course", root)
    assert done.exit_code == 0, done.output
    found = Gradescope(tmp_path_factory.mktemp("root"), Path(done.stdout.strip()).read_bytes())
    found.install()
    return found


def submit(server: Gradescope, attack: Attack, memory: bounded.Memory) -> Run:
    files = {"vault.py": attack.source, "toolbox.py": corpus.make_toolbox(PLACES), **attack.extras}
    coded = {
        name: text.replace("@PWNED@", "/autograder/results/PWNED").encode() for name, text in files.items()
    }
    return server.grade(coded | attack.compiled_files(), level="old-container", join=memory.join)


@pytest.mark.parametrize("attack", CORPUS[::3], ids=lambda attack: attack.file)
def test_an_attack_scores_its_honest_part_and_leaves_nothing(
    server: Gradescope, tmp_path: Path, attack: Attack
) -> None:
    before = _contents(server)
    with bounded.Memory(tmp_path, MEMORY) as memory:
        run = submit(server, attack, memory)
        out_of_memory = memory.killed()
    assert run.results is not None, run.output
    score = run.results["score"]
    assert score == attack.points or (out_of_memory and score < attack.points)  # it harms itself alone
    assert run.results["extra_data"]["sandbox"]["level"] == "full"
    assert [path.name for path in (server.root / "autograder" / "results").iterdir()] == ["results.json"]
    assert _contents(server) == before
    shown = str(run.results["tests"])
    for canary in ("CANARY", str(vault.SECRET_NUMBER), *(str(int(value)) for value in vault.SECRET_VALUES)):
        assert canary not in shown, canary


def _contents(server: Gradescope) -> dict[str, bytes]:
    """Return what lies in the container and must stay as it is."""
    found = (server.root / "autograder" / "source").rglob("*")
    return {str(path): path.read_bytes() for path in found if path.is_file()}
