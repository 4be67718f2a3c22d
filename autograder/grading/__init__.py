"""Grade a class, keep and compare its results, and write every view of them."""
