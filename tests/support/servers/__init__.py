"""Submission servers, as far as a bundle meets them."""
