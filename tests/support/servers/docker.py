"""What guides ask of Docker, without Docker: builds are checked, and a container is this interpreter.

python -m tests.support.servers.docker build|push|run ...
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

IMAGE = re.compile(r"[a-z0-9]+([._/-][a-z0-9]+)*(:\w[\w.-]*)?")


def main() -> None:
    """Do what the words say, or end with a line that says why not."""
    parser = argparse.ArgumentParser(prog="docker", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build")
    build.add_argument("--tag", required=True)
    build.add_argument("context", type=Path)
    push = commands.add_parser("push")
    push.add_argument("image")
    run = commands.add_parser("run")
    run.add_argument("--rm", action="store_true")
    run.add_argument("--network", choices=["none"])
    run.add_argument("--memory")
    run.add_argument("--volume", required=True)
    run.add_argument("--entrypoint", required=True)
    run.add_argument("image")
    words = parser.parse_args()
    image = words.tag if words.command == "build" else words.image
    if not IMAGE.fullmatch(image):
        raise SystemExit(f"{image} is no name of an image")
    if words.command == "build":
        check_context(words.context)
    if words.command == "run":
        place, _, mounted = words.volume.partition(":")
        entrypoint = Path(place) / Path(words.entrypoint).relative_to(mounted)
        os.environ["COURSEGRAD_PYTHON"] = sys.executable
        raise SystemExit(subprocess.run([entrypoint], check=False).returncode)


def check_context(folder: Path) -> None:
    """Refuse a folder that no image can be built from."""
    text = (folder / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    steps = [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]
    if steps[0][0] != "FROM":
        raise SystemExit("a Dockerfile begins with FROM")
    for kind, rest in steps:
        if kind == "COPY":
            *sources, target = rest.split()
            missing = [source for source in sources if not (folder / source).is_file()]
            if missing or not target.startswith("/") or not target.endswith("/"):
                raise SystemExit(f"COPY {rest}: {missing or target}")
        elif kind == "RUN":
            subprocess.run(["sh", "-n", "-c", rest], check=True)
        elif kind not in ("FROM", "ARG", "WORKDIR"):
            raise SystemExit(f"unknown instruction {kind}")


if __name__ == "__main__":
    main()
