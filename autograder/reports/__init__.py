"""Views of graded results: gradebook, feedback pages, and tables in the terminal."""
