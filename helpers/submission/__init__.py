"""The parts of a submission; reading and importing them in the same way in notebook and grader."""
