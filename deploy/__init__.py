"""How Freehold is put on machines."""
