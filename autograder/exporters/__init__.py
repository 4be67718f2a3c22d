"""Gradebooks for other programs: a table for spreadsheets, and Canvas' own."""
