"""Gradebooks for other programs: a table for spreadsheets, and what platforms import."""
