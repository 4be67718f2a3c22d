"""Tools for training networks: given layers, losses, a solver, numeric gradients."""
