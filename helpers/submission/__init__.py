"""What a submission is made of, and how it is read and imported, the same in a notebook and in a grader."""
