"""What tests share: small courses, example classes, kernels, other machines."""
