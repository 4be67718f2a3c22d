"""What suites and public tests are written with: checks, rules about source, evidence, replaced functions."""
