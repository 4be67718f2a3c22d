"""Build the student release from the solutions, prove that it leaks nothing, and publish it."""
