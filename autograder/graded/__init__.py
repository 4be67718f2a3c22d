"""A graded class: results, written answers, decisions about both, and their folder."""
