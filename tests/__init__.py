"""Tests of the kit, laid out as its packages are."""
