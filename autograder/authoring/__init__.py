"""Tools for authors of suites: new assignments, audits, and measured thresholds."""
