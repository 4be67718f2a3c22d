"""A graded class: results, written answers, what people decided, where students stand, and their folder."""
