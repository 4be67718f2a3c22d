"""Run the command line as ``python -m autograder``."""

import os
import sys

if not sys.flags.safe_path and sys.path[0] == os.getcwd():  # noqa: PTH109, a student may have a pathlib.py
    # Python looks there first, and it may be the folder of a hand-in, with a `helpers` or `typer.py` in it.
    del sys.path[0]

from autograder.commands.main import main

main()
