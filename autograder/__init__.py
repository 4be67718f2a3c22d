"""Grade student submissions with hidden test suites, without ever running student code beside them."""

__version__ = "0.1.0"
