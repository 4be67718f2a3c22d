"""What authors of suites use: a new assignment, audits, and thresholds that are measured."""
