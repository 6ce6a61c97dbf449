"""Freehold's side of the comparison."""
