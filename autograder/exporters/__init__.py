"""Gradebooks for other programs: a table for spreadsheets, and files that platforms import."""
