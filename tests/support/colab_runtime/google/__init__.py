"""Stands in for the packages of Google."""
