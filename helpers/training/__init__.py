"""What networks are trained with: given layers, losses, a solver, numeric gradients."""
