"""Library: lending, built on Freehold."""
