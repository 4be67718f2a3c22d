"""What the student notebooks and the test suites share: data, checks, constraints, evidence."""
