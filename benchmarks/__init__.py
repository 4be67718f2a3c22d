"""Measure what grading costs, side by side with a cold pytest per submission: `python -m benchmarks`."""
