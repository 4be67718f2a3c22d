"""A graded class: results, written answers, decisions about both, where students stand, and their folder."""
