"""Run the command line as ``python -m autograder``."""

from autograder.commands.main import main

main()
