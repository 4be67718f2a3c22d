"""Write `docs/attacks.md` from the corpus of attacks: `make attacks`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "course" / "attacks" / "corpus.toml"

HEAD = """\
# Attacks

Each row is a submission in `tests/course/attacks/` to a course with something to steal. `make test`
grades all of them in one class, through the command line, beside two honest submissions.
`tests/course/test_attacks.py` compares them with this table. Each attack scores exactly the points (of
20) that its honest part is worth, reaches only what its row says, and has no value of a hidden test on
its page. The honest submissions keep all points.

Rows with the same number are variants of one idea; rows without a number were added later. Things that
attacks still reach, and the few bits that a hidden test leaks, are
[not promised](../SECURITY.md#what-is-not-promised) to be safe.

The last column shows that an attack is real. It says what the same submission reaches or scores if the
suite runs in one process with student code (`--sandbox none`), for those that are also run that way.

`make attacks` generates this page from `tests/course/attacks/corpus.toml`.

| no. | attack | points of 20 | reaches or leaks | without a sandbox |
|---|---|---|---|---|
"""


def page(corpus: Path = CORPUS) -> str:
    """Return the page as Markdown."""
    attacks = tomllib.loads(corpus.read_text(encoding="utf-8"))["attack"]
    return HEAD + "".join(f"| {' | '.join(row(attack))} |\n" for attack in attacks)


def row(attack: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of one attack."""
    gap = attack.get("gap")
    points = f"more than {attack['points']}" if gap else str(attack["points"])
    reached = "; ".join(attack.get("reached", ())) or "nothing"
    cells = (str(attack.get("number", "")), attack["title"], points, gap or reached, unconfined(attack))
    return tuple(cell.replace("|", "\\|") for cell in cells)


def unconfined(attack: dict[str, Any]) -> str:
    """Say what an attack gets in one process with the suite, if it is run there."""
    succeeds = "; ".join(attack.get("unconfined", ()))
    points = attack.get("unconfined_points")
    return succeeds if points is None else f"{succeeds} {points} points".strip()


if __name__ == "__main__":
    print(page(), end="")
