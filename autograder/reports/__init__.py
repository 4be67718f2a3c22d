"""Views of graded results: feedback pages, the report on a class, and tables in the terminal."""
