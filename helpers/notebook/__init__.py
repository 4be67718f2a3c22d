"""Functions for notebooks: set-up, public checks, and packing a submission."""
