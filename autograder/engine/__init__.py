"""Run a suite in a trusted grader process against student code in confined worker processes."""
