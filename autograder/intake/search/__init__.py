"""The search of a hand-in for the files that an assignment asks for: by their names and what they hold."""
