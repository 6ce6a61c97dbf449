"""The same service in Freehold."""
