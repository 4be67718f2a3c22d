"""The files of a hand-in, listed and read safely: single ones, those in folders, those in archives."""
