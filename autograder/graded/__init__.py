"""A graded class: results, written answers, what people decided about both, and the folder of all that."""
