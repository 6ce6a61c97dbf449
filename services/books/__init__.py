"""Books: a service on Freehold."""
