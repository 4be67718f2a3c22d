"""Notebooks that students hand in: repaired where they are damaged, and the written answers in them."""
