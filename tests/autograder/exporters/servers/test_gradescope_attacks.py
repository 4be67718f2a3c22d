"""Every third attack of the corpus in a container of Gradescope: little memory, and no Landlock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support import bounded, corpus, vault
from tests.support.corpus import CORPUS, Attack
from tests.support.servers import bundle
from tests.support.servers.gradescope import Gradescope, Run

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make folders look like Gradescope's"),
]
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
    body = "    return x * factor\n"
    marked = f"    ### BEGIN SOLUTION\n{body}    ### END SOLUTION\n"
    (solution / "vault.py").write_text(vault.REFERENCE.replace(body, marked))
    (solution / "toolbox.py").write_text(f"def help_out(x, factor):\n{marked}")
    done = bundle.run("bundle", "vault", "gradescope", "--course", root)
    assert done.exit_code == 0, done.output
    made = Gradescope(tmp_path_factory.mktemp("root"), Path(done.stdout.strip()).read_bytes())
    made.install()
    return made


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
    assert run.results is not None, run.output
    assert run.results["score"] == attack.points
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
